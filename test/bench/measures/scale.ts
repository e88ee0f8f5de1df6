import { type Bench, turn } from '../bench.ts'
import { answer } from '../scale/answer.ts'
import { direct, loadOf, oneRegion, there } from '../scale/assumed.ts'
import { check } from '../scale/check.ts'
import { measureCosts } from '../scale/measure.ts'
import { heapOf, run } from '../scale/pressures.ts'
import { reachAt } from '../scale/reach.ts'
import { simulateReturn } from '../scale/return.ts'
import * as tables from '../scale/tables.ts'
import type { Section } from '../section.ts'

/**
 * How many shards, which limit first, and what it costs, far beyond this machine: what the
 * product takes is measured here, and the model that is held against this machine is then asked
 * about the vendor's.
 */
const RATES = [1, 10, 100, 1_000] as const
const SHARDS = [1_000, 2_500, 5_000, 10_000, 20_000, 29_000] as const
const ASKED = [
  { subscribers: 10_000, rates: [1, 10, 100, 1_000] },
  { subscribers: 1_000_000, rates: [1, 10, 100] },
  { subscribers: 10_000_000, rates: [1, 10, 100] },
] as const

export async function scale(bench: Bench): Promise<Section[]> {
  const costs = await measureCosts(bench, (aloneMs) => measureListener(bench, aloneMs))
  const checked = await check(bench, costs)

  bench.say('scale: the vendor’s machines, simulated: one shard, and how many')
  const far = there(costs)
  const shards = SHARDS.map((sockets) => ({
    sockets,
    heapBytes: heapOf(far, sockets),
    runs: RATES.map((rate) => run(far, loadOf(rate, oneRegion(sockets)), direct(1))),
  }))
  const reaches = RATES.map((rate) => reachAt(far, rate))
  bench.say('scale: the vendor’s machines, simulated: the answers')
  const answers = ASKED.flatMap(({ subscribers, rates }) =>
    rates.map((rate) => {
      const reach = reaches.find(({ changesPerSecond }) => changesPerSecond === rate)
      return answer(far, subscribers, rate, reach?.largest.sockets ?? 1)
    }),
  )
  const returns = ASKED.map(({ subscribers }) => {
    const shards = answers.find((each) => each.subscribers === subscribers)?.shards ?? 1
    return { subscribers, shards, returned: simulateReturn(far, subscribers, shards) }
  })
  return [
    tables.costsTable(costs),
    tables.checkTable(checked),
    tables.shardTable(RATES, shards),
    tables.reachTable(reaches),
    tables.answerTable(answers),
    tables.returnTable(returns),
  ]
}

/**
 * @param aloneMs from the link to the one socket, with a listener that makes its changes up
 * @returns what the way before the link takes besides, in microseconds
 */
async function measureListener(bench: Bench, aloneMs: number): Promise<number> {
  const contestant = bench.contestants.find(({ name }) => name === 'belfry')
  if (!contestant) throw new Error('no belfry')
  return turn(bench, { contestant, writers: 1, clients: 1 }, async () => {
    await bench.writers('pace', { perSecond: 10, seconds: 2 })
    await bench.subscribers('begin', undefined)
    const { commits } = await bench.writers('pace', { perSecond: 10, seconds: 4 })
    await bench.subscribers('untilHeard', { changes: commits, ms: 20_000 })
    const { p50Ms } = await bench.subscribers('report', undefined)
    return Math.max(0, (p50Ms ?? Number.NaN) - aloneMs) * 1000
  })
}
