import { type Bench, median, requireOrder, rotated, spread, turn } from '../bench.ts'
import type { Section, Target } from '../section.ts'

/** From just before the INSERT to the last byte of the frame, for each change and each socket. */
const CLIENTS = [1, 100, 1_000] as const
const RATES = [10, 100] as const
const WARM_UP_SECONDS = 2
/** Enough for a commit that stalls not to hold up the next. */
const WRITERS = 4

const CROWDED_SECONDS = 10

type Found = { p50: number[]; p99: number[]; least: number[] }

export async function latency(bench: Bench): Promise<Section> {
  const found = new Map<string, Found>()
  for (let round = 0; round < bench.rounds; round++)
    for (const clients of CLIENTS)
      for (const contestant of rotated(bench.contestants, round)) {
        await turn(bench, { contestant, writers: WRITERS, clients }, async () => {
          await bench.writers('pace', { perSecond: 10, seconds: WARM_UP_SECONDS })
          for (const perSecond of RATES) {
            const seconds = secondsOf(bench, clients, perSecond)
            await bench.subscribers('begin', undefined)
            const { commits } = await bench.writers('pace', { perSecond, seconds })
            await bench.subscribers('untilHeard', { changes: commits, ms: 20_000 })
            const heard = await bench.subscribers('report', undefined)
            requireOrder(heard, contestant.title)
            const key = `${contestant.name} ${clients} ${perSecond}`
            const entry = found.get(key) ?? { p50: [], p99: [], least: [] }
            entry.p50.push(heard.p50Ms ?? Number.NaN)
            entry.p99.push(heard.p99Ms ?? Number.NaN)
            entry.least.push(heard.least / commits)
            found.set(key, entry)
            bench.say(
              `latency, round ${round + 1}: ${contestant.title}, ${clients} clients, ${perSecond}/s: ` +
                `p50 ${ms(heard.p50Ms)}, p99 ${ms(heard.p99Ms)}${heard.least < commits ? `, only ${heard.least} of ${commits} heard` : ''}`,
            )
          }
        })
      }

  const at = (name: string, clients: number, rate: number) => {
    const entry = found.get(`${name} ${clients} ${rate}`)
    return { p50: median(entry?.p50 ?? []), p99: median(entry?.p99 ?? []) }
  }
  const peers = bench.contestants.filter(({ name }) => name !== 'belfry')
  const ratio = (clients: number, rate: number) =>
    at('belfry', clients, rate).p50 /
    Math.min(...peers.map(({ name }) => at(name, clients, rate).p50))
  const pairs = CLIENTS.flatMap((clients) => RATES.map((rate) => [clients, rate] as const))
  const target = (clients: number, rate: number, atMost: number): Target => ({
    name: `p50, ${clients.toLocaleString('en')} client${clients > 1 ? 's' : ''}, ${rate} changes/s: × best peer`,
    ratio: ratio(clients, rate),
    atMost,
  })
  return {
    name: 'latency',
    title: 'Write → client, p50 / p99 in milliseconds, by clients and changes a second',
    columns: pairs.map(([clients, rate]) => `${clients.toLocaleString('en')} × ${rate}/s`),
    rows: bench.contestants.map(({ name, title }) => ({
      title,
      cells: pairs.map(([clients, rate]) => {
        const { p50, p99 } = at(name, clients, rate)
        return `${short(p50)} / ${short(p99)}`
      }),
    })),
    data: Object.fromEntries(found),
    spread: median([...found.values()].map(({ p50 }) => spread(p50))),
    notes: [
      `1,000 × 100/s is written for ${secondsOf(bench, 1_000, 100)} s: where changes queue up, the median grows with that.`,
    ],
    targets: [
      target(1_000, 100, 1 / 20),
      target(1_000, 10, 1),
      target(1, 10, 1.5),
      target(1, 100, 1.5),
    ],
    chart: {
      title: 'Write → client, median ms',
      load: '1,000 clients, 100 changes/s',
      better: 'less',
      bars: bench.contestants.map(({ name, title }) => ({
        title,
        value: at(name, 1_000, 100).p50,
        ours: name === 'belfry',
      })),
    },
  }
}

/** The crowded case is given longer: where a queue grows, the median tells of how long it grew. */
function secondsOf({ quick }: Bench, clients: number, perSecond: number): number {
  if (quick) return 3
  return clients * perSecond >= 100_000 ? CROWDED_SECONDS : 5
}

function ms(value: number | null): string {
  return value === null ? '—' : `${short(value)} ms`
}

function short(value: number): string {
  if (Number.isNaN(value)) return '—'
  return value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en')
}
