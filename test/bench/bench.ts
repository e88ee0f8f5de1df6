import type { Contestant, Running } from './contestants.ts'
import { type Caller, caller } from './load/calls.ts'
import type { Heard, SubscriberMethods } from './load/subscribers.ts'
import type { WriterMethods } from './load/writers.ts'
import type { Capture, Disk, Postgres } from './postgres.ts'
import type { Stage } from './stage.ts'

/** What every measure is given. */
export type Bench = {
  stage: Stage
  postgres: Postgres
  contestants: Contestant[]
  /** The worker's file, for whoever starts one by itself. */
  bundle: string
  writers: Caller<WriterMethods>
  subscribers: Caller<SubscriberMethods>
  /** Short turns, one round: the shape, not the numbers. */
  quick: boolean
  /** Millions of notifications that `inbox` loads; null: as many as it likes. */
  stored: number | null
  rounds: number
  say(line: string): void
}

/** One contestant, or a bare way of capture, on a new database, for as long as `work` runs. */
export async function turn<Result, Prepared = void>(
  bench: Bench,
  { contestant, writers, clients, disk, prepare }: Turn<Prepared>,
  work: (running: Running, databaseUrl: string, prepared: Prepared) => Promise<Result>,
): Promise<Result> {
  const url = await bench.postgres.fresh(contestant.capture, disk)
  const prepared = (await prepare?.(url)) as Prepared
  const running = await contestant.start(url)
  try {
    if (writers > 0) await bench.writers('connect', { url, count: writers })
    if (clients > 0) {
      const { dialect } = contestant
      await bench.subscribers('open', { dialect, port: running.port, count: clients })
    }
    return await work(running, url, prepared)
  } finally {
    await bench.subscribers('close', undefined)
    await bench.writers('connect', { url, count: 0 })
    await running.stop()
  }
}

type Turn<Prepared> = {
  contestant: Contestant
  writers: number
  clients: number
  disk?: Disk
  /** Fills the database before anybody watches it. */
  prepare?: (databaseUrl: string) => Promise<Prepared>
}

/** Writers alone, with nobody to hear them. */
export async function bareTurn<Result>(
  bench: Bench,
  { capture, disk }: { capture: Capture; disk?: Disk },
  work: (databaseUrl: string) => Promise<Result>,
): Promise<Result> {
  const url = await bench.postgres.fresh(capture, disk)
  try {
    return await work(url)
  } finally {
    await bench.writers('connect', { url, count: 0 })
  }
}

export function startLoad(stage: Stage): Pick<Bench, 'writers' | 'subscribers'> {
  const start = (name: string) =>
    stage.fork(name, new URL(`./load/${name}.ts`, import.meta.url).pathname)
  return {
    writers: caller<WriterMethods>(start('writers').life),
    subscribers: caller<SubscriberMethods>(start('subscribers').life),
  }
}

/** Nobody can be fast by being wrong. @throws if what was heard breaks a promise */
export function requireOrder(heard: Heard, who: string): void {
  if (heard.violations.length > 0) throw new Error(`${who}: ${heard.violations.join('; ')}`)
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

/** How far the rounds lie apart, as a share of their median. */
export function spread(numbers: readonly number[]): number {
  return (Math.max(...numbers) - Math.min(...numbers)) / median(numbers)
}

/** Each round in another order, so that no contestant always follows the same one. */
export function rotated<T>(items: readonly T[], round: number): T[] {
  const shift = round % Math.max(1, items.length)
  return [...items.slice(shift), ...items.slice(0, shift)]
}
