import { Random } from '../../simulation/random.ts'
import { limits } from '../prices.ts'
import { assumed } from './assumed.ts'
import { type Costs, costOf } from './costs.ts'
import { Clock, Core } from './engine.ts'

/**
 * All subscribers come back at once, as after a deploy, which drops every socket. Each has missed
 * something, and its shard reads the page for it; who asks for a page that is being read shares it
 * (worker/shard/reads.ts). So the feed is asked by shards, not by subscribers. Nothing fails here:
 * what waits, waits its turn.
 */
export type Returned = {
  /** Until the last is in; and if each subscriber were a read of its own. */
  seconds: number
  unsharedSeconds: number
  requestsToFeed: number
}

/** So many events at most; beyond, one stands for several subscribers. */
const MOST_EVENTS = 50_000

export function simulateReturn(costs: Costs, subscribers: number, shards: number): Returned {
  const shared = bringBack(costs, subscribers, shards, assumed.positions)
  const unshared = bringBack(costs, subscribers, shards, Number.POSITIVE_INFINITY)
  return { ...shared, unsharedSeconds: unshared.seconds }
}

/** @param positions at one of which each of them stands */
function bringBack(costs: Costs, subscribers: number, shards: number, positions: number) {
  const clock = new Clock()
  const random = new Random(1)
  const feed = new Core(clock)
  const cores = Array.from({ length: shards }, () => new Core(clock))
  const group = Math.ceil(subscribers / MOST_EVENTS)
  const wayUs = (assumed.regions[1].feedRttMs * 1000) / 2
  const askUs = Math.max(costOf(costs.call, 0), 1e6 / limits.requestsPerSecond.value)
  const halfUs = Math.max(0, costs.resumeUs - costOf(costs.call, 0)) / 2
  const underWay = new Map<string, (() => void)[]>()
  let requestsToFeed = 0
  let last = 0

  const read = (key: string, reads: number, done: () => void) => {
    const waiting = underWay.get(key)
    if (waiting) return void waiting.push(done)
    const all = [done]
    underWay.set(key, all)
    requestsToFeed += reads
    clock.after(wayUs, () =>
      feed.work(reads * askUs, () =>
        clock.after(wayUs, () => {
          underWay.delete(key)
          for (const each of all) each()
        }),
      ),
    )
  }
  for (let come = 0; come < subscribers; come += group) {
    const count = Math.min(group, subscribers - come)
    const shard = random.below(shards)
    const core = cores[shard] as Core
    const isShared = Number.isFinite(positions)
    const key = isShared ? `${shard} ${random.below(positions)}` : `${come}`
    clock.after(random.next() * assumed.returnWithinMs * 1000, () =>
      core.work(count * halfUs, () =>
        read(key, isShared ? 1 : count, () =>
          core.work(count * halfUs, () => {
            last = clock.now
          }),
        ),
      ),
    )
  }
  clock.run(Number.MAX_SAFE_INTEGER)
  return { seconds: last / 1e6, requestsToFeed }
}
