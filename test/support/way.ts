import type pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, vi } from 'vitest'
import type { Change } from '../../protocol/change.ts'
import { type AtEnd, createDatabase, newestServer, session, type TestDatabase } from './database.ts'
import { FeedWorker } from './feed-worker.ts'
import { ListenerProcess, type ListenerSettings } from './listener-process.ts'
import { TcpProxy } from './tcp-proxy.ts'

/** The way of a change, on real parts: a database, a listener's process, and a feed in workerd. */
export type Way = {
  database: TestDatabase
  /** The owner of the database, as a writer. */
  sql: pg.Client
  feed: FeedWorker
  /** Starts a listener, between this database and this feed if not told otherwise. */
  listen(settings?: Partial<ListenerSettings>): Promise<ListenerProcess>
  /** The same address by way of a proxy that can harm it. */
  proxied(url: string): Promise<{ proxy: TcpProxy; url: string }>
  /** Waits until the feed has so many changes, and no more. */
  feedHas(count: number, ms?: number): Promise<Change[]>
  /** Waits until so many changes are owed to the feed. */
  outboxHas(count: number): Promise<void>
}

/** Call it in a test file: one worker for all its tests, which take turns with it. */
export function sharedFeed(): { begin(): Promise<Way> } {
  let feed: FeedWorker
  beforeAll(async () => {
    feed = await FeedWorker.start()
  })
  afterAll(() => feed.stop())
  return {
    begin: async () => {
      await feed.beginLife()
      return wayTo(feed)
    },
  }
}

/** A new database before a feed that is in its first life, or has begun anew. */
export async function wayTo(feed: FeedWorker, atEnd: AtEnd = onTestFinished): Promise<Way> {
  return wayBetween(await createDatabase(newestServer), feed, atEnd)
}

export async function wayBetween(
  database: TestDatabase,
  feed: FeedWorker,
  atEnd: AtEnd = onTestFinished,
): Promise<Way> {
  const sql = await session(database.url, atEnd)
  return {
    database,
    sql,
    feed,
    listen: (settings = {}) =>
      ListenerProcess.start(
        { databaseUrl: database.listenerUrl, feedUrl: feed.url, ...settings },
        atEnd,
      ),
    proxied: async (url) => {
      const proxied = await TcpProxy.before(url)
      atEnd(() => proxied.proxy.close())
      return proxied
    },
    feedHas: async (count, ms = 20_000) => {
      const enough = async () => {
        const head = await feed.head()
        if (head < count) throw new Error(`the feed has ${head} changes, not ${count}`)
      }
      await vi.waitFor(enough, { timeout: ms, interval: 20 })
      const changes = await feed.changes()
      expect(changes).toHaveLength(count)
      return changes
    },
    outboxHas: (count) => {
      const exactly = async () => {
        const { rowCount } = await sql.query(OWED)
        if (rowCount !== count) throw new Error(`the outbox has ${rowCount} rows, not ${count}`)
      }
      return vi.waitFor(exactly, { timeout: 20_000, interval: 20 })
    },
  }
}

/** What is owed to the feed, beside the canary. */
export const OWED = `SELECT FROM belfry.outbox WHERE "table" <> 'belfry.canary'`

/** One order by one statement. */
export const ORDER =
  "INSERT INTO orders (customer_name, product_name, amount) VALUES ('Ada', 'Bell', 1)"

/** P1 and P2, asked of what a feed holds: offsets without a gap, no change twice, rows in order. */
export function expectWhole(changes: readonly Change[]): void {
  expect(changes.map(({ offset }) => offset)).toEqual(changes.map((_, index) => index + 1))
  expect(new Set(changes.map(({ id }) => id)).size).toBe(changes.length)
  const rows = new Map<string, unknown>()
  for (const change of changes) {
    const row = `${change.table} ${JSON.stringify(change.key)}`
    expect(change.old).toEqual(rows.get(row) ?? null)
    rows.set(row, change.new)
  }
}
