import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, vi } from 'vitest'
import { Database } from '../../listener/database.ts'
import type { CapturedChange } from '../../protocol/change.ts'
import { connect, createDatabase, type TestDatabase } from './database.ts'
import { takeChanges } from './outbox.ts'
import type { PostgresServer } from './postgres-server.ts'

/** What the tests of capture share: a database for the file, and an empty outbox for each test. */
export class WatchedDatabase {
  #database: TestDatabase | null = null
  #sql: pg.Client | null = null
  /** Sees what all sessions do; an ordinary role sees that of its own. */
  #observer: pg.Client | null = null
  #reader: Database | null = null

  /** Call it in a `describe`. */
  static on(server: PostgresServer): WatchedDatabase {
    const watched = new WatchedDatabase()
    beforeAll(async () => {
      watched.#database = await createDatabase(server)
      watched.#sql = await connect(watched.#database.url)
      watched.#observer = await connect(watched.#database.adminUrl)
      watched.#reader = await Database.connect(watched.#database.listenerUrl)
    })
    beforeEach(async () => {
      await watched.reader.setAwake()
      await watched.changes()
    })
    afterAll(async () => {
      await watched.#sql?.end()
      await watched.#observer?.end()
      await watched.#reader?.close()
    })
    return watched
  }

  get address(): TestDatabase {
    return there(this.#database)
  }

  /** The listener's own connection. */
  get reader(): Database {
    return there(this.#reader)
  }

  /** Runs as the owner: one statement with values, or several without. */
  async run<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]> {
    return (await there(this.#sql).query<Row>(text, values)).rows
  }

  /** Waits until a session of this database waits for a lock. */
  untilBlocked(): Promise<void> {
    return vi.waitFor(
      async () => {
        const { rowCount } = await there(this.#observer).query(
          "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
        if (rowCount === 0) throw new Error('no session waits for a lock')
      },
      { timeout: 10_000, interval: 10 },
    )
  }

  /** Waits until so many listeners' sessions are left. */
  untilSessions(count: number): Promise<void> {
    return vi.waitFor(
      async () => {
        const { rowCount } = await there(this.#observer).query(
          "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'belfry listener'",
        )
        if (rowCount !== count) throw new Error(`there are ${rowCount} sessions`)
      },
      { timeout: 10_000, interval: 10 },
    )
  }

  /** What reaches the feed of all that was written since the last time. */
  changes(): Promise<CapturedChange[]> {
    return takeChanges(this.reader)
  }
}

function there<T>(value: T | null): T {
  if (value === null) throw new Error('a watched database is there once its hooks have run')
  return value
}

/** `insert 1`, `update 1`: what happened to which key, for comparing orders of things. */
export function brief({ op, key }: CapturedChange): string {
  return [op, ...Object.values(key ?? {})].join(' ')
}
