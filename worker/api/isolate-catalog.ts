import { Catalog } from './catalog.ts'
import { type DatabaseEnv, database } from './database.ts'
import { readWatchedTables } from './watched-tables.ts'

let current: { address: string; catalog: Catalog } | null = null

/** The catalog of the database in `env`, one for all requests that this isolate answers. */
export function catalogOf({ DATABASE_URL, NEON_ENDPOINT }: DatabaseEnv): Catalog {
  const address = `${DATABASE_URL} ${NEON_ENDPOINT}`
  if (current?.address !== address) {
    const env = { DATABASE_URL, ...(NEON_ENDPOINT && { NEON_ENDPOINT }) }
    const read = async () => readWatchedTables(database(env))
    current = { address, catalog: new Catalog(read, Date.now) }
  }
  return current.catalog
}
