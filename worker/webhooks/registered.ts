import { z } from 'zod'
import { askOnce, type DatabaseEnv } from '../api/database.ts'
import { type Endpoint, endpointRow } from './endpoint.ts'

/** What Postgres says of an endpoint; `unknown` while it cannot be asked. */
export type Registered =
  | { kind: 'registered'; endpoint: Endpoint }
  | { kind: 'missing' }
  | { kind: 'unknown'; why: string }

const TIMEOUT_MS = 10_000

export async function readRegistered(env: DatabaseEnv, id: string): Promise<Registered> {
  try {
    const rows = await askOnce(env, FIND, [id], TIMEOUT_MS)
    const [endpoint] = z.array(endpointRow).parse(rows)
    return endpoint ? { kind: 'registered', endpoint } : { kind: 'missing' }
  } catch (error) {
    return { kind: 'unknown', why: error instanceof Error ? error.message : String(error) }
  }
}

const FIND = 'SELECT id, url, enabled, version FROM webhook_endpoints WHERE id = $1'
