import { DurableObject } from 'cloudflare:workers'
import { acceptAndClose } from '../api/refusal.ts'
import { isAdmin } from '../doors/principal.ts'
import { type Cut, isOver, PRINCIPAL_HEADER, parsePrincipal } from '../doors/session.ts'
import type { Env } from '../env.ts'
import type { Channel, Prepared } from './channel.ts'
import type {
  Cancelled,
  CourierDoor,
  DeliveryCounts,
  DeliveryFilter,
  DeliveryPage,
  DeliveryStory,
  Owed,
} from './delivery.ts'
import { nextAt, nextDue } from './due.ts'
import { readHistory } from './history.ts'
import { type Attempt, Ledger } from './ledger.ts'
import { named } from './name.ts'
import { type Answer, forAll } from './outcome.ts'
import { afterAnswer, held } from './pace.ts'
import { PaceRecord } from './pace-record.ts'
import { Pokes } from './pokes.ts'
import { parcelOf, type Row, reportOf } from './row.ts'
import { countRedrivable, find, findRedrivable, oldestWaiting, type Search } from './search.ts'

/** After a failure of our own. */
const REST_MS = 60_000
const REDRIVEN_AT_ONCE = 200

/**
 * Makes deliveries over one channel: one request an alarm.
 *
 * The ledger is authoritative; the alarm is only the clock, and is set anew after every step and
 * at every start. Must hold: what is handed over is sent, or lies in a state that a person sees,
 * through any restart; and it goes out once, because what may have gone out is only ever repeated
 * as the same request (attempt.ts). An attempt is on disk before its request leaves.
 * On failure: whatever was under way when the object ended is found in `sending` by the next one,
 * and is in doubt. The alarm's handler never throws, because the platform gives up on one that
 * does.
 */
