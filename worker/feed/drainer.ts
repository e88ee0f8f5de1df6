import type { CapturedChange } from '../../protocol/change.ts'
import { claim } from './claim.ts'
import {
  afterFailure,
  afterLink,
  afterLook,
  type DrainState,
  nextAt,
  observe,
  silentSince,
} from './drain.ts'
import type { Intake } from './intake.ts'
import { supersede } from './life.ts'
import type { Look, Outbox } from './outbox.ts'
import type { Records } from './records.ts'
import type { DrainReport } from './status.ts'

/** Then other work of the feed's alarm has its turn, and the rest comes at once after it. */
const LOOKS_AT_ONCE = 10
const EPOCHS_KEPT = 10

export type DrainerParts = {
  storage: DurableObjectStorage
  records: Records
  log: Intake
  outbox: Outbox
  /** When a listener was last heard on a link that is open; null without one. */
  heardAt: () => number | null
  /** There is more for shards and consumers. */
  appended: () => void
}

/** Drains the outbox when no listener does; drain.ts has the law, claim.ts says whose it is. */
export class Drainer {
  readonly #parts: DrainerParts
  #state: DrainState
  #running = false
  /** Whether this run has put out those who had a term before it. */
  #hasSuperseded = false

  constructor(parts: DrainerParts, now: number) {
    this.#parts = parts
    // A new feed counts the silence from now on, and remembers since when.
    this.#state = parts.storage.kv.get<DrainState>('drain') ?? { by: 'listener' }
    this.#become(observe(this.#state, parts.heardAt(), now))
  }

  /** When `run` is to be called; never while it runs. */
  nextAt(now: number): number {
    if (this.#running) return Number.POSITIVE_INFINITY
    return nextAt(this.#state, this.#parts.heardAt(), now)
  }

  /** A link has closed on which a listener was last heard at `heardAt`. */
  left(heardAt: number, now: number): void {
    this.#become(afterLink(this.#state, heardAt, this.#parts.heardAt(), now))
  }

  /** A new life of the feed began after the epoch `before`: the next listener comes first. */
  restart(before: string, now: number): void {
    const { kv } = this.#parts.storage
    kv.put('epochs', [before, ...this.#earlierEpochs].slice(0, EPOCHS_KEPT))
    this.#become(silentSince(now))
  }

  /** Takes what there is, if it is time to; never throws. */
  async run(): Promise<void> {
    if (this.#running) return
    this.#running = true
    this.#hasSuperseded = false
    try {
      for (let looks = 0; looks < LOOKS_AT_ONCE && this.#isDue(Date.now()); looks++)
        await this.#attempt()
    } finally {
      this.#running = false
    }
  }

  report(now: number): DrainReport {
    const state = observe(this.#state, this.#parts.heardAt(), now)
    if (state.by === 'listener') return { by: 'listener' }
    const since = new Date(state.since).toISOString()
    if (state.by === 'nobody') return { by: 'nobody', since, error: state.error }
    return { by: 'feed', since, lastAt: new Date(state.lastAt).toISOString() }
  }

  #isDue(now: number): boolean {
    this.#become(observe(this.#state, this.#parts.heardAt(), now))
    return this.#state.by !== 'listener' && this.#state.dueAt <= now
  }

  async #attempt(): Promise<void> {
    const { epoch } = this.#parts.records.life
    const outcome = await this.#takeBatch(epoch).catch((failure: unknown) => {
      const error = failure instanceof Error ? failure.message : String(failure)
      console.warn(JSON.stringify({ message: 'the feed could not drain the outbox', error }))
      return { error }
    })
    // A new life began meanwhile, and waits for its listener: see restart.
    if (this.#parts.records.life.epoch !== epoch) return
    const now = Date.now()
    const next =
      'error' in outcome
        ? afterFailure(this.#observed, { ...outcome, now, random: Math.random() })
        : afterLook(this.#observed, { ...outcome, now })
    this.#become(next)
  }

  async #takeBatch(epoch: string): Promise<{ found: number; more: boolean }> {
    const { outbox, records } = this.#parts
    const look = await outbox.look()
    // A new life's own look sees what this one saw, and what came after.
    if (records.life.epoch !== epoch) return { found: 0, more: false }
    const verdict = claim(look, records.life, this.#earlierEpochs)
    if (verdict.kind === 'refused') throw new Error(verdict.error)
    if (look.owed.length === 0) return { found: 0, more: false }
    if (verdict.kind === 'nobodys') {
      await outbox.claim(epoch)
      return { found: 0, more: true }
    }
    await this.#append(look)
    return { found: look.owed.length, more: look.more }
  }

  async #append({ source, term, owed }: Look): Promise<void> {
    const { log, records, storage, outbox, appended } = this.#parts
    const changes = owed.map(({ text }) => JSON.parse(text) as CapturedChange)
    if (records.life.source === null) records.life = { ...records.life, source }
    if (!this.#hasSuperseded && this.#observed.by !== 'listener') {
      records.life = supersede(records.life, term)
      this.#hasSuperseded = true
    }
    const { after, through } = log.append(changes, Date.now())
    if (through > after) appended()
    // P10. The runtime holds a request back until what was written before it is on disk; this says so.
    await storage.sync()
    await outbox.forget(owed.map(({ id }) => id))
  }

  /** A listener may have come during an attempt. */
  get #observed(): DrainState {
    return observe(this.#state, this.#parts.heardAt(), Date.now())
  }

  get #earlierEpochs(): string[] {
    return this.#parts.storage.kv.get<string[]>('epochs') ?? []
  }

  #become(state: DrainState): void {
    if (state === this.#state || (state.by === 'listener' && this.#state.by === 'listener')) return
    this.#state = state
    this.#parts.storage.kv.put('drain', state)
  }
}
