import type { OwedChange } from '../../../protocol/outbox.ts'
import { current } from '../current.ts'
import { owed } from '../owed.ts'
import type { OutboxRow, Postgres, Session } from '../postgres.ts'
import type { World } from '../world.ts'

/** Of listener/database.ts. */
const QUERY_TIMEOUT_MS = 9_000
/** Small, so that a batch is often not all there is. */
export const MAX_BATCH = 4
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
  /** Changes that were found, by the ids of their rows, and are not forgotten yet. */
  readonly #inHand = new Map<string, string>()
  #term = 0
  #looking = false
  #fail: ((error: Error) => void) | null = null

  private constructor() {
    const { world, postgres } = current()
    this.#world = world
    this.#postgres = postgres
    this.#session = postgres.connect(world.acting, () => this.#lose())
    current().databases.push(this)
  }

  static async connect(): Promise<Database> {
    return new Database()
  }

  /** What was found over it may yet be sent, and appended. */
  maySend(change: string): boolean {
    const { client } = this.#session
    if (!client.alive || this.#lost.signal.aborted) return false
    return current().checker.maySpeak(this.#term) && [...this.#inHand.values()].includes(change)
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
      this.#term = term
      if (this.#world.broken !== 'terms lost in a crash') this.#postgres.flush()
      return term
    })
  }

  renewLease(term: number, feed: string | null): Promise<void> {
    return this.#query<void>('renews the lease', () => {
      for (const row of this.#postgres.terms)
        if (row.term === term) Object.assign(row, { seenAt: this.#world.now, feed })
    })
  }

  endStaleLeader(listener: string, leaseMs: number): Promise<string | null> {
    return this.#query('looks for a stale leader', () =>
      this.#postgres.endStaleLeader(this.#session, listener, leaseMs),
    )
  }

  async look(taken: readonly string[]): Promise<Found> {
    this.#looking = true
    this.#session.busy = true
    const found = await this.#query('looks', () => {
      const others = this.#postgres.outbox.filter(({ id }) => !taken.includes(String(id)))
      const rows =
        this.#world.broken === 'reads on from the last id' ? behind(taken, others) : others
      const head = rows.slice(0, MAX_BATCH)
      for (const { id, change } of head) this.#inHand.set(String(id), change)
      if (this.#world.broken === 'delete before ack')
        this.#postgres.forget(new Set(head.map(({ id }) => id)))
      return {
        owed: head.map((row) => owed(row, this.#world.now)),
        more: rows.length > head.length,
        oldestRunning: this.#postgres.xmin,
      }
    })
    if (taken.length > 0 && found.owed.length > 0) this.#world.reach('read ahead')
    this.#looking = false
    this.#nowBusy()
    return found
  }

  async forget(ids: readonly string[]): Promise<void> {
    await this.#query<void>('forgets', () => this.#postgres.forget(new Set(ids.map(Number))))
    for (const id of ids) this.#inHand.delete(id)
    this.#nowBusy()
  }

  beat(): Promise<number> {
    if (!current().hasCanary) return new Promise(() => undefined)
    return this.#query('beats', () => this.#postgres.beat())
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
    this.#nowBusy()
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

  #nowBusy(): void {
    this.#session.busy = this.#looking || this.#inHand.size > 0
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

function behind(taken: readonly string[], rows: readonly OutboxRow[]): OutboxRow[] {
  const last = Math.max(0, ...taken.map(Number))
  return rows.filter(({ id }) => id > last)
}

type Found = { owed: OwedChange[]; more: boolean; oldestRunning: bigint }
