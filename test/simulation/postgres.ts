import { CANARY_TABLE } from '../../protocol/canary.ts'
import { drop, Process, type World } from './world.ts'

/**
 * What of Postgres can be seen from outside and matters here: transaction ids, what a snapshot
 * says of them, rows that are seen once they are committed, row locks, a sequence that is read
 * and set outside of snapshots, an advisory lock that goes with its session, notifications at the
 * commit, and commits that are asynchronous and lost in a crash.
 */
export class Postgres {
  readonly process = new Process('postgres')
  readonly #world: World
  readonly #watch: Watch
  bell: 'awake' | 'asleep' = 'awake'
  /** Committed, in the order of their ids. */
  outbox: OutboxRow[] = []
  terms: Term[] = []
  /** The feed that has term 0. */
  claimedBy: string | null = null
  sessions: Session[] = []
  lockedBy: Session | null = null
  readonly running: Transaction[] = []
  /** Committed rows of the watched tables, by table and key. */
  readonly rows = new Map<string, Row>()
  /** Rows that a transaction holds, by table and key. */
  readonly locks = new Map<string, Transaction>()
  /** What a crash undoes: asynchronous commits that have not reached the disk, oldest first. */
  #unflushed: (() => void)[] = []
  #nextXid = 10n
  #newestEnded = 9n
  #nextOutboxId = 1
  #beats = 0

  constructor(world: World, watch: Watch) {
    this.#world = world
    this.#watch = watch
  }

  // --- transactions ------------------------------------------------------------------------------

  begin(): Transaction {
    const transaction: Transaction = {
      xid: this.#nextXid++,
      rows: [],
      locks: [],
      rings: false,
      unread: false,
    }
    this.running.push(transaction)
    return transaction
  }

  /** A statement's effect on one row, and its row in the outbox: the capture trigger. */
  write(transaction: Transaction, write: Write): void {
    const id = this.#nextOutboxId++
    transaction.rows.push({ ...write, id, change: uuid(id), at: this.#world.now })
    transaction.unread = true
  }

  /** The end of a statement: the ring trigger reads the bell. */
  readBell(transaction: Transaction): void {
    transaction.unread = false
    if (this.bell === 'asleep') transaction.rings = true
  }

  commit(transaction: Transaction): void {
    for (const row of transaction.rows) {
      this.outbox.push(row)
      const name = rowName(row)
      if (row.new) this.rows.set(name, row.new)
      else this.rows.delete(name)
    }
    if (transaction.rows.length > 0) {
      this.outbox.sort((a, b) => a.id - b.id)
      this.#watch.committed(transaction.rows)
    }
    this.end(transaction)
    this.flush()
    if (transaction.rings) this.#notify()
  }

  /** The canary's row, in one statement whose commit is asynchronous. @returns which beat it is */
  beat(): number {
    const transaction = this.begin()
    const row = { id: 1, value: ++this.#beats, version: this.#beats }
    this.write(transaction, { table: CANARY_TABLE, op: 'update', key: 1, new: row, old: row })
    this.readBell(transaction)
    this.outbox = [...this.outbox, ...transaction.rows].sort((a, b) => a.id - b.id)
    this.end(transaction)
    this.#unflushed.push(() => {
      this.outbox = this.outbox.filter((each) => !transaction.rows.includes(each))
    })
    if (transaction.rings) this.#notify()
    return this.#beats
  }

  /** Commit or rollback, as far as snapshots and locks go. */
  end(transaction: Transaction): void {
    const index = this.running.indexOf(transaction)
    if (index >= 0) drop(this.running, index)
    if (transaction.xid > this.#newestEnded) this.#newestEnded = transaction.xid
    for (const name of transaction.locks) this.locks.delete(name)
  }

  /** One past the newest id that has ended. */
  get xmax(): bigint {
    return this.#newestEnded + 1n
  }

  /** The oldest id that runs, of those that a snapshot can know of. */
  get xmin(): bigint {
    let oldest = this.xmax
    for (const { xid } of this.running) if (xid < oldest) oldest = xid
    return oldest
  }

  rowsOf(table: string): Row[] {
    return Array.from(this.rows)
      .filter(([name]) => name.startsWith(`${table}/`))
      .map(([, row]) => ({ ...row }))
  }

  // --- sessions of listeners ---------------------------------------------------------------------

  connect(client: Process, lost: () => void): Session {
    const session: Session = {
      client,
      lost,
      alive: true,
      onRing: null,
      ringing: 0,
      busy: false,
      lockedAt: 0,
    }
    this.sessions.push(session)
    return session
  }

  endSession(session: Session): void {
    if (!session.alive) return
    session.alive = false
    drop(this.sessions, this.sessions.indexOf(session))
    if (this.lockedBy === session) this.lockedBy = null
    this.#world.send(session.client, 'the connection to Postgres is lost', session.lost)
  }

  tryLock(session: Session): boolean {
    if (this.lockedBy === null) {
      this.lockedBy = session
      session.lockedAt = this.#world.now
    }
    return this.lockedBy === session
  }

  takeTerm(session: Session, listener: string, above: number): number {
    const term: Term = {
      term: Math.max(this.newestTerm, above) + 1,
      listener,
      session,
      seenAt: this.#world.now,
      feed: null,
    }
    this.terms.push(term)
    this.#unflushed.push(() => drop(this.terms, this.terms.indexOf(term)))
    this.#watch.termTaken(term.term)
    return term.term
  }

  get newestTerm(): number {
    return this.terms.reduce((most, { term }) => Math.max(most, term), 0)
  }

  /** The feed that this database's changes go to, as far as it was written down. */
  get owner(): string | null {
    return this.terms.findLast(({ feed }) => feed !== null)?.feed ?? this.claimedBy
  }

  /**
   * Ends the session that holds the lock, if its leader is stale or is an earlier one of this
   * listener. One that never came to take a term is judged by when it got the lock.
   * @returns the name of the listener whose session was ended
   */
  endStaleLeader(session: Session, listener: string, leaseMs: number): string | null {
    const holder = this.lockedBy
    if (holder === null || holder === session) return null
    const term = this.terms.findLast((row) => row.session === holder)
    if (term === undefined && this.#world.broken === 'a lock without a term') return null
    const seenAt = term?.seenAt ?? holder.lockedAt
    if (term?.listener !== listener && seenAt >= this.#world.now - leaseMs) return null
    this.#world.reach('a stale leader ended')
    this.endSession(holder)
    return term?.listener ?? 'a listener'
  }

  forget(ids: ReadonlySet<number>): void {
    const gone = this.outbox.filter(({ id }) => ids.has(id))
    if (gone.length === 0) return
    this.#watch.forgotten(gone)
    this.outbox = this.outbox.filter(({ id }) => !ids.has(id))
    this.#unflushed.push(() => {
      this.outbox = [...this.outbox, ...gone].sort((a, b) => a.id - b.id)
    })
  }

  setBell(bell: 'awake' | 'asleep'): void {
    const before = this.bell
    this.bell = bell
    this.#unflushed.push(() => {
      this.bell = before
    })
  }

