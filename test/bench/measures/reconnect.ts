import { setTimeout as delay } from 'node:timers/promises'
import { type Bench, median, requireOrder, rotated, spread, turn } from '../bench.ts'
import type { Section } from '../section.ts'

/**
 * The process that holds the sockets is killed while writers write, and started again at once.
 * Every client tries again about every 100 ms. Measured: until all are in again, and how many
 * changes a client never heard of.
 */
const CLIENTS = 1_000
const PER_SECOND = 20

type Found = { seconds: number[]; missing: number[] }

export async function reconnect(bench: Bench): Promise<Section> {
  const rounds = Math.min(bench.rounds, 2)
  const found = new Map<string, Found>()
  for (let round = 0; round < rounds; round++)
    for (const contestant of rotated(bench.contestants, round)) {
      const one = await turn(
        bench,
        { contestant, writers: 4, clients: CLIENTS },
        async (running) => {
          await bench.subscribers('begin', undefined)
          const seconds = bench.quick ? 6 : 10
          const writing = bench.writers('pace', { perSecond: PER_SECOND, seconds })
          await delay(2_000)
          const killed = performance.now()
          await running.restart()
          const back = await bench.subscribers('untilReady', { closes: CLIENTS, ms: 60_000 })
          const tookSeconds = (performance.now() - killed) / 1000
          const { commits } = await writing
          await bench.subscribers('untilHeard', { changes: commits, ms: 15_000 })
          const heard = await bench.subscribers('report', undefined)
          requireOrder(heard, contestant.title)
          if (!back) throw new Error(`${contestant.title}: not everyone came back`)
          return { seconds: tookSeconds, missing: commits - heard.least, commits }
        },
      )
      const entry = found.get(contestant.name) ?? { seconds: [], missing: [] }
      entry.seconds.push(one.seconds)
      entry.missing.push(one.missing)
      found.set(contestant.name, entry)
      bench.say(
        `reconnect, round ${round + 1}: ${contestant.title}: all back after ${one.seconds.toFixed(2)} s, ` +
          `${one.missing} of ${one.commits} changes never heard`,
      )
    }
  return {
    name: 'reconnect',
    title: `${CLIENTS.toLocaleString('en')} clients after a kill -9 of what holds their sockets, at ${PER_SECOND} changes/s`,
    columns: ['all back after', 'changes never heard'],
    rows: bench.contestants.map(({ name, title }) => {
      const { seconds = [], missing = [] } = found.get(name) ?? {}
      const lost = median(missing)
      return {
        title,
        cells: [`${median(seconds).toFixed(1)} s`, lost === 0 ? 'none' : String(lost)],
      }
    }),
    data: Object.fromEntries(found),
    spread: median([...found.values()].map(({ seconds }) => spread(seconds))),
    targets: [],
  }
}
