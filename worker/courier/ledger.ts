import {
  begun,
  finished,
  interrupted,
  isOverdue,
  overdue,
  postponed,
  released,
  SAFE_TO_REPEAT_MS,
  setAside,
} from './attempt.ts'
import { cancelled, redriven } from './by-hand.ts'
import type { Parcel, Prepared } from './channel.ts'
import type { Cancelled } from './delivery.ts'
import { hasHeard, NO_HISTORY } from './history.ts'
import type { Named } from './name.ts'
import type { Answer, Outcome } from './outcome.ts'
import { keyOf, parcelOf, type Row, readTag } from './row.ts'
import { Rows } from './rows.ts'
import { type Heard, told, toldOfEarlier } from './word.ts'

/**
 * Every delivery that was ever owed, and how far it has come.
 *
 * Authoritative on both. What is written here survives the object. Each step is one synchronous
 * transaction and looks at its rows anew, because while a request or a question to the database
 * was out, a person, an event or another step may have moved them. The decisions are pure, and
 * stand in attempt.ts, word.ts and by-hand.ts.
 */
export class Ledger {
  readonly rows: Rows

  constructor(storage: DurableObjectStorage) {
    this.rows = new Rows(storage)
  }

  /** @returns how many of them were not known yet */
  add(named: readonly Named[], now: number): number {
    return this.rows.write(() => named.filter((each) => this.rows.add(newRow(each, now))).length)
  }

  // --- an attempt -----------------------------------------------------------------------------

  /** What is not sent, for a reason that is its own. */
  putAside(seen: Row, prepared: Aside, now: number): void {
    this.rows.write(() => {
      if (!this.#isAsSeen(seen)) return
      this.rows.save(seen, asideOf(seen, prepared, now))
    })
  }

  /**
   * Puts the attempt on record, before its request may leave.
   * @param veto asked of each; what it says suppresses
   * @returns null if nothing is left to send
   */
  begin(prepared: readonly Ready[], veto: Veto, now: number): Attempt | null {
    return this.rows.write(() => {
      const seen = prepared.filter(({ row }) => this.#isAsSeen(row) && !isOverdue(row, now))
      const members = seen.filter(({ row, payload }) => {
        const why = veto(parcelOf(row), payload)
        if (why !== null) this.rows.save(row, setAside(row, 'suppressed', why, now))
        return why === null
      })
      const [first] = members
      if (!first) return null
      const batch = members.length > 1 ? `batch/${crypto.randomUUID()}` : null
      for (const { row, payload } of members) this.rows.save(row, begun(row, payload, batch, now))
      return { key: batch ?? keyOf(first.row), members }
    })
  }

  /**
   * The same request again, whole: also with those of whom the provider has meanwhile told.
   * @returns null if it is no longer to be made
   */
  repeat(batch: string, now: number): Attempt | null {
    return this.rows.write(() => {
      const members = this.rows
        .ofBatch(batch)
        .flatMap((row) => (row.payload === null ? [] : [{ row, payload: row.payload }]))
      if (!members.some(({ row }) => row.next_at !== null)) return null
      if (members.some(({ row }) => isOverdue(row, now))) return null
      for (const { row, payload } of members)
        if (row.next_at !== null) this.rows.save(row, begun(row, payload, batch, now))
      return { key: batch, members }
    })
  }

  finish({ members }: Attempt, answer: Answer, now: number, random: number): void {
    this.rows.write(() => {
      const tried = members.filter(({ row }) => row.next_at !== null)
      const attempts = 1 + Math.max(...tried.map(({ row }) => row.attempts))
      this.#saveAll(
        members.flatMap(({ row: before }, index) => {
          const row = this.rows.get(before.id)
          if (!row) return []
          const outcome = answer.outcomes[index] ?? UNCLEAR
          return { row, after: finished(row, before, outcome, { now, random, attempts }) }
        }),
      )
    })
  }

  /**
   * Whatever was under way when something broke is in doubt.
   * @returns how many there were
   */
  recover(error: string, now: number, random: number): number {
    return this.rows.write(() => {
      const found = this.rows.inState('sending')
      for (const row of found) {
        const shared = row.batch === null ? [row] : found.filter(({ batch }) => batch === row.batch)
        const attempts = Math.max(...shared.map((each) => each.attempts))
        this.rows.save(row, interrupted(row, error, { now, random, attempts }))
      }
      return found.length
    })
  }

  /** What time does by itself. @returns whether anything moved */
  sweep(now: number): boolean {
    return this.rows.write(() => {
      const late = this.rows.inDoubtSince(now - SAFE_TO_REPEAT_MS, AT_ONCE)
      this.#saveAll(late.map((row) => ({ row, after: overdue(row, now) })))
      const old = this.rows.forgettable(now, AT_ONCE)
      for (const row of old) this.rows.remove(row)
      return late.length + old.length > 0
    })
  }

  // --- what others say ------------------------------------------------------------------------

  /** @param tag what the provider gave back of it; null if it did not */
  hear(tag: string | null, heard: Heard, now: number): Hearing {
    return this.rows.write((): Hearing => {
      const read = tag === null ? null : readTag(tag)
      const row = (read && this.rows.byTag(read.tag)) ?? this.rows.byProviderId(heard.providerId)
      if (!row) return { kind: 'unmatched' }
      if (hasHeard(row.history, heard.id)) return { kind: 'known' }
      const isEarlier = read !== null && read.round < row.round
      const after = isEarlier ? toldOfEarlier(row, heard) : told(row, heard, now)
      this.#saveAll([{ row, after }])
      return { kind: 'applied', row }
    })
  }

  /** @returns how many are tried again, with those that share a request with one of them */
  redrive(ids: readonly number[], now: number): number {
    return this.rows.write(() => {
      let count = 0
      for (const id of ids) {
        const named = this.rows.get(id)
        if (!named || redriven(named, now) === null) continue
        const { batch } = named
        const shared = batch === null ? [named] : this.rows.ofBatch(batch)
        const again = shared.flatMap((row) => {
          const after = redriven(row, now)
          return after ? { row, after } : []
        })
        this.#saveAll(again)
        count += again.length
      }
      return count
    })
  }

  /** All that waits, some at a time. @returns how many it was; 0 once there are none */
  parkWaiting(why: string, now: number): number {
    return this.rows.write(() => {
      const waiting = this.rows.waiting(AT_ONCE)
      this.#saveAll(waiting.map((row) => ({ row, after: setAside(row, 'parked', why, now) })))
      return waiting.length
    })
  }

  cancel(id: number, now: number): Cancelled {
    return this.rows.write(() => {
      const row = this.rows.get(id)
      if (!row) return 'missing'
      const { outcome, row: after } = cancelled(row, now)
      this.rows.save(row, after)
      return outcome
    })
  }

  /** Nobody has moved it since it was read. */
  #isAsSeen(seen: Row): boolean {
    const row = this.rows.get(seen.id)
    return (
      row !== null &&
      row.next_at !== null &&
      (['state', 'round', 'attempts', 'next_at', 'doubt_since', 'batch'] as const).every(
        (name) => row[name] === seen[name],
      )
    )
  }

