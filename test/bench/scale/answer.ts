import { limits } from '../prices.ts'
import { allRegions, direct, loadOf } from './assumed.ts'
import { type MonthlyBill, monthlyBill } from './bill.ts'
import type { Costs } from './costs.ts'
import { holds, type Ran, run } from './pressures.ts'

/** How it is laid out for so many subscribers at such a pace, and what comes of it. */
export type Answer = {
  subscribers: number
  changesPerSecond: number
  shardsPerRegion: number
  shards: number
  gigabitsPerSecond: number
  /** The feed calls every shard; the same with the vendor's limit on calls; through a tree. */
  direct: Ran
  limited: Ran
  tree: Ran
  needs: 'as built' | 'a tree'
  /** For what is needed. */
  bill: MonthlyBill
}

/** @param largest sockets of a shard, in the region that has most subscribers */
export function answer(
  costs: Costs,
  subscribers: number,
  changesPerSecond: number,
  largest: number,
): Answer {
  const regions = allRegions(subscribers)
  const most = Math.max(...regions.map((region) => region.subscribers))
  const shardsPerRegion = Math.ceil(most / largest)
  const load = loadOf(changesPerSecond, regions)
  const plan = direct(shardsPerRegion)
  const calls = limits.connections.value
  const asBuilt = run(costs, load, plan)
  const tree = run(costs, load, { ...plan, calls, tree: { each: calls } })
  const needs = holds(asBuilt) ? 'as built' : 'a tree'
  return {
    subscribers,
    changesPerSecond,
    shardsPerRegion,
    shards: shardsPerRegion * regions.length,
    gigabitsPerSecond: (subscribers * changesPerSecond * load.bytesPerChange * 8) / 1e9,
    direct: asBuilt,
    limited: run(costs, load, { ...plan, calls }),
    tree,
    needs,
    bill: monthlyBill(costs, needs === 'as built' ? asBuilt : tree),
  }
}
