import pg from 'pg'
import type { Reply } from './local-http.ts'

/** The body of every error of Neon's proxy; what Postgres did not say is null, and `code` "". */
export type NeonError = { message: string; code: string; severity: string } & Record<
  (typeof optionalFields)[number],
  string | null
>

const optionalFields = [
  'detail',
  'hint',
  'position',
  'internalPosition',
  'internalQuery',
  'where',
  'schema',
  'table',
  'column',
  'dataType',
  'constraint',
  'file',
  'line',
  'routine',
] as const

/** A request that never reached the database. */
export function invalidRequest(status: number, message: string): Reply {
  return { status, body: errorBody(message, {}) }
}

/** A query that failed: 400, as from Neon, also when the connection broke under it. */
export function databaseError(error: unknown): Reply {
  return { status: 400, body: errorBody(messageOf(error), error) }
}

/** No connection: 500, unless Postgres refused this user or this database, which is 400. */
export function unreachable(error: unknown): Reply {
  if (error instanceof pg.DatabaseError && /^(28|3D)/.test(error.code ?? ''))
    return databaseError(error)
  const message = `Couldn't connect to the database: ${messageOf(error)}`
  return { status: 500, body: errorBody(message, error) }
}

function errorBody(message: string, error: unknown): NeonError {
  const said = error instanceof pg.DatabaseError ? error : null
  const fields = Object.fromEntries(optionalFields.map((name) => [name, said?.[name] ?? null]))
  return { message, code: said?.code ?? '', severity: said?.severity ?? '', ...fields } as NeonError
}

/** Node tries each address of a host and reports all failures together, without a message. */
function messageOf(error: unknown): string {
  const first = error instanceof AggregateError ? error.errors[0] : error
  return first instanceof Error ? first.message : String(first)
}
