import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate as applyMigrations } from 'drizzle-orm/node-postgres/migrator'
import pg from 'pg'

const folder = fileURLToPath(new URL('./migrations', import.meta.url))

/**
 * Brings a database to the newest migration, in one transaction, through
 * node-postgres: the HTTP driver's migrator is not transactional.
 * Two at once wait for each other. An ordinary owner role is enough; then what is left to do by
 * somebody who may make roles is told. The roles' rights are renewed each time.
 * @param databaseUrl a direct address, not a pooler's
 */
export async function migrate(databaseUrl: string): Promise<Migrated> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 10_000 })
  const told = new Set<string>()
  client.on('notice', ({ message = '', hint }) => {
    if (message.startsWith('belfry: ')) told.add(`${message.slice('belfry: '.length)}. ${hint}`)
  })
  await client.connect()
  try {
    await client.query("SELECT pg_advisory_lock(hashtext('belfry migrations'))")
    await requireVersion(client)
    const before = await countApplied(client)
    await applyMigrations(drizzle(client), { migrationsFolder: folder })
    await client.query('SELECT belfry.grant_rights()')
    const applied = (await countApplied(client)) - before
    return { applied, known: knownMigrations(), told: [...told] }
  } finally {
    await client.end()
  }
}

export type Migrated = {
  /** How many migrations were applied. */
  applied: number
  /** Of how many. */
  known: number
  /** Sentences: what the roles of the worker and the listener still lack, and what to do about it. */
  told: string[]
}

async function requireVersion(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ major: number }>(
    "SELECT current_setting('server_version_num')::int / 10000 AS major",
  )
  const major = rows[0]?.major ?? 0
  if (major < 15)
    throw new Error(`This is PostgreSQL ${major}; Belfry needs 15 or later. Upgrade the server.`)
}

async function countApplied(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ found: string | null }>(
    "SELECT to_regclass('drizzle.__drizzle_migrations') AS found",
  )
  if (!rows[0]?.found) return 0
  const count = await client.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM drizzle.__drizzle_migrations',
  )
  return count.rows[0]?.n ?? 0
}

function knownMigrations(): number {
  return JSON.parse(readFileSync(`${folder}/meta/_journal.json`, 'utf8')).entries.length
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const databaseUrl = process.env.DATABASE_URL
  if (!databaseUrl) {
    console.error('Set DATABASE_URL to the direct address of the database, then run this again.')
    process.exitCode = 1
  } else {
    const { applied, known, told } = await migrate(databaseUrl)
    console.log(`${applied} of ${known} migrations applied; the database is up to date.`)
    for (const sentence of told) console.log(sentence)
  }
}