export abstract class Courier extends DurableObject<Env> implements CourierDoor {
  /** Asked for once the object is made, not before. */
  protected abstract readonly channel: Channel
  protected readonly ledger: Ledger
  protected readonly pace: PaceRecord
  readonly #pokes: Pokes
  #busy = false

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.ledger = new Ledger(ctx.storage)
    this.pace = new PaceRecord(ctx.storage.sql)
    const counts = () => this.ledger.rows.counts
    this.#pokes = new Pokes(ctx, env, counts, () => this.arm())
    this.#recover()
    ctx.blockConcurrencyWhile(() => this.arm())
  }

  // --- doors (delivery.ts) --------------------------------------------------------------------

  async enqueue(owed: Owed[]): Promise<void> {
    const named = await Promise.all(owed.map((each) => this.#named(each)))
    if (this.ledger.add(named, Date.now()) > 0) await this.moved()
  }

  async counts(): Promise<DeliveryCounts> {
    return this.ledger.rows.counts
  }

  /** When the oldest that is not sent yet was owed, in ms since 1970; null if none waits. */
  async waitingSince(): Promise<number | null> {
    return oldestWaiting(this.ledger.rows.sql)
  }

  async list(filter: DeliveryFilter, limit: number, before: number | null): Promise<DeliveryPage> {
    const found = find(this.ledger.rows.sql, this.#search(filter), limit + 1, before)
    const shown = found.slice(0, limit)
    const held = this.#held()
    return {
      deliveries: shown.map((row) => reportOf(row, held)),
      next: found.length > limit ? (shown.at(-1)?.id ?? null) : null,
    }
  }

  async story(id: number): Promise<DeliveryStory | null> {
    const row = this.ledger.rows.get(id)
    if (!row) return null
    const history = readHistory(row.history, row.created_at)
    return { ...reportOf(row, this.#held()), history, body: row.body }
  }

  async countRedrivable(filter: DeliveryFilter): Promise<number> {
    this.ledger.sweep(Date.now())
    return countRedrivable(this.ledger.rows.sql, this.#search(filter))
  }

  async redrive(filter: DeliveryFilter | { id: number }): Promise<number> {
    this.ledger.sweep(Date.now())
    const count =
      'id' in filter
        ? this.ledger.redrive([filter.id], Date.now())
        : await this.#redriveAll(this.#search(filter))
    if (count > 0) await this.moved()
    return count
  }

  async cancel(id: number): Promise<Cancelled> {
    const outcome = this.ledger.cancel(id, Date.now())
    if (outcome === 'cancelled') await this.moved()
    return outcome
  }

  /** Closes the sockets of what was revoked. */
  async cut(cut: Cut): Promise<void> {
    this.#pokes.sessions.cut(cut)
  }

  /** A WebSocket that is told whenever something moved. */
  override async fetch(request: Request): Promise<Response> {
    if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket')
      return new Response('This address speaks WebSocket.', { status: 426 })
    const asking = parsePrincipal(request.headers.get(PRINCIPAL_HEADER))
    if (asking === null || !isAdmin(asking) || isOver(asking, Date.now()))
      return acceptAndClose('unauthorized', 'ask for another ticket, or a new token')
    const response = this.#pokes.open(asking)
    await this.arm()
    return response
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    return this.#pokes.heard(socket, message)
  }

  // --- the clock ------------------------------------------------------------------------------

  override async alarm(): Promise<void> {
    this.#pokes.sessions.expire(Date.now())
    if (this.#busy) return
    this.#busy = true
    try {
      await this.#step()
    } catch (error) {
      this.#failed(error)
    } finally {
      this.#busy = false
      await this.arm()
    }
  }

  /** The ledger has moved: whoever watches is told, and the alarm follows. */
  protected async moved(): Promise<void> {
    this.#pokes.moved()
    if (!this.#busy) await this.arm()
  }

  protected async arm(): Promise<void> {
    const now = Date.now()
    const due = nextAt(this.ledger.rows, this.pace.now.until) ?? Number.POSITIVE_INFINITY
    const at = Math.min(due, this.#pokes.sessions.wakeAt(now))
    if (at < Number.POSITIVE_INFINITY) await this.ctx.storage.setAlarm(Math.max(at, now))
  }

  async #step(): Promise<void> {
    const { ledger, channel } = this
    this.#recover()
    if (ledger.sweep(Date.now())) this.#pokes.moved()
    const { until, failures } = this.pace.now
    if (until > Date.now()) return
    const due = nextDue(ledger.rows, Date.now(), channel.batch, failures > 0)
    const [first] = due
    if (!first) return
    const ready = channel.ready()
    if (ready.kind === 'hold') return this.#hold(ready)

    const attempt =
      first.batch === null ? await this.#begin(due) : ledger.repeat(first.batch, Date.now())
    this.#pokes.moved()
    if (!attempt) return
    // Only when the attempt is on record may the request leave.
    await this.ctx.storage.sync()
    const answer = await this.#send(attempt)
    ledger.rows.write(() => {
      const now = Date.now()
      ledger.finish(attempt, answer, now, Math.random())
      this.pace.set(afterAnswer(this.pace.now, answer, now, Math.random()))
    })
    report(attempt, answer)
    this.#pokes.moved()
  }

  async #begin(due: readonly Row[]): Promise<Attempt | null> {
    const prepared = await Promise.all(due.map((row) => this.#prepare(row)))
    const now = Date.now()
    const hold = prepared.find(({ answer }) => answer.kind === 'hold')
    if (hold?.answer.kind === 'hold') {
      this.#hold(hold.answer)
      return null
    }
    const ready = prepared.flatMap(({ row, answer }) => {
      if (answer.kind === 'send') return { row, payload: answer.payload }
      if (answer.kind !== 'hold') this.ledger.putAside(row, answer, now)
      return []
    })
    return this.ledger.begin(ready, (parcel, payload) => this.channel.veto(parcel, payload), now)
  }

  /** What was frozen once is not made again. */
  async #prepare(row: Row): Promise<{ row: Row; answer: Prepared }> {
    if (row.payload !== null) return { row, answer: { kind: 'send', payload: row.payload } }
    try {
      return { row, answer: await this.channel.prepare(parcelOf(row)) }
    } catch (error) {
      return { row, answer: { kind: 'park', why: `It cannot be made: ${messageOf(error)}` } }
    }
  }

  async #send({ key, members }: Attempt): Promise<Answer> {
    const parcels = members.map(({ row, payload }) => ({ parcel: parcelOf(row), payload }))
    try {
      return await this.channel.send({ key, parcels })
    } catch (failure) {
      const error = `The request failed: ${messageOf(failure)}`
      const outcome = { kind: 'retry', inDoubt: true, down: true, afterMs: null, error } as const
      return forAll(outcome, parcels.length, 0)
    }
  }

  #hold({ afterMs, why }: { afterMs: number; why: string }): void {
    const now = Date.now()
    this.pace.set(held(this.pace.now, afterMs, why, { now, rested: now, random: Math.random() }))
    console.warn(JSON.stringify({ message: 'the courier waits', why }))
    this.#pokes.moved()
  }

  /** Nothing is under way: what says so was, in an earlier life or before a failure of ours. */
  #recover(): void {
    const error = 'The courier stopped while it was being sent.'
    this.ledger.recover(error, Date.now(), Math.random())
  }

  #failed(failure: unknown): void {
    console.error(JSON.stringify({ message: 'the courier failed', error: String(failure) }))
    try {
      const error = `The courier failed: ${messageOf(failure)}`
      this.ledger.recover(error, Date.now(), Math.random())
      this.#hold({ afterMs: REST_MS, why: error })
    } catch (error) {
      console.error(JSON.stringify({ message: 'the courier cannot write', error: String(error) }))
    }
  }

  async #redriveAll(search: Search): Promise<number> {
    const { rows } = this.ledger
    let before = Number.MAX_SAFE_INTEGER
    for (let count = 0; ; ) {
      const ids = findRedrivable(rows.sql, search, REDRIVEN_AT_ONCE, before)
      const last = ids.at(-1)
      if (last === undefined) return count
      count += this.ledger.redrive(ids, Date.now())
      before = last
      // Others may come in between: a hundred thousand take a while.
      await new Promise((resolve) => setTimeout(resolve, 0))
    }
  }

  #named(owed: Owed) {
    return named(owed, this.channel.recipientKey(owed.recipient))
  }

  #search({ recipient, ...filter }: DeliveryFilter): Search {
    if (recipient === undefined) return filter
    return { ...filter, recipientKey: this.channel.recipientKey(recipient) }
  }

  /** Why everything waits; null while all is well. */
  #held(): { why: string; until: number } | null {
    const { why, until } = this.pace.now
    return why === null ? null : { why, until }
  }
}

function report({ key }: Attempt, { outcomes }: Answer): void {
  const failed = outcomes.filter((outcome) => outcome.kind !== 'sent')
  const [first] = failed
  if (!first) return
  const { kind, error } = first
  console.warn(
    JSON.stringify({ message: `not sent: ${kind}`, key, deliveries: failed.length, error }),
  )
}

function messageOf(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure)
}
