import { z } from 'zod'
import { sameDatabase } from './database-url.ts'
import type { LocalRequest } from './local-http.ts'

const querySchema = z.object({
  query: z.string(),
  params: z.array(z.unknown()).default([]),
})
const bodySchema = z.union([z.object({ queries: z.array(querySchema) }), querySchema])

export type Query = z.infer<typeof querySchema>

export type Transaction = { isolation: string | null; readOnly: boolean; deferrable: boolean }

export type NeonRequest = {
  queries: Query[]
  isBatch: boolean
  transaction: Transaction
  /** Rows as arrays, as the driver asks; otherwise as objects. */
  arrayMode: boolean
}

const isolationLevels: Record<string, string> = {
  ReadUncommitted: 'READ UNCOMMITTED',
  ReadCommitted: 'READ COMMITTED',
  RepeatableRead: 'REPEATABLE READ',
  Serializable: 'SERIALIZABLE',
}

/** @param databaseUrl the database that the request must name */
export function parseNeonRequest(
  { headers, body }: LocalRequest,
  databaseUrl: string,
): NeonRequest | { problem: string } {
  const named = headers['neon-connection-string']
  if (!named) return { problem: 'missing header Neon-Connection-String' }
  if (!sameDatabase(named, databaseUrl))
    return {
      problem:
        'Neon-Connection-String names another database than the one this local endpoint serves; use the DATABASE_URL that `npm start` gave to the worker.',
    }
  const level = headers['neon-batch-isolation-level']
  const isolation = level === undefined ? null : isolationLevels[level]
  if (isolation === undefined) return { problem: 'invalid isolation level' }

  const parsed = bodySchema.safeParse(readJson(body))
  if (!parsed.success)
    return { problem: 'the body must be {"query", "params"} or {"queries": [{"query", "params"}]}' }
  const isBatch = 'queries' in parsed.data
  return {
    queries: 'queries' in parsed.data ? parsed.data.queries : [parsed.data],
    isBatch,
    transaction: {
      isolation,
      readOnly: headers['neon-batch-read-only'] === 'true',
      deferrable: headers['neon-batch-deferrable'] === 'true',
    },
    arrayMode: headers['neon-array-mode'] === 'true',
  }
}

export function beginStatement({ isolation, readOnly, deferrable }: Transaction): string {
  const modes = [
    isolation && `ISOLATION LEVEL ${isolation}`,
    readOnly && 'READ ONLY',
    deferrable && 'DEFERRABLE',
  ]
  return ['BEGIN', modes.filter(Boolean).join(', ')].join(' ').trim()
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
