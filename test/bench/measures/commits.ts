import { type Bench, bareTurn, median, rotated, spread, turn } from '../bench.ts'
import type { Capture } from '../postgres.ts'
import type { Section } from '../section.ts'

/** What being watched costs the writers: single-row inserts, each its own transaction. */
const WRITERS = [1, 16, 64] as const

export async function commits(bench: Bench): Promise<Section> {
  const seconds = bench.quick ? 2 : 4
  const found = new Map<string, number[]>()
  for (let round = 0; round < bench.rounds; round++)
    for (const way of rotated(waysOf(bench), round)) {
      const perSecond = await measure(bench, way, seconds)
      for (const [index, rate] of perSecond.entries())
        push(found, `${way.title} ${WRITERS[index]}`, rate)
      bench.say(
        `commits/s, round ${round + 1}: ${way.title} ${perSecond.map(Math.round).join(' / ')}`,
      )
    }

  const rate = (title: string, writers: number) => median(found.get(`${title} ${writers}`) ?? [0])
  const ways = waysOf(bench)
  const [ours, peer] = [rate(OURS, 64), rate(PEER, 64)]
  return {
    name: 'commits',
    title: 'Commits a second, by number of writers',
    columns: WRITERS.map((writers) => `${writers} writer${writers > 1 ? 's' : ''}`),
    rows: ways.map(({ title }) => ({
      title,
      cells: WRITERS.map((writers) => Math.round(rate(title, writers)).toLocaleString('en')),
    })),
    data: Object.fromEntries(found),
    spread: median([...found.values()].map(spread)),
    targets: [
      { name: `commits/s, 64 writers: × ${PEER}`, ratio: ours / peer, atLeast: 5 },
      {
        name: 'commits/s, 64 writers: × outbox without a bell',
        ratio: ours / rate(OUTBOX, 64),
        atLeast: 0.9,
      },
    ],
    chart: {
      title: 'Commits a second, 64 writers',
      better: 'more',
      bars: ways.map(({ title }) => ({ title, value: rate(title, 64), ours: title === OURS })),
    },
  }
}

type Way = { title: string; capture?: Capture }

const [NONE, OUTBOX, OURS, PEER] = [
  'no trigger',
  'outbox, no bell, no listener',
  'Belfry, listening',
  'pg_notify(row), listening',
]

function waysOf(_bench: Bench): Way[] {
  return [
    { title: NONE, capture: 'none' },
    { title: OUTBOX, capture: 'outbox without bell' },
    { title: PEER },
    { title: OURS },
  ]
}

async function measure(bench: Bench, { title, capture }: Way, seconds: number): Promise<number[]> {
  if (capture) return bareTurn(bench, capture, (url) => flood(bench, url, seconds))
  const name = title === OURS ? 'belfry' : 'ws'
  const contestant = bench.contestants.find((each) => each.name === name)
  if (!contestant) throw new Error(`no ${name}`)
  return turn(bench, { contestant, writers: 0, clients: 0 }, (_, url) => flood(bench, url, seconds))
}

async function flood(bench: Bench, url: string, seconds: number): Promise<number[]> {
  const rates: number[] = []
  for (const count of WRITERS) {
    await bench.writers('connect', { url, count })
    const { commits, seconds: took } = await bench.writers('flood', { seconds })
    rates.push(commits / took)
  }
  return rates
}

function push(map: Map<string, number[]>, key: string, value: number): void {
  map.set(key, [...(map.get(key) ?? []), value])
}