  // --- what is on the disk -----------------------------------------------------------------------

  /** A synchronous commit, or the writer of the log, takes everything before it to the disk. */
  flush(): void {
    this.#unflushed.length = 0
  }

  crash(): void {
    if (this.#unflushed.length > 0) this.#world.reach('asynchronous commits lost in a crash')
    for (const undo of this.#unflushed.reverse()) undo()
    this.flush()
    for (const transaction of [...this.running]) this.end(transaction)
    for (const session of [...this.sessions]) this.endSession(session)
  }

  /** Nothing that a crash would undo. */
  get flushed(): boolean {
    return this.#unflushed.length === 0
  }

  #notify(): void {
    for (const session of this.sessions) {
      const { onRing } = session
      if (onRing === null) continue
      session.ringing++
      this.#world.send(session.client, 'hears a ring', () => {
        session.ringing--
        if (session.alive) onRing()
      })
    }
  }
}

export type Row = { id: number; value: number; version: number }
export type Write = {
  table: string
  op: 'insert' | 'update' | 'delete'
  key: number
  new: Row | null
  old: Row | null
}
export type OutboxRow = Write & { id: number; change: string; at: number }

/** `unread`: its statement has not come to its end, where the bell is read. */
export type Transaction = {
  xid: bigint
  rows: OutboxRow[]
  locks: string[]
  rings: boolean
  unread: boolean
}

export type Session = {
  client: Process
  lost: () => void
  alive: boolean
  lockedAt: number
  /** Set once it listens. */
  onRing: (() => void) | null
  /** Rings on their way to it. */
  ringing: number
  /** Its client waits for an answer, or has rows in hand. */
  busy: boolean
}

export type Term = {
  term: number
  listener: string
  session: Session
  seenAt: number
  /** The epoch that welcomed it. */
  feed: string | null
}

/** Who wants to know what happened. */
export type Watch = {
  committed(rows: readonly OutboxRow[]): void
  forgotten(rows: readonly OutboxRow[]): void
  termTaken(term: number): void
}

export function rowName({ table, key }: { table: string; key: number }): string {
  return `${table}/${key}`
}

function uuid(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
}
