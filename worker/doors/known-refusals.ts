import type { Admission, Budget } from './budget.ts'

/**
 * Whom the Doorkeeper has refused, and until when: whoever asks on without end costs no more calls
 * of it. Nothing can let them in before then, for a bucket only fills with time.
 */
export class KnownRefusals {
  readonly #until = new Map<string, { retryAt: number; resetAt: number }>()
  readonly #max: number

  /** @param max beyond it the one that was refused first is forgotten */
  constructor(max: number) {
    this.#max = max
  }

  note(name: string, { allowed, retryMs, resetMs }: Admission, now: number): void {
    this.#until.delete(name)
    if (allowed) return
    this.#until.set(name, { retryAt: now + retryMs, resetAt: now + resetMs })
    const [oldest] = this.#until.keys()
    if (this.#until.size > this.#max && oldest !== undefined) this.#until.delete(oldest)
  }

  /** @returns the refusal as the Doorkeeper would say it; null if it must be asked */
  of(name: string, { limit }: Budget, now: number): Admission | null {
    const until = this.#until.get(name)
    if (!until || until.retryAt <= now) return null
    const [retryMs, resetMs] = [until.retryAt - now, until.resetAt - now]
    return { allowed: false, limit, remaining: 0, resetMs, retryMs }
  }
}
