import { limits } from '../prices.ts'
import { direct, loadOf, MOST_SOCKETS, oneRegion, SHORT_SPAN } from './assumed.ts'
import type { Costs } from './costs.ts'
import type { Plan } from './load.ts'
import { holds, type Ran, run } from './pressures.ts'

/** How far it goes at one pace: the largest shard, and the most of them. */
export type Reach = {
  changesPerSecond: number
  largest: Largest
  /** Where most subscribers have a filter of their own. */
  filtered: Largest
  /** The feed calls every shard; the same with the vendor's limit on calls; through a tree. */
  direct: number
  limited: number
  tree: number
}

/** What held back the next larger one. */
export type Largest = { sockets: number; heldBy: string }

/** Customers who watch what is theirs, and a few who watch everything. */
const MOSTLY_FILTERED = 0.9
/** One shard alone leaves the rest of the way, and bad moments, so much of each limit. */
const ROOM = 0.75
/** Beyond it nobody has looked. */
export const MOST_SHARDS = 3_000
const SIZES = [100, 150, 200, 300, 500, 750, 1_000, 2_000, 3_000, 5_000, 7_500]
  .concat([10_000, 12_500, 15_000, 20_000, 25_000])
  .concat(MOST_SOCKETS)
const COUNTS = [1, 2, 4, 6, 10, 15, 20, 30, 45, 60, 80, 100, 150, 200, 300, 450, 600, 800]
  .concat([1_000, 1_500, 2_000])
  .concat(MOST_SHARDS)

export function reachAt(costs: Costs, changesPerSecond: number): Reach {
  const largest = largestShard(costs, changesPerSecond, 0)
  const calls = limits.connections.value
  const most = (how: Partial<Plan>) => mostShards(costs, changesPerSecond, largest.sockets, how)
  return {
    changesPerSecond,
    largest,
    filtered: largestShard(costs, changesPerSecond, MOSTLY_FILTERED),
    direct: most({}),
    limited: most({ calls }),
    tree: most({ calls, tree: { each: calls } }),
  }
}

function largestShard(costs: Costs, changesPerSecond: number, ownFilters: number): Largest {
  const at = (sockets: number): Ran =>
    run(costs, loadOf(changesPerSecond, oneRegion(sockets), ownFilters), direct(1))
  const { last, next } = lastThat((sockets) => holds(at(sockets), ROOM), SIZES)
  const [first] = at(next ?? MOST_SOCKETS + 1).pressures
  return { sockets: last, heldBy: first?.limit ?? '' }
}

function mostShards(
  costs: Costs,
  changesPerSecond: number,
  sockets: number,
  how: Partial<Plan>,
): number {
  const ran = (shards: number): Ran => {
    const load = loadOf(changesPerSecond, oneRegion(sockets * shards))
    return run(costs, load, { ...direct(shards), ...how }, SHORT_SPAN)
  }
  return lastThat((shards) => holds(ran(shards)), COUNTS).last
}

/** Of rising values, the last for which it is true, 0 if for none, and the one after it. */
function lastThat(
  test: (value: number) => boolean,
  values: readonly number[],
): { last: number; next: number | null } {
  let [low, high] = [-1, values.length]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (test(values[middle] as number)) low = middle
    else high = middle
  }
  return { last: values[low] ?? 0, next: values[high] ?? null }
}
