import { setTimeout as delay } from 'node:timers/promises'
import { closeCodes } from '../../../protocol/close-codes.ts'
import { type Bench, requireOrder, turn } from '../bench.ts'
import { watchMemory } from '../resident-memory.ts'
import type { Section } from '../section.ts'

/**
 * 1,000 clients that cannot inflate, of whom 100 stop reading while writers write as fast as they
 * can: deflated, it would hardly fill a window. What waits for
 * them waits in workerd's memory, up to their windows (P39); everyone else must hear everything;
 * the 100 are closed with 4408, and have everything once they read again (P38).
 */
const CLIENTS = 1_000
const STALLED = 100
const WRITERS = 16
/** One who acknowledges nothing is closed after 30 s; the rest is for a machine that is busy. */
const PATIENCE_MS = 34_000
const LATE_MS = 60_000

export async function stalled(bench: Bench): Promise<Section[]> {
  const belfry = bench.contestants.find(({ name }) => name === 'belfry')
  if (!belfry) return []
  const contestant = { ...belfry, dialect: 'belfry, as text' } as const
  const seconds = bench.quick ? 4 : 8
  const found = await turn(
    bench,
    { contestant, writers: WRITERS, clients: CLIENTS },
    async (running) => {
      const workerd = running.parts().slice(0, 1)
      await bench.subscribers('begin', undefined)
      const memory = watchMemory(workerd)
      const [before] = memory.now
      await bench.subscribers('pause', { count: STALLED })
      const flooded = performance.now()
      const { commits } = await bench.writers('flood', { seconds })
      const others = await bench.subscribers('untilHeard', { changes: commits, ms: LATE_MS })
      await delay(Math.max(0, flooded + seconds * 1_000 + PATIENCE_MS - performance.now()))
      const [most] = memory.stop()
      await bench.subscribers('resume', undefined)
      const all = await bench.subscribers('untilHeard', { changes: commits, ms: LATE_MS })
      const heard = await bench.subscribers('report', undefined)
      requireOrder(heard, contestant.title)
      const closed = heard.closedWith[closeCodes.too_slow.code] ?? 0
      if (others.late > 0) throw new Error(`${others.late} of those who read have not heard all`)
      if (closed !== STALLED || heard.closes !== STALLED)
        throw new Error(`closed ${heard.closes}, of them ${closed} with 4408, and not ${STALLED}`)
      if (all.late > 0) throw new Error(`${all.late} have not all after they read again`)
      return { commits, before, most, closed }
    },
  )
  const { commits, before = Number.NaN, most = Number.NaN, closed } = found
  bench.say(`stalled: workerd ${Math.round(before)} MB before, ${Math.round(most)} MB at most`)
  return [
    {
      name: 'stalled',
      title: `${CLIENTS.toLocaleString('en')} clients, of whom ${STALLED} read nothing for ${seconds} s of flood and ${PATIENCE_MS / 1000} s after`,
      columns: ['Belfry'],
      rows: [
        { title: 'changes', cells: [commits.toLocaleString('en')] },
        { title: 'workerd before, in MB', cells: [before.toFixed(0)] },
        { title: 'workerd at most, in MB', cells: [most.toFixed(0)] },
        { title: `heard by the other ${CLIENTS - STALLED}`, cells: ['all'] },
        { title: 'closed with 4408', cells: [String(closed)] },
        { title: 'heard by them, once they read again', cells: ['all'] },
      ],
      data: found,
      spread: null,
      targets: [],
    },
  ]
}
