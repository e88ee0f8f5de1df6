import { type Bench, turn } from '../bench.ts'
import { residentMb } from '../resident-memory.ts'
import type { Section } from '../section.ts'
import type { Part } from '../stage.ts'

/** Resident memory of each process: started, with 1,000 sockets, and at most under load. */
const CLIENTS = 1_000
const WRITERS = 16
const SAMPLE_MS = 200

type Found = { title: string; started: number; connected: number; most: number }

export async function memory(bench: Bench): Promise<Section> {
  const seconds = bench.quick ? 4 : 8
  const found: Found[] = []
  for (const contestant of bench.contestants)
    await turn(bench, { contestant, writers: WRITERS, clients: 0 }, async (running) => {
      const parts = running.parts()
      const started = measureAll(parts)
      const { dialect } = contestant
      await bench.subscribers('open', { dialect, port: running.port, count: CLIENTS })
      await bench.subscribers('begin', undefined)
      const connected = measureAll(parts)
      const most = measureAll(parts)
      const sampling = setInterval(() => {
        for (const [index, now] of measureAll(parts).entries())
          most[index] = Math.max(most[index] ?? 0, now)
      }, SAMPLE_MS)
      await bench.writers('flood', { seconds })
      await bench.subscribers('begin', undefined)
      clearInterval(sampling)
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

function measureAll(parts: readonly Part[]): number[] {
  return parts.map(({ pid }) => residentMb(pid) ?? Number.NaN)
}
