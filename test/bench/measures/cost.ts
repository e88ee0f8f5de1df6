import { type Bench, turn } from '../bench.ts'
import { billForAMillion, type Counted } from '../cost.ts'
import { cloudflare, neon } from '../prices.ts'
import type { Section } from '../section.ts'

/** Batches are counted at three paces; the rest follows from them (see cost.ts). */
const PACES = [10, 100, 1_000] as const
const SUBSCRIBERS = 1_000
const SHARDS = 1

export async function cost(bench: Bench): Promise<Section> {
  const contestant = bench.contestants.find(({ name }) => name === 'belfry')
  if (!contestant) throw new Error('no belfry')
  const seconds = bench.quick ? 4 : 10
  const counted = new Map<number, Counted>()
  await turn(bench, { contestant, writers: 16, clients: 1 }, async ({ metrics }) => {
    for (const perSecond of PACES) {
      await bench.subscribers('begin', undefined)
      const before = await metrics()
      const written = await bench.writers('pace', { perSecond, seconds })
      await bench.subscribers('untilHeard', { changes: written.commits, ms: 20_000 })
      const after = await metrics()
      counted.set(perSecond, {
        changes: delta(before, after, 'belfry_changes_total'),
        batches: delta(before, after, 'belfry_batches_total'),
        seconds: written.seconds,
      })
      bench.say(`cost: at ${perSecond}/s: ${JSON.stringify(counted.get(perSecond))}`)
    }
  })
  const bills = [...counted].map(([perSecond, count]) => ({
    perSecond,
    count,
    bill: billForAMillion(count, SHARDS, SUBSCRIBERS),
  }))
  return {
    name: 'cost',
    title: `A million changes to ${SUBSCRIBERS.toLocaleString('en')} subscribers, by the pace at which they come`,
    columns: ['changes a batch', 'requests', 'rows written', 'GB-s', 'Cloudflare', 'Neon'],
    rows: bills.map(({ perSecond, count, bill }) => ({
      title: `${perSecond.toLocaleString('en')} changes/s`,
      cells: [
        (count.changes / count.batches).toFixed(1),
        millions(bill.requests),
        millions(bill.rowsWritten),
        Math.round(bill.gbSeconds).toLocaleString('en'),
        `$${bill.cloudflare.toFixed(2)}`,
        `$${bill.neon.toFixed(2)}`,
      ],
    })),
    data: { bills },
    spread: null,
    targets: [],
    notes: [
      `Prices: ${cloudflare.source}; ${neon.source}; read ${cloudflare.readOn}.`,
      'Included allowances, the $5 of each plan and the container of the listener are not counted.',
    ],
  }
}

type Metrics = { [name: string]: number }

function delta(before: Metrics, after: Metrics, name: string): number {
  return (after[name] ?? Number.NaN) - (before[name] ?? Number.NaN)
}

function millions(value: number): string {
  return `${(value / 1e6).toFixed(2)} M`
}
