/** Whoever asks is not let in, whatever they try. */
export class Denied extends Error {}

/** The server did not answer. */
export class Unreachable extends Error {
  /** For whoever runs the page: what else it may be; null if there is nothing to say. */
  readonly hint: string | null

  constructor(message: string, hint: string | null) {
    super(message)
    this.hint = hint
  }
}

/** The worker said no. The message is a sentence for a person. */
export class Refusal extends Error {
  readonly status: number
  /** As protocol/problems.ts has it; null where something else answered. */
  readonly code: string | null
  /** When to come back, if it says so. */
  readonly retryAfterMs: number | null

  constructor(message: string, status: number, code: string | null, retryAfterMs: number | null) {
    super(message)
    this.status = status
    this.code = code
    this.retryAfterMs = retryAfterMs
  }
}

/** @returns what the header Retry-After says, in seconds or as a date; null if it does not */
export function retryAfterMs(response: Response): number | null {
  const text = response.headers.get('retry-after')?.trim() ?? ''
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
  const date = Date.parse(text)
  return Number.isNaN(date) ? null : Math.max(0, date - Date.now())
}
