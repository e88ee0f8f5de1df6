/** Whoever asks is not let in, whatever they try. */
export class Denied extends Error {}
/** The server did not answer. */
export class Unreachable extends Error {}

/** The worker said no. The message is a sentence for a person. */
export class Refusal extends Error {
  readonly status: number
  /** As protocol/problems.ts has it; null where something else answered. */
  readonly code: string | null

  constructor(message: string, status: number, code: string | null) {
    super(message)
    this.status = status
    this.code = code
  }
}
