/** So long an answer is passed on: whoever was given a subject meanwhile waits as long. */
const KNOWN_MS = 60_000
const UNKNOWN_MS = 5_000
const MOST = 10_000

/**
 * Which user a subject of an identity provider is. What was answered is remembered, the oldest
 * forgotten; while it cannot be asked anew it is believed for longer.
 */
export class Subjects {
  readonly #ask: (subject: string) => Promise<string | null>
  readonly #known = new Map<string, { user: string | null; at: number }>()

  constructor(ask: (subject: string) => Promise<string | null>) {
    this.#ask = ask
  }

  /** @throws what asking throws, of one that was never answered */
  async userOf(subject: string, now: number): Promise<string | null> {
    const known = this.#known.get(subject)
    const age = known ? now - known.at : Number.POSITIVE_INFINITY
    if (known && age >= 0 && age < (known.user === null ? UNKNOWN_MS : KNOWN_MS)) return known.user
    try {
      const user = await this.#ask(subject)
      this.#known.delete(subject)
      this.#known.set(subject, { user, at: now })
      for (const oldest of this.#known.keys()) {
        if (this.#known.size <= MOST) break
        this.#known.delete(oldest)
      }
      return user
    } catch (error) {
      if (!known) throw error
      return known.user
    }
  }
}
