import { acksOf, cloudflarePrice, unitsOf } from '../cost.ts'
import { cloudflare, neon, workers } from '../prices.ts'
import { assumed } from './assumed.ts'
import type { Costs } from './costs.ts'
import type { Load, Outcome, Plan } from './load.ts'

/** What a month costs, in US dollars: the vendor's units as the simulation counted them. */
export type MonthlyBill = { cloudflare: number; workers: number; neon: number; total: number }

const MONTH_SECONDS = 30 * 86_400
/** As LOG_MAX_CHANGES in wrangler.toml. */
const KEPT_CHANGES = 1e6

export function monthlyBill(
  costs: Costs,
  { load, plan, outcome }: { load: Load; plan: Plan; outcome: Outcome },
): MonthlyBill {
  const seconds = MONTH_SECONDS
  const changes = load.changesPerSecond * seconds
  const subscribers = load.regions.reduce((sum, region) => sum + region.subscribers, 0)
  const comes = (subscribers * assumed.comesADay * seconds) / 86_400
  const pace = {
    seconds,
    changes,
    batches: outcome.batchesPerSecond * seconds,
    shards: plan.shardsPerRegion * load.regions.length,
    relays: relaysOf(plan) * load.regions.length,
    acks: load.acks ? acksOf(changes * load.bytesPerChange) * subscribers : 0,
  }
  // Who comes opens a socket; what its shard asks of the feed, others who come share.
  const units = unitsOf(pace, outcome.callsPerSecond * seconds + comes)
  const storedGb = (KEPT_CHANGES * load.bytesPerChange) / 1e9
  const bill = {
    cloudflare: cloudflarePrice(units) + storedGb * cloudflare.perGbMonth,
    workers:
      (comes / 1e6) * workers.perMillionRequests +
      ((comes * costs.joinUs) / 1e9) * workers.perMillionCpuMs,
    neon:
      (seconds / 3600) * neon.computeUnits * neon.perComputeUnitHour +
      ((changes * load.bytesPerChange) / 1e9) * neon.perGbTransferred,
  }
  return { ...bill, total: bill.cloudflare + bill.workers + bill.neon }
}

/** In one region. */
function relaysOf({ shardsPerRegion, tree }: Plan): number {
  if (tree === 'none') return 0
  let relays = 0
  for (let called = shardsPerRegion; called > 1 || relays === 0; relays += called)
    called = Math.ceil(called / tree.each)
  return relays
}
