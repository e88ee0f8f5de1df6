import { z } from 'zod'
import { type DatabaseEnv, driver } from '../api/database.ts'
import { type Endpoint, endpointRow } from './endpoint.ts'

/** What Postgres says of an endpoint; `unknown` while it cannot be asked. */
export type Registered =
  | { kind: 'registered'; endpoint: Endpoint }
  | { kind: 'missing' }
  | { kind: 'unknown'; why: string }

const TIMEOUT_MS = 10_000

export async function readRegistered(env: DatabaseEnv, id: string): Promise<Registered> {
  // Not AbortSignal.timeout: its timer would keep the object in memory long after the answer.
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), TIMEOUT_MS)
  try {
    const sql = driver(env, controller.signal)
    const rows = await sql`SELECT id, url, enabled, version FROM webhook_endpoints WHERE id = ${id}`
    const [endpoint] = z.array(endpointRow).parse(rows)
    return endpoint ? { kind: 'registered', endpoint } : { kind: 'missing' }
  } catch (error) {
    return { kind: 'unknown', why: error instanceof Error ? error.message : String(error) }
  } finally {
    clearTimeout(timer)
  }
}
