import type { Subscription } from '../../protocol/subscription.ts'
import { refusalOf } from './catalog-refusal.ts'
import { rootCause } from './database-failure.ts'
import type { WatchedTables } from './watched-tables.ts'

/** So long what was read is taken for what is. */
const FRESH_MS = 30_000
/** One read in so long, however much is asked for that is not found. */
const RECHECK_MS = 2_000
/** So long a subscriber waits at the door for a read. */
const DOOR_MS = 2_000
/** So long after a failure no subscriber waits at all. */
const FAILED_MS = 10_000
/** A read that has said nothing for so long is not waited for; another may begin. */
const READING_MS = 15_000

/**
 * Which tables are watched, and their columns: what a subscription may name.
 *
 * Postgres is authoritative; this is what one isolate remembers of it. Must hold: delivery does
 * not depend on the database. So at the doors one read is under way for all who wait, and while
 * the database cannot say in time, a subscription is let through unexamined: it hears what
 * matches, which may be nothing. And nobody is refused by what was read before they came: a
 * refusal is for good, and the table may have been watched since.
 */
export class Catalog {
  readonly #read: () => Promise<WatchedTables>
  readonly #now: () => number
  #known: Known | null = null
  #reading: { since: number; known: Promise<Known> } | null = null
  #begunAt = Number.NEGATIVE_INFINITY
  #failedAt = Number.NEGATIVE_INFINITY

  /** @param now milliseconds since 1970 */
  constructor(read: () => Promise<WatchedTables>, now: () => number) {
    this.#read = read
    this.#now = now
  }

  /**
   * For a door.
   * @param keep holds the request open for a read that others may be waiting for
   * @returns why the subscription can never hear anything; null if it may, or nobody can say
   */
  async refusal(
    subscription: Subscription,
    keep: (reading: Promise<unknown>) => void,
  ): Promise<string | null> {
    const { table, where } = subscription
    if (table === undefined && Object.keys(where).length === 0) return null
    const cameAt = this.#now()
    const fresh = this.#fresh(cameAt)
    if (fresh && refusalOf(subscription, fresh) === null) return null
    for (;;) {
      await this.#turn()
      if (this.#now() - this.#failedAt < FAILED_MS) return null
      const reading = this.#readOnce()
      keep(reading.catch(() => undefined))
      const known = await within(DOOR_MS, reading).catch((error) => this.#fail(error))
      if (known === null) return null
      const refusal = refusalOf(subscription, known.tables)
      if (refusal === null || known.since >= cameAt) return refusal
    }
  }

  /**
   * For a reader of rows, who needs the database anyway.
   * @param isAnswer whether these tables will do; if not, they are read again
   * @throws what the database said
   */
  async tables(isAnswer: (tables: WatchedTables) => boolean): Promise<WatchedTables> {
    const cameAt = this.#now()
    const fresh = this.#fresh(cameAt)
    if (fresh && isAnswer(fresh)) return fresh
    for (;;) {
      await this.#turn()
      const { tables, since } = await this.#readOnce()
      if (isAnswer(tables) || since >= cameAt) return tables
    }
  }

  /** What was read has turned out to be wrong. */
  forget(): void {
    this.#known = null
    this.#begunAt = Number.NEGATIVE_INFINITY
  }

  #fresh(now: number): WatchedTables | null {
    return this.#known && now - this.#known.since < FRESH_MS ? this.#known.tables : null
  }

  /** Until a read is under way or may begin. */
  async #turn(): Promise<void> {
    const waitMs = this.#begunAt + RECHECK_MS - this.#now()
    if (this.#reading === null && waitMs > 0)
      await new Promise<void>((resolve) => setTimeout(resolve, waitMs))
  }

  #readOnce(): Promise<Known> {
    const since = this.#now()
    if (this.#reading && since - this.#reading.since < READING_MS) return this.#reading.known
    const reading = {
      since,
      known: this.#read()
        .then((tables) => {
          this.#known = { tables, since }
          this.#failedAt = Number.NEGATIVE_INFINITY
          return this.#known
        })
        .catch((error: unknown) => {
          this.#begunAt = Number.NEGATIVE_INFINITY
          throw error
        })
        .finally(() => {
          if (this.#reading === reading) this.#reading = null
        }),
    }
    this.#begunAt = since
    this.#reading = reading
    return reading.known
  }

  #fail(error: unknown): null {
    const isFirst = this.#now() - this.#failedAt >= FAILED_MS
    this.#failedAt = this.#now()
    if (isFirst)
      console.warn(
        JSON.stringify({
          message: 'subscriptions are not examined: what is watched could not be read',
          error: String(rootCause(error)),
        }),
      )
    return null
  }
}

/** `since`: when the read began, so that it has whatever was watched before. */
type Known = { tables: WatchedTables; since: number }

function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer in ${ms} ms`)), ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
