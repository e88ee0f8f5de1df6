import { PULSE_MS } from '../protocol/link.ts'
import type { OwedChange } from '../protocol/outbox.ts'
import { afterLook, awake, type BellState, dozing } from './bell.ts'
import { Canary } from './canary.ts'
import type { Database } from './database.ts'
import type { Link } from './link.ts'
import type { Metrics } from './metrics.ts'
import { Rings } from './rings.ts'
import { changesIn, type RungBy, unheard } from './unheard.ts'

/**
 * The leader: reads the outbox in the order of its ids, sends what it finds, and deletes it
 * after the feed's acknowledgement.
 *
 * Authoritative on nothing: the outbox is the truth, and the feed decides what is new. So it may
 * be killed between any two steps. Must hold: a row is deleted only after it was acknowledged
 * (P10); one batch is in flight (P23). The next one is read meanwhile, and leaves out by name
 * what is under way, so that it has every earlier change of its rows before it.
 */
export class Leader {
  readonly #database: Database
  readonly #link: Link
  readonly #metrics: Metrics
  readonly #rings = new Rings()
  readonly #canary: Canary
  readonly #term: number
  /** Until then a batch in flight is finished, through however many connections it takes. */
  readonly #giveUp: AbortSignal
  /** Its windows are measured by a clock that nobody sets back. */
  #bell: BellState = awake(performance.now())
  #rungBy: RungBy = null
  /** The next look was waited for. */
  #waited = false
  /** When the oldest row that we have read and not yet delivered was written, by our clock. */
  #oldestAt: number | null = null
  /** The ids of the batch in flight, until their deletion has been asked for. */
  #underWay: readonly string[] = []
  #acknowledged: Promise<void> = Promise.resolve()
  #forgotten: Promise<void> = Promise.resolve()

  constructor(
    { database, link, metrics }: { database: Database; link: Link; metrics: Metrics },
    term: number,
    giveUp: AbortSignal,
  ) {
    this.#database = database
    this.#link = link
    this.#metrics = metrics
    this.#canary = new Canary({ database, link, metrics })
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
    const listening = await this.#database.listen((own) => this.#onRing(own))
    if (!listening) {
      this.#bell = { mode: 'polling' }
      say('LISTEN is not to be had here: looking at the outbox four times a second instead')
    }
    const done = new AbortController()
    const timer = setInterval(() => this.#pulse(), PULSE_MS)
    const onAbort = () => this.#rings.interrupt()
    stop.addEventListener('abort', onAbort)
    this.#giveUp.addEventListener('abort', onAbort)
    const leading = AbortSignal.any([done.signal, this.#giveUp])
    try {
      void this.#canary.keep(leading, say)
      await Promise.race([this.#link.keep(leading), this.#looks(stop)])
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
    await this.#acknowledged
    await this.#forgotten
  }

  async #look(stop: AbortSignal): Promise<void> {
    const rings = this.#rings.take()
    const rungBy = this.#rungBy
    this.#rungBy = null
    const underWay = this.#underWay
    // One after the other on one connection, so that a look does not see what was deleted.
    const [{ owed, more, oldestRunning }] = await Promise.all([
      this.#database.look(underWay),
      this.#forgotten,
    ])
    this.#metrics.looks.inc()
    if (this.#waited && this.#bell.mode === 'asleep')
      this.#metrics.sweepFound.inc(unheard(owed, rungBy))
    if (owed.length > 0) {
      await this.#acknowledged
      this.#send(owed)
    } else if (underWay.length === 0) this.#canary.foundNothing()

    const decision = afterLook(this.#bell, {
      now: performance.now(),
      rows: owed.length,
      more,
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
    this.#waited = decision.waitMs > 0 && !stop.aborted
    if (this.#waited) await this.#rings.wait(decision.waitMs)
  }

  #send(owed: readonly OwedChange[]): void {
    this.#underWay = owed.map(({ id }) => id)
    this.#acknowledged = this.#deliver(owed)
    // Nobody may be waiting for it. What ends it ends link.keep() too, and so our leadership.
    this.#acknowledged.catch(() => undefined)
  }

  async #deliver(owed: readonly OwedChange[]): Promise<void> {
    const writtenAt = Date.now() - Math.max(...owed.map(({ ageMs }) => ageMs))
    this.#oldestAt = writtenAt
    const ack = await this.#link.deliver(
      owed.map(({ text }) => text),
      this.#giveUp,
    )
    this.#oldestAt = null
    this.#forgotten = this.#database.forget(this.#underWay)
    // The next look is told.
    this.#forgotten.catch(() => this.#rings.interrupt())
    this.#underWay = []

    this.#canary.acknowledged(owed)
    const changes = changesIn(owed)
    if (changes === 0) return
    this.#metrics.head.set(ack.head)
    this.#metrics.batches.inc()
    this.#metrics.changes.inc(changes)
    this.#metrics.oversize.inc(owed.filter(({ oversize }) => oversize).length)
    this.#metrics.duplicates.inc(ack.duplicates)
    this.#metrics.ageSeconds.observe((Date.now() - writtenAt) / 1000)
  }

  /** @param own the canary's, for which no writer paid */
  #onRing(own: boolean): void {
    if (!own) this.#metrics.rings.inc()
    this.#rungBy = own ? (this.#rungBy ?? 'canary') : 'writer'
    this.#rings.ring()
  }

  #pulse(): void {
    const lagMs = this.#oldestAt === null ? 0 : Math.max(0, Date.now() - this.#oldestAt)
    this.#metrics.lagSeconds.set(lagMs / 1000)
    this.#metrics.linkUp.set(this.#link.open ? 1 : 0)
    this.#link.pulse({ state: this.#bell.mode, lagMs })
    this.#database.renewLease(this.#term, this.#link.feed).catch(() => undefined)
  }
}
