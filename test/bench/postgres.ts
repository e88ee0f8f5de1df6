import { chmodSync, mkdirSync, readFileSync } from 'node:fs'
import pg from 'pg'
import type { Child } from '../../dev/child.ts'
import { migrateDatabase } from '../../dev/database.ts'
import { supervisePostgres } from '../../dev/postgres.ts'

/**
 * The one server for all contestants, with the settings of the local run: PostgreSQL's own
 * defaults, durable commits included. Each turn of a contestant gets a new database, a copy of a
 * migrated one.
 */
export type Capture = 'none' | 'outbox without bell' | 'belfry' | 'pg_notify(row)'

/**
 * How long a flush of the WAL takes. Remote, it takes so much more: PostgreSQL's `commit_delay`
 * sleeps before each flush, holding WALWriteLock as a slow flush would (`XLogFlush` in xlog.c),
 * and what commits meanwhile goes along with it.
 */
export type Disk = 'here' | 'remote'
export const REMOTE_FLUSH_US = 1_000

const TEMPLATE = 'bench_template'

export class Postgres {
  readonly pid: () => number
  readonly version: string
  readonly #url: string
  #databases = 0
  #current: string | null = null

  private constructor(url: string, pid: () => number, version: string) {
    this.#url = url
    this.pid = pid
    this.version = version
  }

  /** @param onChild is given the server while it starts, so that it can be ended even then */
  static async start(
    folder: string,
    ending: AbortSignal,
    onChild: (child: Child) => void,
  ): Promise<Postgres> {
    mkdirSync(folder, { recursive: true })
    // The account that PostgreSQL runs as, when we are root, must be able to get there.
    chmodSync(folder, 0o755)
    let pid = 0
    const voice = {
      log: () => {},
      say: (text: string) => console.error(`postgres ${text}`),
      onPid: (now: number | null) => {
        pid = now ?? 0
      },
    }
    const { url, child } = await supervisePostgres(folder, ending, voice)
    onChild(child)
    await child.ready
    await query(url, `CREATE DATABASE ${TEMPLATE}`)
    await migrateDatabase(named(url, TEMPLATE))
    const [row] = await query<{ server_version: string }>(url, 'SHOW server_version')
    return new Postgres(url, () => pid, (row?.server_version ?? '').split(' ')[0] ?? '')
  }

  /** @returns the address of a new database whose orders are captured that way */
  async fresh(capture: Capture, disk: Disk = 'here'): Promise<string> {
    if (this.#current) await query(this.#url, `DROP DATABASE ${this.#current} WITH (FORCE)`)
    this.#current = `bench_${++this.#databases}`
    await query(this.#url, `CREATE DATABASE ${this.#current} TEMPLATE ${TEMPLATE}`)
    const url = named(this.#url, this.#current)
    if (capture === 'outbox without bell') await query(url, 'DROP TRIGGER "~belfry_ring" ON orders')
    else if (capture !== 'belfry') await query(url, "SELECT belfry.unwatch('orders')")
    if (capture === 'pg_notify(row)')
      await query(url, readFileSync(new URL('./peers/trigger.sql', import.meta.url), 'utf8'))
    if (disk === 'remote')
      for (const setting of [`commit_delay = ${REMOTE_FLUSH_US}`, 'commit_siblings = 0'])
        await query(url, `ALTER DATABASE ${this.#current} SET ${setting}`)
    // So that no turn pays for what the one before has written.
    await query(url, 'CHECKPOINT')
    return url
  }
}

/** Flushes of the WAL so far, by those who have ended or told of themselves: within a second. */
export async function walFlushes(url: string): Promise<number> {
  const [row] = await query<{ flushes: string }>(
    url,
    "SELECT sum(fsyncs) AS flushes FROM pg_stat_io WHERE object = 'wal'",
  )
  return Number(row?.flushes)
}

export async function query<Row extends pg.QueryResultRow>(
  url: string,
  sql: string,
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<Row>(sql)).rows
  } finally {
    await client.end()
  }
}

function named(url: string, database: string): string {
  const address = new URL(url)
  address.pathname = `/${database}`
  return address.href
}
