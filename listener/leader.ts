import { PULSE_MS } from '../protocol/link.ts'
import { afterLook, awake, type BellState, dozing } from './bell.ts'
import type { Database, OutboxRow } from './database.ts'
import type { Link } from './link.ts'
import type { Metrics } from './metrics.ts'
import { outgoing } from './outgoing.ts'
import { Rings } from './rings.ts'

/**
 * The leader: reads the outbox in the order of its ids, sends what it finds, and deletes it
 * after the feed's acknowledgement.
 *
 * Authoritative on nothing: the outbox is the truth, and the feed decides what is new. So it may
 * be killed between any two steps. Must hold: a row is deleted only after it was acknowledged
 * (P10); one batch is in flight (P23).
 */
export class Leader {
  readonly #database: Database
  readonly #link: Link
  readonly #metrics: Metrics
  readonly #rings = new Rings()
  readonly #term: number
  /** Until then a batch in flight is finished, through however many connections it takes. */
  readonly #giveUp: AbortSignal
  /** Its windows are measured by a clock that nobody sets back. */
  #bell: BellState = awake(performance.now())
  /** Nobody rang: the time was up. */
  #swept = false
  /** When the oldest row that we have read and not yet sent was written, by our clock. */
  #oldestAt: number | null = null

  constructor(
    { database, link, metrics }: { database: Database; link: Link; metrics: Metrics },
    term: number,
    giveUp: AbortSignal,
  ) {
    this.#database = database
    this.#link = link
    this.#metrics = metrics
    this.#term = term
    this.#giveUp = AbortSignal.any([giveUp, database.lost])
  }

  get bell(): BellState['mode'] {
    return this.#bell.mode
  }

  /**
   * Leads until `stop` asks it not to.
   * @throws FencedError; or what took Postgres away
   */
  async lead(stop: AbortSignal, say: (line: string) => void): Promise<void> {
    await this.#database.setAwake()
    const listening = await this.#database.listen(() => this.#onRing())
    if (!listening) {
      this.#bell = { mode: 'polling' }
      say('LISTEN is not to be had here: looking at the outbox four times a second instead')
    }
    const done = new AbortController()
    const timer = setInterval(() => this.#pulse(), PULSE_MS)
    const onAbort = () => this.#rings.interrupt()
    stop.addEventListener('abort', onAbort)
    this.#giveUp.addEventListener('abort', onAbort)
    try {
      await Promise.race([
        this.#link.keep(AbortSignal.any([done.signal, this.#giveUp])),
        this.#looks(stop),
      ])
    } finally {
      done.abort()
      clearInterval(timer)
      stop.removeEventListener('abort', onAbort)
      this.#giveUp.removeEventListener('abort', onAbort)
    }
    // Nobody listens now, so nobody should pay for ringing.
    await this.#database.setAwake()
  }

  async #looks(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) await this.#look(stop)
  }

  async #look(stop: AbortSignal): Promise<void> {
    const rings = this.#rings.take()
    const { rows, oldestRunning } = await this.#database.look()
    this.#metrics.looks.inc()
    if (this.#swept && this.#bell.mode === 'asleep') this.#metrics.sweepFound.inc(rows.length)
    if (rows.length > 0) await this.#send(rows)
    else this.#oldestAt = null

    const decision = afterLook(this.#bell, {
      now: performance.now(),
      rows: rows.length,
      rings,
      oldestRunning,
    })
    const { mode } = this.#bell
    this.#bell = decision.state
    if (decision.bell === 'get up') {
      this.#metrics.wakes.inc()
      await this.#database.setAwake()
    } else if (decision.bell === 'lie down') {
      this.#bell = dozing(await this.#database.setAsleep(), performance.now())
    }
    this.#metrics.asleep.set(this.#bell.mode === 'asleep' ? 1 : 0)
    if (this.#bell.mode !== mode) this.#pulse()
    this.#swept = decision.waitMs > 0 && !stop.aborted && !(await this.#rings.wait(decision.waitMs))
  }

  async #send(rows: readonly OutboxRow[]): Promise<void> {
    const ageMs = Math.max(...rows.map((row) => row.age_ms))
    this.#oldestAt = Date.now() - ageMs
    const changes = rows.map(({ change }) => outgoing(change))
    const ack = await this.#link.deliver(
      changes.map(({ text }) => text),
      this.#giveUp,
    )
    await this.#database.forget(rows.map(({ id }) => id))

    this.#metrics.head.set(ack.head)
    this.#metrics.batches.inc()
    this.#metrics.changes.inc(rows.length)
    this.#metrics.oversize.inc(changes.filter(({ oversize }) => oversize).length)
    this.#metrics.duplicates.inc(ack.duplicates)
    this.#metrics.ageSeconds.observe((Date.now() - this.#oldestAt) / 1000)
  }

  #onRing(): void {
    this.#metrics.rings.inc()
    this.#rings.ring()
  }

  #pulse(): void {
    const lagMs = this.#oldestAt === null ? 0 : Math.max(0, Date.now() - this.#oldestAt)
    this.#metrics.lagSeconds.set(lagMs / 1000)
    this.#metrics.linkUp.set(this.#link.open ? 1 : 0)
    this.#link.pulse({ state: this.#bell.mode, lagMs })
    this.#database.renewLease(this.#term).catch(() => undefined)
  }
}
