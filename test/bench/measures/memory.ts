import { type Bench, turn } from '../bench.ts'
import { residentMb, watchMemory } from '../resident-memory.ts'
import type { Section } from '../section.ts'
import { stalled } from './stalled.ts'

/** Resident memory of each process: started, with 1,000 sockets, and at most under load. */
const CLIENTS = 1_000
const WRITERS = 16

type Found = { title: string; started: number; connected: number; most: number }

export async function memory(bench: Bench): Promise<Section[]> {
  return [await resident(bench), ...(await stalled(bench))]
}

async function resident(bench: Bench): Promise<Section> {
  const seconds = bench.quick ? 4 : 8
  const found: Found[] = []
  for (const contestant of bench.contestants)
    await turn(bench, { contestant, writers: WRITERS, clients: 0 }, async (running) => {
      const parts = running.parts()
      const started = parts.map(({ pid }) => residentMb(pid) ?? Number.NaN)
      const { dialect } = contestant
      await bench.subscribers('open', { dialect, port: running.port, count: CLIENTS })
      await bench.subscribers('begin', undefined)
      const memory = watchMemory(parts)
      const connected = memory.now
      await bench.writers('flood', { seconds })
      await bench.subscribers('begin', undefined)
      const most = memory.stop()
      for (const [index, part] of parts.entries())
        found.push({
          title: `${contestant.title}: ${part.name}`,
          started: started[index] ?? Number.NaN,
          connected: connected[index] ?? Number.NaN,
          most: most[index] ?? Number.NaN,
        })
      bench.say(`memory: ${contestant.title}: at most ${most.map(Math.round).join(' + ')} MB`)
    })
  return {
    name: 'memory',
    title: 'Resident memory in MB',
    columns: [
      'started',
      `${CLIENTS.toLocaleString('en')} sockets`,
      `after ${seconds} s of flood, at most`,
    ],
    rows: found.map(({ title, started, connected, most }) => ({
      title,
      cells: [started, connected, most].map((mb) => (Number.isNaN(mb) ? '—' : mb.toFixed(0))),
    })),
    data: { found },
    spread: null,
    targets: [],
  }
}
