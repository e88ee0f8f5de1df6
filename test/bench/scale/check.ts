import type { Bench } from '../bench.ts'
import { CHANGE_BYTES } from '../cost.ts'
import { type Costs, slowed } from './costs.ts'
import type { Load, Outcome, Plan } from './load.ts'
import { simulate } from './simulation.ts'
import { Subject } from './subject.ts'

/**
 * What makes it a model and not a guess: what it says of this machine, where feed and shard share
 * one thread, beside what is measured on it. Where other programs keep the worker waiting for a
 * core, everything it does takes so much longer, for the model too.
 */
const CASES = [
  { sockets: 100, perSecond: 10 },
  { sockets: 100, perSecond: 100 },
  { sockets: 500, perSecond: 10 },
  { sockets: 500, perSecond: 100 },
  { sockets: 1_000, perSecond: 10 },
  { sockets: 1_000, perSecond: 100 },
  { sockets: 1_000, perSecond: 1_000 },
] as const

const HERE: Plan = {
  shardsPerRegion: 1,
  tree: 'none',
  calls: Number.POSITIVE_INFINITY,
  cores: 'one',
}

export type Checked = {
  sockets: number
  perSecond: number
  measured: { p50Ms: number; p99Ms: number; use: number; waited: number; perSecond: number }
  predicted: Outcome
  /** How many times as long everything took, because the worker waited for a core. */
  slower: number
}

export async function check(bench: Bench, costs: Costs): Promise<Checked[]> {
  const seconds = bench.quick ? 4 : 8
  const found: Checked[] = []
  for (const { sockets, perSecond } of CASES)
    found.push(
      await Subject.during(bench, 1, async (subject) => {
        await subject.open(sockets)
        await subject.pace({ perSecond, seconds: 1, bytes: CHANGE_BYTES })
        const measured = await subject.pace({ perSecond, seconds, bytes: CHANGE_BYTES })
        const slower = 1 + measured.waited / measured.use
        // The bench's listener stands at the feed's door.
        const here = { ...slowed(costs, slower), listenerUs: 0 }
        const span = { seed: 1, warmUpSeconds: 2, seconds: 30 }
        const predicted = simulate(here, load(sockets, perSecond), HERE, span)
        const [p50, p99] = [measured.p50Ms, measured.p99Ms].map((ms) => ms.toFixed(1))
        bench.say(
          `scale: ${sockets} sockets, ${perSecond}/s: p50 ${p50} ms, predicted ${predicted.p50Ms?.toFixed(1)} ms; p99 ${p99} / ${predicted.p99Ms?.toFixed(1)}; use ${measured.use.toFixed(2)} / ${predicted.feedUse.toFixed(2)}; ${measured.perSecond.toFixed(0)}/s`,
        )
        return { sockets, perSecond, measured, predicted, slower }
      }),
    )
  return found
}

function load(subscribers: number, changesPerSecond: number): Load {
  return {
    changesPerSecond,
    bytesPerChange: CHANGE_BYTES,
    arrivals: 'even',
    ownFilters: 0,
    acks: false,
    linkRttMs: 0,
    regions: [{ subscribers, feedRttMs: 0, subscriberMs: 0 }],
  }
}
