import { setTimeout as delay } from 'node:timers/promises'
import type { Fault, Scene } from './faults.ts'
import { feedHead } from './feed-log.ts'

const ACK_DEADLINE_MS = 6_000

/** Connections that are cut, slow, or silent without an end. */
export const wireFaults: readonly Fault[] = [
  wire('link cut', async ({ system }) => {
    system.wires.link.cut()
    return 'with a reset'
  }),
  wire('link delayed', async ({ system, chance }) => {
    const [ms, forMs] = [chance.whole(30, 400), chance.whole(1_000, 3_000)]
    system.wires.link.delay(ms)
    await delay(forMs)
    system.wires.link.delay(0)
    return `by ${ms} ms, for ${forMs} ms`
  }),
  wire('acknowledgement lost', async ({ system }) => {
    // Only a link that is at work has an acknowledgement to lose.
    const before = await headBeyond(system, await headBeyond(system, null))
    system.wires.link.silence('from target')
    const after = await headBeyond(system, before)
    await delay(100)
    system.wires.link.cut()
    return `${after - before} changes were appended and not acknowledged`
  }),
  {
    name: 'link silent',
    when: 'late',
    strike: async ({ system }) => {
      system.wires.link.silence('both ways')
      return 'the listener finds out by itself'
    },
  },
  wire('database connection cut', async ({ system }) => {
    system.wires.database.cut()
    return 'with a reset'
  }),
  {
    name: 'database connection silent',
    when: 'late',
    strike: async ({ system }) => {
      system.wires.database.silence('both ways')
      return 'the listeners find out by themselves'
    },
  },
  wire('LISTEN ended', async ({ sql }) => {
    const { rowCount } = await sql.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'belfry listener'",
    )
    return `${rowCount} sessions`
  }),
  wire('readers cut', async ({ system }) => {
    system.wires.street.cut()
    return 'with a reset'
  }),
  wire('readers silent', async ({ system, chance }) => {
    const ms = chance.whole(500, 3_000)
    system.wires.street.silence('both ways')
    await delay(ms)
    system.wires.street.cut()
    return `for ${ms} ms`
  }),
  {
    name: 'readers silent for good',
    when: 'late',
    isLong: true,
    strike: async ({ system }) => {
      system.wires.street.silence('both ways')
      return 'they find out by themselves'
    },
  },
]

function wire(name: string, strike: (scene: Scene) => Promise<string>): Fault {
  return { name, when: 'any time', strike }
}

/** @throws when the feed does not grow: something else has the way cut off */
async function headBeyond(system: Scene['system'], before: number | null): Promise<number> {
  const deadline = Date.now() + ACK_DEADLINE_MS
  for (;;) {
    const head = await feedHead(system)
    if (head !== null && (before === null || head > before)) return head
    if (Date.now() > deadline) throw new Error('the feed did not grow')
    await delay(10)
  }
}