  /** Also lets go of a shared request once nobody in it is in doubt any more. */
  #saveAll(changes: readonly { row: Row; after: Row }[]): void {
    for (const { row, after } of changes) this.rows.save(row, after)
    for (const batch of new Set(changes.map(({ row }) => row.batch)))
      if (batch !== null && !this.rows.isInDoubt(batch))
        for (const row of this.rows.ofBatch(batch)) this.rows.save(row, released(row))
  }
}

const AT_ONCE = 200
/** However short a channel asks to wait, the courier does not spin. */
const WAIT_MIN_MS = 1_000
const UNCLEAR: Outcome = {
  kind: 'retry',
  inDoubt: true,
  down: false,
  afterMs: null,
  error: 'The answer did not say what became of it.',
}

export type Ready = { row: Row; payload: string }
export type Attempt = { key: string; members: readonly Ready[] }
export type Aside = Exclude<Prepared, { kind: 'send' | 'hold' }>
export type Veto = (parcel: Parcel, payload: string) => string | null
export type Hearing = { kind: 'applied'; row: Row } | { kind: 'known' | 'unmatched' }

function asideOf(row: Row, prepared: Aside, now: number): Row {
  if (prepared.kind === 'wait')
    return postponed(row, now + Math.max(prepared.afterMs, WAIT_MIN_MS), prepared.why)
  const state = prepared.kind === 'park' ? 'parked' : 'suppressed'
  return setAside(row, state, prepared.why, now)
}

function newRow({ owed, recipientKey, baseKey, tag }: Named, now: number): Omit<Row, 'id'> {
  return {
    tag,
    base_key: baseKey,
    round: 0,
    rule: owed.rule,
    rule_name: owed.ruleName,
    change: owed.change,
    table_name: owed.table,
    row_key: owed.key,
    recipient: owed.recipient,
    recipient_key: recipientKey,
    body: owed.body,
    state: 'queued',
    attempts: 0,
    alone: 0,
    first_at: null,
    next_at: now,
    doubt_since: null,
    forget_at: null,
    batch: null,
    payload: null,
    provider_id: null,
    word: null,
    sent_at: null,
    last_error: null,
    created_at: now,
    history: NO_HISTORY,
  }
}
