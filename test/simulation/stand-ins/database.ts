import { current } from '../current.ts'
import type { OutboxRow, Postgres, Session } from '../postgres.ts'
import type { World } from '../world.ts'

/** Of listener/database.ts. */
const QUERY_TIMEOUT_MS = 9_000
/** Small, so that a batch is often not all there is. */
const MAX_BATCH = 4
export const SOURCE = '11111111-1111-4111-8111-111111111111'

export class PoolerError extends Error {}

/**
 * In place of listener/database.ts: the same questions, answered by the simulated Postgres.
 *
 * A query arrives, is executed, and its answer comes back, with anything in between. It is
 * executed although its client has died, as long as the session stands.
 */
export class Database {
  readonly #world: World
  readonly #postgres: Postgres
  readonly #session: Session
  readonly #lost = new AbortController()
  #last: Promise<unknown> = Promise.resolve()
  #fail: ((error: Error) => void) | null = null

  private constructor() {
    const { world, postgres } = current()
    this.#world = world
    this.#postgres = postgres
    this.#session = postgres.connect(world.acting, () => this.#lose())
  }

  static async connect(): Promise<Database> {
    return new Database()
  }

  get lost(): AbortSignal {
    return this.#lost.signal
  }

  async close(): Promise<void> {
    const session = this.#session
    this.#world.send(this.#postgres.process, 'a listener has said goodbye', () =>
      this.#postgres.endSession(session),
    )
  }

  async source(): Promise<string> {
    return SOURCE
  }

  tryLock(): Promise<boolean> {
    return this.#query('tries the lock', () => this.#postgres.tryLock(this.#session))
  }

  takeTerm(listener: string, above: number): Promise<number> {
    return this.#query('takes a term', () => {
      const term = this.#postgres.takeTerm(this.#session, listener, above)
      if (this.#world.broken !== 'terms lost in a crash') this.#postgres.flush()
      return term
    })
  }

  renewLease(term: number): Promise<void> {
    return this.#query<void>('renews the lease', () => {
      for (const row of this.#postgres.terms) if (row.term === term) row.seenAt = this.#world.now
    })
  }

  endStaleLeader(listener: string, leaseMs: number): Promise<string | null> {
    return this.#query('looks for a stale leader', () =>
      this.#postgres.endStaleLeader(this.#session, listener, leaseMs),
    )
  }

  async look(): Promise<{ rows: PeekedRow[]; oldestRunning: bigint }> {
    this.#session.busy = true
    const look = await this.#query('looks', () => {
      const rows = this.#postgres.outbox.slice(0, MAX_BATCH)
      if (this.#world.broken === 'delete before ack')
        this.#postgres.forget(new Set(rows.map(({ id }) => id)))
      return { rows: rows.map((row) => this.#peeked(row)), oldestRunning: this.#postgres.xmin }
    })
    this.#session.busy = look.rows.length > 0
    return look
  }

  async forget(ids: readonly string[]): Promise<void> {
    await this.#query<void>('forgets', () => this.#postgres.forget(new Set(ids.map(Number))))
    this.#session.busy = false
  }

  listen(onRing: () => void): Promise<boolean> {
    return this.#query('listens', () => {
      if (!current().canListen) return false
      this.#session.onRing = onRing
      return true
    })
  }

  setAwake(): Promise<void> {
    this.#session.busy = true
    return this.#setBell('awake')
  }

  async setAsleep(): Promise<bigint> {
    this.#session.busy = true
    await this.#setBell('asleep')
    const mark = await this.#query('takes its mark', () => this.#mark())
    this.#session.busy = false
    return mark
  }

  #mark(): bigint {
    const { broken } = this.#world
    if (broken === 'mark: none') return 0n
    if (broken === 'mark: newest ended') return this.#postgres.xmax
    const own = this.#postgres.begin()
    this.#postgres.end(own)
    if (this.#postgres.running.some(({ rings, rows }) => rows.length > 0 && !rings))
      this.#world.reach('dozing while a silent writer is open')
    return own.xid
  }

  /** A sequence is set after the statement was given its transaction id, and before it ends. */
  async #setBell(bell: 'awake' | 'asleep'): Promise<void> {
    const postgres = this.#postgres
    const next = (label: string, run: () => void) => this.#world.send(postgres.process, label, run)
    await this.#asks<void>(`is about to set the bell to ${bell}`, (done) => {
      const own = postgres.begin()
      next(`the bell is set to ${bell}`, () => {
        postgres.setBell(bell)
        next('the setting of the bell commits', () => {
          postgres.end(own)
          done()
        })
      })
    })
  }

  #peeked(row: OutboxRow): PeekedRow {
    const { table, op, key, old, at } = row
    const change = JSON.stringify({
      id: row.change,
      table,
      op,
      key: { id: key },
      new: row.new,
      old,
      at: '2027-01-15T08:00:00.000000+00:00',
    })
    return { id: String(row.id), change, age_ms: this.#world.now - at }
  }

  #lose(): void {
    const error = new Error('the connection to Postgres ended')
    this.#lost.abort(error)
    this.#fail?.(error)
  }

  #query<T>(what: string, execute: () => T): Promise<T> {
    return this.#asks<T>(what, (done) => done(execute()))
  }

  /** One at a time, as over the one connection. */
  #asks<T>(what: string, execute: (done: (value: T) => void) => void): Promise<T> {
    const run = this.#last.then(() => this.#ask(what, execute))
    this.#last = run.catch(() => undefined)
    return run
  }

  #ask<T>(what: string, execute: (done: (value: T) => void) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#lost.signal.aborted) return reject(this.#lost.signal.reason)
      const timer = setTimeout(() => reject(new Error('Query read timeout')), QUERY_TIMEOUT_MS)
      this.#fail = (error) => {
        clearTimeout(timer)
        reject(error)
      }
      const { client } = this.#session
      const done = (value: T) =>
        this.#world.answer(client, `is answered: ${what}`, () => {
          clearTimeout(timer)
          resolve(value)
        })
      this.#world.send(this.#postgres.process, `${client.name} ${what}`, () => {
        if (this.#session.alive) execute(done)
      })
    })
  }
}

type PeekedRow = { id: string; change: string; age_ms: number }
