import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type LocalRequest, type LocalServer, type Reply, serveLocally } from './local-http.ts'
import { databaseError, invalidRequest, unreachable } from './neon-errors.ts'
import { beginStatement, parseNeonRequest, type Query } from './neon-request.ts'

/**
 * What Neon's proxy does for `@neondatabase/serverless` over HTTP, done over a local connection:
 * the worker's driver then runs unchanged against any PostgreSQL.
 *
 * - Values travel as the text that Postgres prints; the driver parses them.
 * - A query is one statement, sent with the extended protocol; a batch is one transaction.
 * - A request gets a clean session and leaves none behind.
 * - Only the one database is served, whatever address a request names.
 * - Errors have Neon's statuses and fields: 400 for what Postgres says, 500 if it cannot be reached.
 */
const maxBytes = 10 * 1024 * 1024
const connectWithinMs = 5_000
const maxConnections = 20

const asText = { getTypeParser: () => (value: string) => value }

/** @param databaseUrl the only database that is served */
export async function serveNeonEndpoint(databaseUrl: string, port: number): Promise<LocalServer> {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    connectionTimeoutMillis: connectWithinMs,
    max: maxConnections,
    keepAlive: true,
  })
  // A connection ends when the server restarts. Its query says so, if it has one; the pool makes
  // another. Unheard, the event would end this process.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))

  const server = await serveLocally(port, maxBytes, (request) => reply(pool, databaseUrl, request))
  return {
    url: `${server.url}/sql`,
    close: async () => {
      await server.close()
      // A query that runs on is not waited for.
      await Promise.race([pool.end(), sleep(1_000, undefined, { ref: false })])
    },
  }
}

async function reply(pool: pg.Pool, databaseUrl: string, request: LocalRequest): Promise<Reply> {
  if (request.url.pathname !== '/sql')
    return invalidRequest(404, 'The endpoint is /sql; set NEON_ENDPOINT to that address.')
  if (request.method !== 'POST') return invalidRequest(405, 'Send queries with POST.')
  const parsed = parseNeonRequest(request, databaseUrl)
  if ('problem' in parsed) return invalidRequest(400, parsed.problem)

  let client: pg.PoolClient
  try {
    client = await pool.connect()
  } catch (error) {
    return unreachable(error)
  }
  try {
    const { queries, isBatch, transaction, arrayMode } = parsed
    if (isBatch) await client.query(beginStatement(transaction))
    const results = []
    for (const query of queries) results.push(await run(client, query, arrayMode))
    if (isBatch) await client.query('COMMIT')
    return withinLimit(isBatch ? { results } : results[0])
  } catch (error) {
    return databaseError(error)
  } finally {
    void cleanUp(client)
  }
}

async function run(client: pg.PoolClient, query: Query, arrayMode: boolean) {
  const config: pg.QueryArrayConfig & { queryMode: 'extended' } = {
    text: query.query,
    values: query.params,
    rowMode: 'array',
    types: asText,
    queryMode: 'extended',
  }
  const { command, rowCount, fields, rows } = await client.query<(string | null)[]>(config)
  return {
    command,
    rowCount,
    fields,
    rows: arrayMode
      ? rows
      : rows.map((row) => Object.fromEntries(row.map((value, i) => [fields[i]?.name, value]))),
    rowAsArray: arrayMode,
  }
}

/** Ends what a request left open: a transaction, settings, temporary tables, advisory locks. */
async function cleanUp(client: pg.PoolClient): Promise<void> {
  try {
    if (client.getTransactionStatus() !== 'I') await client.query('ROLLBACK')
    await client.query('DISCARD ALL')
    client.release()
  } catch (error) {
    client.release(error instanceof Error ? error : true)
  }
}

function withinLimit(body: unknown): Reply {
  const text = JSON.stringify(body)
  if (Buffer.byteLength(text) > maxBytes)
    return invalidRequest(507, `response is too large (max is ${maxBytes} bytes)`)
  return { status: 200, headers: { 'content-type': 'application/json' }, body: text }
}
