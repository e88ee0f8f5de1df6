import { type Backoff, fullJitter } from '../../protocol/backoff.ts'
import { databaseAdvice } from '../api/database-failure.ts'

const BACKOFF: Backoff = { baseMs: 2_000, capMs: 5 * 60_000 }
const LEAST_MS = 1_000

/** While Postgres cannot be asked it is asked again with backoff, for ever; each time it is said. */
export class Patience {
  #failures = 0
  /** Before this, in ms since 1970, it is not asked. */
  askAt = 0

  mayAsk(now: number): boolean {
    return this.askAt <= now
  }

  answered(): void {
    this.#failures = 0
    this.askAt = 0
  }

  failed(failure: unknown, now: number): void {
    this.#failures++
    this.askAt = now + Math.max(LEAST_MS, fullJitter(this.#failures, BACKOFF, Math.random()))
    const error = databaseAdvice(failure)
    console.warn(JSON.stringify({ message: 'an inbox waits for Postgres', error }))
  }
}
