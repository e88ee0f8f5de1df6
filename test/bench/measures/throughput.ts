import { setTimeout as delay } from 'node:timers/promises'
import { type Bench, median, requireOrder, rotated, spread, turn } from '../bench.ts'
import type { Section } from '../section.ts'

/** Writers as fast as they can, and what arrives at every client while they write. */
const CLIENTS = [100, 1_000] as const
const WRITERS = 16
const GRACE_MS = 10_000

type Found = { perSecond: number[]; commits: number[]; missing: number[] }

export async function throughput(bench: Bench): Promise<Section> {
  const seconds = bench.quick ? 4 : 6
  const found = new Map<string, Found>()
  for (let round = 0; round < bench.rounds; round++)
    for (const clients of CLIENTS)
      for (const contestant of rotated(bench.contestants, round)) {
        const one = await turn(bench, { contestant, writers: WRITERS, clients }, async () => {
          await bench.writers('pace', { perSecond: 10, seconds: 1 })
          await delay(500)
          await bench.subscribers('begin', undefined)
          const { commits, seconds: took } = await bench.writers('flood', { seconds })
          const heard = await bench.subscribers('report', undefined)
          await bench.subscribers('untilHeard', { changes: commits, ms: GRACE_MS })
          const after = await bench.subscribers('report', undefined)
          requireOrder(after, contestant.title)
          return {
            perSecond: heard.deliveries / clients / heard.seconds,
            commits: commits / took,
            missing: 1 - after.deliveries / clients / commits,
          }
        })
        const key = `${contestant.name} ${clients}`
        const entry = found.get(key) ?? { perSecond: [], commits: [], missing: [] }
        entry.perSecond.push(one.perSecond)
        entry.commits.push(one.commits)
        entry.missing.push(one.missing)
        found.set(key, entry)
        bench.say(
          `throughput, round ${round + 1}: ${contestant.title}, ${clients} clients: ` +
            `${Math.round(one.perSecond)} changes/s of ${Math.round(one.commits)} commits/s; ` +
            `${percent(one.missing)} not there ${GRACE_MS / 1000} s later`,
        )
      }

  const at = (name: string, clients: number) => {
    const entry = found.get(`${name} ${clients}`)
    return {
      perSecond: median(entry?.perSecond ?? []),
      commits: median(entry?.commits ?? []),
      missing: median(entry?.missing ?? []),
    }
  }
  const peers = bench.contestants.filter(({ name }) => name !== 'belfry')
  const best = Math.max(...peers.map(({ name }) => at(name, 1_000).perSecond))
  return {
    name: 'throughput',
    title: `Changes a second to every client, ${WRITERS} writers unthrottled`,
    columns: CLIENTS.flatMap((clients) => [
      `${clients.toLocaleString('en')} clients`,
      'commits/s',
      `owed ${GRACE_MS / 1000} s later`,
    ]),
    rows: bench.contestants.map(({ name, title }) => ({
      title,
      cells: CLIENTS.flatMap((clients) => {
        const { perSecond, commits, missing } = at(name, clients)
        return [whole(perSecond), whole(commits), percent(missing)]
      }),
    })),
    data: Object.fromEntries(found),
    spread: median([...found.values()].map(({ perSecond }) => spread(perSecond))),
    targets: [
      {
        name: 'changes/s to 1,000 clients: × best peer',
        ratio: at('belfry', 1_000).perSecond / best,
        atLeast: 10,
      },
    ],
    chart: {
      title: 'Changes a second to each client',
      load: `1,000 clients, ${WRITERS} writers unthrottled`,
      better: 'more',
      bars: bench.contestants.map(({ name, title }) => ({
        title,
        value: at(name, 1_000).perSecond,
        ours: name === 'belfry',
      })),
    },
  }
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function percent(share: number): string {
  return share <= 0 ? 'none' : `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`
}
