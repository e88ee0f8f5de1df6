import { BEAT_SECONDS } from '../cost.ts'
import { limits } from '../prices.ts'
import { MOST_SOCKETS, MOST_USE, SPAN, WANTED_P99_MS } from './assumed.ts'
import type { Costs } from './costs.ts'
import type { Load, Outcome, Plan, Span } from './load.ts'
import { simulate } from './simulation.ts'

/** How near a limit is: 1 is reached. */
export type Pressure = { limit: string; share: number }

/** A run of the simulation, and what it came near; what is hit first comes first. */
export type Ran = { load: Load; plan: Plan; outcome: Outcome; pressures: Pressure[] }

export function run(costs: Costs, load: Load, plan: Plan, span: Span = SPAN): Ran {
  const outcome = simulate(costs, load, plan, span)
  return { load, plan, outcome, pressures: pressuresOn(costs, load, plan, outcome) }
}

/** @param room the share of each limit that may be used */
export function holds({ pressures }: Ran, room = 1): boolean {
  return pressures.every(({ share }) => share <= room)
}

export function pressuresOn(costs: Costs, load: Load, plan: Plan, outcome: Outcome): Pressure[] {
  const most = Math.max(...load.regions.map(({ subscribers }) => subscribers))
  const sockets = most / plan.shardsPerRegion
  const beats = (plan.shardsPerRegion * load.regions.length) / BEAT_SECONDS
  // A frame is always under way; what is twice as old as it may be waits in a queue.
  const latest = Math.max(outcome.p99Ms ?? Number.POSITIVE_INFINITY, outcome.lagMs / 2)
  return [
    { limit: `p99 of ${WANTED_P99_MS / 1000} s`, share: latest / WANTED_P99_MS },
    { limit: "the feed's thread", share: outcome.feedUse / MOST_USE },
    { limit: "a relay's thread", share: outcome.relayUse / MOST_USE },
    { limit: 'sockets of an object', share: sockets / MOST_SOCKETS },
    { limit: "a shard's heap", share: heapOf(costs, sockets) / limits.heapBytes.value / MOST_USE },
    {
      limit: 'requests to a shard',
      share: (outcome.acksPerSecond + outcome.framesPerSecond) / limits.requestsPerSecond.value,
    },
    {
      limit: 'requests to the feed',
      // A batch is a request that writes.
      share:
        outcome.batchesPerSecond / limits.writesPerSecond.value +
        beats / limits.requestsPerSecond.value,
    },
  ].toSorted((one, other) => other.share - one.share)
}

export function heapOf({ heap }: Costs, sockets: number): number {
  return heap.emptyBytes + sockets * heap.socketBytes
}
