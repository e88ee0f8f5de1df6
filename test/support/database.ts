import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { inject, onTestFinished } from 'vitest'
import { migrate } from '../../drizzle/migrate.ts'
import type { PostgresServer } from './postgres-server.ts'

export const servers: readonly PostgresServer[] = inject('postgresServers')

/** The newest one, for what does not depend on the server's version. */
export const newestServer = servers[0] as PostgresServer

export type TestDatabase = {
  name: string
  /** Direct, as the role that owns the database. */
  url: string
  /** As the worker logs in, and as the listener does. */
  workerUrl: string
  listenerUrl: string
  /** The same database as superuser. */
  adminUrl: string
}

/** A database of its own, owned by an ordinary role and, if not told otherwise, migrated. */
export async function createDatabase(
  { adminUrl }: PostgresServer,
  { migrated = true }: { migrated?: boolean } = {},
): Promise<TestDatabase> {
  const name = `test_${randomUUID().slice(0, 8)}`
  await once(adminUrl, `CREATE DATABASE ${name} OWNER app`)
  const { host } = new URL(adminUrl)
  const as = (role: string) => `postgresql://${role}:app@${host}/${name}`
  const url = as('app')
  if (migrated) await migrate(url)
  return {
    name,
    url,
    workerUrl: as('worker_login'),
    listenerUrl: as('listener_login'),
    adminUrl: `postgresql://postgres@${host}/${name}`,
  }
}

/** One statement on a connection of its own. */
export async function once<Row extends pg.QueryResultRow>(
  url: string,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = await connect(url)
  try {
    return (await client.query<Row>(text, values)).rows
  } finally {
    await client.end()
  }
}

/**
 * What a test leaves to be ended when it is over. Tests that run at the same time have to pass
 * their own `onTestFinished`; the one of vitest cannot tell them apart.
 */
export type AtEnd = (end: () => void | Promise<void>) => void

/** A session that ends with the test. */
export async function session(url: string, atEnd: AtEnd = onTestFinished): Promise<pg.Client> {
  const client = await connect(url)
  atEnd(() => client.end().catch(() => undefined))
  return client
}

/** A session that the caller ends. */
export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  // Tests end sessions from outside; the query that runs into it says so.
  client.on('error', () => undefined)
  await client.connect()
  return client
}
