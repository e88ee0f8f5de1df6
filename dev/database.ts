import pg from 'pg'
import { type Migrated, migrate } from '../drizzle/migrate.ts'
import { spokenAddress } from './database-url.ts'
import { Failure } from './failure.ts'

const connectWithinMs = 5_000

/** @returns the server's version, like "18.4"; throws a sentence if it cannot be reached */
export async function serverVersion(url: string): Promise<string> {
  try {
    const [row] = await ask<{ server_version: string }>(url, 'SHOW server_version')
    return (row?.server_version ?? '').split(' ')[0] ?? ''
  } catch (error) {
    throw new Failure(unreachableSentence(url, error))
  }
}

export async function migrateDatabase(url: string): Promise<Migrated> {
  try {
    return await migrate(url)
  } catch (error) {
    const said = error instanceof Error ? (error.cause ?? error) : error
    const message = said instanceof Error ? said.message : String(said)
    throw new Failure(
      `The migrations of ${spokenAddress(url)} failed and changed nothing: ${message}`,
    )
  }
}

/** The identity of a migrated database, which the worker's storage is kept by. */
export async function databaseSource(url: string): Promise<string> {
  const [row] = await ask<{ source: string }>(url, 'SELECT source FROM belfry.identity')
  if (!row) throw new Failure(`${spokenAddress(url)} has no row in belfry.identity. Restore it.`)
  return row.source
}

/** One query on a connection of its own. */
export async function ask<Row extends pg.QueryResultRow>(
  url: string,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: connectWithinMs,
    application_name: 'belfry start',
  })
  // A connection that is lost fails its query; unheard, the event would end this process.
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.query<Row>(sql, values)).rows
  } finally {
    await client.end()
  }
}

function unreachableSentence(url: string, error: unknown): string {
  const { code, message } = error as { code?: string; message?: string }
  const at = spokenAddress(url)
  switch (code) {
    case 'ECONNREFUSED':
      return `No database listens at ${at}. Start that server, or correct DATABASE_URL.`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The host of ${at} is not known here. Correct DATABASE_URL, or check the network.`
    case '28P01':
    case '28000':
      return `The database at ${at} refuses us (${message}). Correct DATABASE_URL.`
    case '3D000':
      return `The server of ${at} answers, but ${message}. Create it, or correct DATABASE_URL.`
    default:
      return `The database at ${at} cannot be used (${message || code}). Correct DATABASE_URL.`
  }
}
