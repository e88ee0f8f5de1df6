import { HEARTBEAT_MS } from '../../../protocol/heartbeat.ts'
import { pauseAfter } from '../../../worker/shard/limits.ts'
import { acksOf } from '../cost.ts'
import type { Histogram } from '../load/histogram.ts'
import { type Costs, costOf } from './costs.ts'
import type { Clock, Core } from './engine.ts'
import type { Load } from './load.ts'
import type { Hearer } from './sender.ts'

export type World = {
  clock: Clock
  costs: Costs
  load: Load
  /** When each change was written, by its offset less one. */
  writtenAt: number[]
  /** Since when latencies count. */
  countsFrom: number
  latency: Histogram
}

/** A frame with nothing in it; and what each frame has besides its changes. */
const EMPTY_BYTES = 80
/** As in worker/shard/shard.ts. */
const BEAT_US = (HEARTBEAT_MS * 1000 * 2) / 3
const BEHIND_US = 1e6
/** A frame is sent in many small steps of an event loop: other work comes between them. */
const TURNS = 4
/** Of a frame's changes, and of its sockets, so many stand for all. */
const SAMPLED_CHANGES = 8
const SAMPLED_SOCKETS = 6

/** One thread that tells its sockets, one after the other. */
export class SimulatedShard implements Hearer {
  readonly core: Core
  frames = 0
  beats = 0
  acks = 0
  /** The offset that every socket has. */
  told = 0
  readonly #world: World
  readonly #everything: number
  readonly #filtered: number
  readonly #subscriberUs: number
  #heard = 0
  #behind = false

  constructor(world: World, core: Core, sockets: number, subscriberMs: number) {
    this.#world = world
    this.core = core
    this.#filtered = sockets * world.load.ownFilters
    this.#everything = sockets - this.#filtered
    this.#subscriberUs = subscriberMs * 1000
  }

  hear(through: number, answer: () => void): void {
    const { clock, costs, load } = this.#world
    const after = this.#heard
    const changes = through - after
    this.#heard = through
    const bytes = EMPTY_BYTES + changes * load.bytesPerChange
    const frameUs = this.#everything * costOf(costs.frame, bytes)
    const sendingUs = frameUs * (1 - costs.beforeFirstByte)
    const filteringUs = this.#filtered * changes * costs.filterUs
    const acks = load.acks ? this.#everything * acksOf(bytes) : 0
    const began = clock.now
    const told = () => {
      this.told = through
      this.frames++
      this.acks += acks
      this.#count(after, through, sendingUs)
      this.core.work(acks * costs.ackUs, () => {})
      // The answer goes through the same loop as what is sent to the sockets, and so comes last.
      clock.after(Math.max(0, began + pauseAfter(this.#everything) * 1000 - clock.now), answer)
    }
    this.core.work(filteringUs, () => this.core.workInTurns(frameUs, TURNS, told))
    if (this.#filtered > 0) this.#tellWhoIsBehind()
  }

  /** Every so often it asks the feed where it stands, and tells everyone that all is well. */
  beat(feed: Core, rttMs: number, firstUs: number): void {
    const { clock, costs } = this.#world
    const beat = () => {
      this.beats++
      const way = (rttMs * 1000) / 2
      clock.after(way, () =>
        feed.work(costOf(costs.call, 0), () =>
          clock.after(way, () =>
            this.core.work(this.#emptyUs(this.#everything + this.#filtered), () => {}),
          ),
        ),
      )
      clock.after(BEAT_US, beat)
    }
    clock.after(firstUs, beat)
  }

  #tellWhoIsBehind(): void {
    if (this.#behind) return
    this.#behind = true
    this.#world.clock.after(BEHIND_US, () => {
      this.#behind = false
      this.core.work(this.#emptyUs(this.#filtered), () => {})
    })
  }

  #emptyUs(sockets: number): number {
    return sockets * costOf(this.#world.costs.frame, EMPTY_BYTES)
  }

  #count(after: number, through: number, sendingUs: number): void {
    const { clock, writtenAt, countsFrom, latency } = this.#world
    const changes = through - after
    const step = Math.max(1, changes / SAMPLED_CHANGES)
    for (let offset = after; offset < through; offset += step) {
      const at = writtenAt[Math.floor(offset)] as number
      if (at < countsFrom) continue
      const last = clock.now + this.#subscriberUs - at
      for (let socket = 0; socket < SAMPLED_SOCKETS; socket++) {
        const place = (socket + 0.5) / SAMPLED_SOCKETS
        latency.add(last - sendingUs * (1 - place), (step * this.#everything) / SAMPLED_SOCKETS)
      }
    }
  }
}
