import { type NeonQueryFunction, neon, neonConfig } from '@neondatabase/serverless'
import { drizzle, type NeonHttpDatabase } from 'drizzle-orm/neon-http'
import { DatabaseNotConfigured } from './database-failure.ts'

/** Longer than a suspended Neon compute takes to wake. */
const QUERY_TIMEOUT_MS = 15_000

/**
 * The database over Neon's HTTP driver: one request a statement, no connection to keep.
 * Made anew for each request, because the time limit runs from here.
 * @throws DatabaseNotConfigured
 */
export function database(env: DatabaseEnv, timeoutMs = QUERY_TIMEOUT_MS): NeonHttpDatabase {
  return drizzle(driver(env, AbortSignal.timeout(timeoutMs)))
}

/**
 * One statement, asked by a Durable Object.
 * @throws what the driver says, or DatabaseNotConfigured
 */
export async function askOnce<Row>(
  env: DatabaseEnv,
  text: string,
  values: unknown[] = [],
  timeoutMs = QUERY_TIMEOUT_MS,
): Promise<Row[]> {
  // Not AbortSignal.timeout: its timer would keep the object in memory long after the answer.
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), timeoutMs)
  try {
    return (await driver(env, controller.signal).query(text, values)) as Row[]
  } finally {
    clearTimeout(timer)
  }
}

/** As env.ts says. */
export type DatabaseEnv = { DATABASE_URL: string; NEON_ENDPOINT?: string }

/**
 * Neon's driver itself, for SQL that Drizzle has no part in.
 * @throws DatabaseNotConfigured
 */
export function driver(
  { DATABASE_URL, NEON_ENDPOINT }: DatabaseEnv,
  signal: AbortSignal,
): NeonQueryFunction<false, false> {
  // Checked here, because the driver's own complaint repeats the address, password and all.
  if (!DATABASE_URL || !/^postgres(ql)?:\/\/[^@/]+@[^/]+\/./.test(DATABASE_URL))
    throw new DatabaseNotConfigured(
      'The worker has no usable DATABASE_URL. Whoever runs it sets it: npx wrangler secret put DATABASE_URL',
    )
  if (NEON_ENDPOINT) neonConfig.fetchEndpoint = NEON_ENDPOINT
  return neon(DATABASE_URL, { fetchOptions: { signal } })
}
