import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { Chance } from './chance.ts'
import { Reader } from './readers.ts'
import type { System } from './system.ts'

/**
 * Aims single commits at the instant at which the listener falls asleep (P12).
 *
 * A round gets it up with a crowd of rings. Then transactions of different age write while it is
 * awake, so that they ring nobody, and stay open; others begin and end all the time, and a trickle
 * of single commits goes on, until the bell flips to "asleep"; just after that all that is open
 * commits, in any order. If one of them is missed, nothing else is written that could wake the listener, so it lies there until the
 * sweep comes by, up to five seconds later: that is a lost wake-up, although nothing is lost.
 */
export type BellRace = { rounds: number; commits: number; slowestMs: number; lateBySweep: number }

/** A ring takes milliseconds, a sweep up to 5 s. */
const LATE_MS = 1_500
const DEADLINE_MS = 20_000
const CONNECTIONS = 8
const CROWD = 70
const OPEN = 3
/** Below the 100 changes a second under which the listener lies down. */
const TRICKLE_MS = 25

export async function raceTheBell(
  system: System,
  chance: Chance,
  rounds: number,
): Promise<BellRace> {
  const ears = new Ears(system, chance)
  const sessions = await Promise.all(Array.from({ length: CONNECTIONS }, () => session(system)))
  const race: BellRace = { rounds: 0, commits: 0, slowestMs: 0, lateBySweep: 0 }
  try {
    await ears.ready()
    for (; race.rounds < rounds; race.rounds++) await round(system, ears, sessions, chance, race)
  } catch (error) {
    system.violations.add('P12', `race ${race.rounds + 1}: ${(error as Error).message}`)
  } finally {
    await ears.stop()
    await Promise.all(sessions.map((sql) => sql.end()))
  }
  return race
}

async function round(
  system: System,
  ears: Ears,
  sessions: readonly pg.Client[],
  chance: Chance,
  race: BellRace,
): Promise<void> {
  const [watch, single, ...others] = sessions as [pg.Client, pg.Client, ...pg.Client[]]
  await untilBell(watch, 'asleep')
  while ((await bell(watch)) === 'asleep')
    await Promise.all(others.map((sql) => ringOften(sql, CROWD / others.length)))

  const open = others.slice(0, OPEN)
  const ids: string[] = []
  for (const sql of open) {
    await sql.query('BEGIN')
    ids.push(await ring(sql))
  }
  const swept = await sweepsThatFound(system)
  const trickle = new AbortController()
  const flip = new AbortController()
  const trickling = [
    commitInto(single, trickle.signal, () => TRICKLE_MS),
    ...others.slice(OPEN).map((sql) => holdInto(sql, flip.signal, () => chance.whole(20, 120))),
  ]
  await untilBell(watch, 'asleep')
  // What begins from here on rings, and would wake the listener for what was silent.
  flip.abort()
  await Promise.all([
    delay(chance.whole(0, 30)).then(() => trickle.abort()),
    ...open.map(async (sql) => {
      await delay(chance.whole(0, 150))
      await sql.query('COMMIT')
    }),
  ])
  ids.push(...(await Promise.all(trickling)).flat())
  const committedAt = Date.now()
  await ears.heard(ids)

  const slowestMs = Date.now() - committedAt
  race.commits += ids.length
  race.slowestMs = Math.max(race.slowestMs, slowestMs)
  if (slowestMs <= LATE_MS || (await sweepsThatFound(system)) === swept) return
  race.lateBySweep++
  system.violations.add(
    'P12',
    `a commit at the instant of falling asleep was heard after ${slowestMs} ms, by a sweep (race ${race.rounds + 1})`,
  )
}

/** A subscriber that can be asked whether it has heard of a row. */
class Ears {
  readonly #reader: Reader
  readonly #heard = new Set<string>()
  #look = () => {}

  constructor(system: System, chance: Chance) {
    const query = { table: 'bells' }
    const plan = { name: 'ears', door: 'socket', query, from: 'now', wants: () => true } as const
    this.#reader = new Reader(plan, system.workerUrl, chance, system.violations, ({ key }) => {
      this.#heard.add(String(key?.id))
      this.#look()
    })
    this.#reader.start()
  }

  async ready(): Promise<void> {
    await withDeadline('the ears to hear hello', async () => {
      while (this.#reader.shown.position === null) await delay(20)
    })
  }

  heard(ids: readonly string[]): Promise<void> {
    const missing = () => ids.filter((id) => !this.#heard.has(id))
    return withDeadline(
      `${ids.length} commits to be heard`,
      () =>
        new Promise((resolve) => {
          this.#look = () => {
            if (missing().length === 0) resolve()
          }
          this.#look()
        }),
    )
  }

  stop(): Promise<void> {
    return this.#reader.stop()
  }
}

async function bell(sql: pg.Client): Promise<'awake' | 'asleep'> {
  const { rows } = await sql.query<{ asleep: boolean }>(
    'SELECT last_value = 2 AS asleep FROM belfry.bell',
  )
  return rows[0]?.asleep ? 'asleep' : 'awake'
}

/** Without a pause: the instant is what is wanted. */
function untilBell(sql: pg.Client, wanted: 'asleep'): Promise<void> {
  return withDeadline(`the listener to be ${wanted}`, async (over) => {
    while (!over.aborted && (await bell(sql)) !== wanted);
  })
}

async function ring(sql: pg.Client): Promise<string> {
  const { rows } = await sql.query<{ id: string }>(
    "INSERT INTO bells (who) VALUES ('race') RETURNING id",
  )
  return rows[0]?.id ?? ''
}

async function ringOften(sql: pg.Client, times: number): Promise<void> {
  for (let n = 0; n < times; n++) await ring(sql)
}

async function commitInto(
  sql: pg.Client,
  over: AbortSignal,
  pauseMs: () => number,
): Promise<string[]> {
  const ids: string[] = []
  while (!over.aborted) {
    ids.push(await ring(sql))
    await delay(pauseMs())
  }
  return ids
}

/** The last of them is begun before the flip and ends after it. */
async function holdInto(
  sql: pg.Client,
  over: AbortSignal,
  heldMs: () => number,
): Promise<string[]> {
  const ids: string[] = []
  while (!over.aborted) {
    await sql.query('BEGIN')
    ids.push(await ring(sql))
    await delay(heldMs())
    await sql.query('COMMIT')
  }
  return ids
}

async function sweepsThatFound(system: System): Promise<number> {
  let found = 0
  for (const listener of system.listeners) {
    await listener.readCounters()
    found += listener.counted('belfry_sweep_found_total')
  }
  return found
}

async function session(system: System): Promise<pg.Client> {
  const sql = new pg.Client({ connectionString: system.databaseUrl, query_timeout: DEADLINE_MS })
  sql.on('error', () => undefined)
  await sql.connect()
  return sql
}

async function withDeadline(
  what: string,
  wait: (over: AbortSignal) => Promise<void>,
): Promise<void> {
  const over = new AbortController()
  const deadline = delay(DEADLINE_MS, undefined, { signal: over.signal }).then(
    () => {
      throw new Error(`waited ${DEADLINE_MS / 1000} s for ${what}`)
    },
    () => undefined,
  )
  try {
    await Promise.race([wait(over.signal), deadline])
  } finally {
    over.abort()
  }
}
