import { setTimeout as delay } from 'node:timers/promises'
import { type Backoff, fullJitter } from '../protocol/backoff.ts'
import { Database, PoolerError } from './database.ts'
import { Leader } from './leader.ts'
import { FencedError, Link } from './link.ts'
import type { Metrics } from './metrics.ts'

const BACKOFF: Backoff = { baseMs: 250, capMs: 10_000 }
const STANDBY_MS = 1_000
/** A leader renews its lease every 5 s; one that missed three is ended. */
const LEASE_MS = 15_000

export type ListenerOptions = {
  databaseUrl: string
  feedUrl: string
  secret: string
  /** Unique to this process: an old connection of ours is told from another listener by it. */
  name: string
}

export type Role =
  | { role: 'connecting'; since: number; error: string | null }
  | { role: 'standby'; since: number }
  | { role: 'leader'; since: number; term: number; bell(): string; linked(): boolean }

/**
 * One listener: connects, waits for leadership, leads, and begins again whenever Postgres is
 * lost or the feed has seen a later term.
 *
 * Authoritative on leadership is the advisory lock, and behind it the feed, which refuses a
 * lower term than it has seen. The lock goes with the session, so a leader that lost its
 * connection leads no more; one that is frozen still holds it, so a standby ends the session of
 * a leader whose lease is old. What a fenced leader does in that moment is refused by the feed.
 */
export class Listener {
  readonly #options: ListenerOptions
  readonly #metrics: Metrics
  readonly #log: (line: string) => void
  role: Role = { role: 'connecting', since: Date.now(), error: null }
  #above = 0

  constructor(options: ListenerOptions, metrics: Metrics, log: (line: string) => void) {
    this.#options = options
    this.#metrics = metrics
    this.#log = log
  }

  /**
   * @param stop asks to stop: the batch in flight is finished first
   * @param giveUp drops even that
   * @throws PoolerError, which trying again would not mend
   */
  async run(stop: AbortSignal, giveUp: AbortSignal): Promise<void> {
    for (let attempt = 1; !stop.aborted; attempt++) {
      const begun = Date.now()
      try {
        await this.#session(stop, giveUp)
      } catch (error) {
        if (error instanceof PoolerError) throw error
        if (stop.aborted) return
        if (error instanceof FencedError) this.#above = error.term
        if (Date.now() - begun > BACKOFF.capMs) attempt = 1
        await this.#pause(attempt, error, stop)
      }
    }
  }

  async #session(stop: AbortSignal, giveUp: AbortSignal): Promise<void> {
    const { databaseUrl, feedUrl, secret, name } = this.#options
    const database = await Database.connect(databaseUrl)
    try {
      const source = await database.source()
      if (!(await this.#waitForLeadership(database, stop))) return
      const term = await database.takeTerm(name, this.#above)
      const link = new Link({ feedUrl, secret, source, listener: name }, term, this.#log)
      const leader = new Leader({ database, link, metrics: this.#metrics }, term, giveUp)
      this.#lead(term, leader, link)
      try {
        await leader.lead(stop, this.#log)
      } finally {
        link.close()
      }
    } finally {
      this.#metrics.leader.set(0)
      this.#metrics.term.set(0)
      this.#metrics.beatSince(null)
      await database.close()
    }
  }

  /** @returns false if it was asked to stop before */
  async #waitForLeadership(database: Database, stop: AbortSignal): Promise<boolean> {
    for (;;) {
      if (stop.aborted) return false
      if (await database.tryLock()) return true
      if (this.role.role !== 'standby') {
        this.role = { role: 'standby', since: Date.now() }
        this.#log('another listener leads; standing by')
      }
      const ended = await database.endStaleLeader(this.#options.name, LEASE_MS)
      if (ended) this.#log(`ended the session of ${ended}, whose lease is over`)
      else await delay(STANDBY_MS, undefined, { signal: stop }).catch(() => undefined)
    }
  }

  #lead(term: number, leader: Leader, link: Link): void {
    this.role = {
      role: 'leader',
      since: Date.now(),
      term,
      bell: () => leader.bell,
      linked: () => link.open,
    }
    this.#metrics.leader.set(1)
    this.#metrics.term.set(term)
    this.#log(`leading with term ${term}`)
  }

  async #pause(attempt: number, failure: unknown, stop: AbortSignal): Promise<void> {
    const error = sentence(failure)
    this.role = { role: 'connecting', since: Date.now(), error }
    this.#metrics.reconnects.inc()
    const waitMs = fullJitter(attempt, BACKOFF, Math.random())
    this.#log(`${error}; beginning again in ${waitMs} ms`)
    await delay(waitMs, undefined, { signal: stop }).catch(() => undefined)
  }
}

/** The SQLSTATEs that say Belfry's schema is not there. */
const NOT_MIGRATED = new Set(['3F000', '42P01', '42883'])

/** The SQLSTATE of a right that its login lacks. */
const NOT_ALLOWED = '42501'

function sentence(failure: unknown): string {
  if (!(failure instanceof Error)) return String(failure)
  const { code } = failure as { code?: string }
  if (code && NOT_MIGRATED.has(code))
    return 'this database has no belfry schema: run "npm run migrate" with its DATABASE_URL'
  if (code === NOT_ALLOWED)
    return `${failure.message}: put this login in the role belfry_listener, and run as the owner of Belfry’s tables: SELECT belfry.grant_rights()`
  if (code === 'ECONNREFUSED') return 'Postgres does not answer at DATABASE_URL'
  return failure.message || String(code ?? failure.name)
}
