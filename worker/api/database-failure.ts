import type { NeonDbError } from '@neondatabase/serverless'
import { DrizzleQueryError } from 'drizzle-orm/errors'
import type { ProblemCode } from '../../protocol/problems.ts'

/**
 * What a failure of the database means to a caller, decided by SQLSTATE and by the error's
 * type, never by its words. A detail may name a constraint or a column, which the table's
 * owner chose; it never holds SQL, nor the value that was refused.
 */
export type DatabaseFailure = {
  code: ProblemCode
  detail: string
  retryAfterS?: number
  /** `unknown`: the answer was lost, so a write may have happened. */
  outcome: 'refused' | 'unknown'
}

/** The worker has no address of a database to speak to. */
export class DatabaseNotConfigured extends Error {
  override name = 'DatabaseNotConfigured'
}

/** @returns null if the error is not the database's */
export function databaseFailure(error: unknown): DatabaseFailure | null {
  if (isNamed<DatabaseNotConfigured>(error, 'DatabaseNotConfigured'))
    return { code: 'database_unavailable', detail: error.message, outcome: 'refused' }
  if (!(error instanceof DrizzleQueryError || isNamed(error, 'NeonDbError'))) return null

  const cause = rootCause(error)
  const sqlstate = isNamed<NeonDbError>(cause, 'NeonDbError') ? cause.code : undefined
  if (!sqlstate) return { ...UNREACHABLE, outcome: 'unknown' }
  const rule = rules[sqlstate] ?? rules[sqlstate.slice(0, 2)]
  if (!rule) return { code: 'internal', detail: `SQLSTATE ${sqlstate}.`, outcome: 'refused' }
  const { detail, outcome = 'refused', ...rest } = rule
  return { ...rest, outcome, detail: detail.replace('{where}', whereOf(cause as NeonDbError)) }
}

/** What a person can do about it, for where an error is only shown: without SQL or values. */
export function databaseAdvice(error: unknown): string {
  const cause = rootCause(error)
  return databaseFailure(error)?.detail ?? (cause instanceof Error ? cause.message : String(cause))
}

/** Drizzle wraps each failure in an error whose message holds the statement and its values. */
export function rootCause(error: unknown): unknown {
  return error instanceof DrizzleQueryError && error.cause ? error.cause : error
}

/** Which constraint refused a write; null if none did. */
export function constraintOf(error: unknown): string | null {
  const cause = rootCause(error)
  return isNamed<NeonDbError>(cause, 'NeonDbError') ? (cause.constraint ?? null) : null
}

/** A Durable Object may have met it: over RPC an error keeps its name and fields, not its class. */
function isNamed<Kind extends Error>(error: unknown, name: Kind['name']): error is Kind {
  return error instanceof Error && error.name === name
}

type Rule = Omit<DatabaseFailure, 'outcome'> & { outcome?: 'unknown' }

const UNREACHABLE = {
  code: 'database_unavailable',
  detail: 'The database did not answer. Try again in a moment.',
  retryAfterS: 5,
} as const satisfies Rule

const IN_THE_WAY: Rule = {
  code: 'database_unavailable',
  detail: 'Other writes were in the way. Send the same request again.',
  retryAfterS: 1,
}

const NOT_MIGRATED: Rule = {
  code: 'internal',
  detail: 'The database lacks what this version needs. Bring it up to date: npm run migrate',
}

const NOT_LET_IN: Rule = {
  code: 'database_unavailable',
  detail: 'The database does not let the worker in. Check DATABASE_URL: user, password, database.',
  retryAfterS: 60,
}

/** By whole SQLSTATE, else by its class, the first two characters. */
const rules: Record<string, Rule> = {
  '08': { ...UNREACHABLE, outcome: 'unknown' },
  '22': { code: 'unprocessable', detail: 'A value cannot be stored{where}.' },
  '22001': { code: 'unprocessable', detail: 'A text is too long{where}.' },
  '22003': { code: 'unprocessable', detail: 'A number is out of range{where}.' },
  // Of a time zone, above all.
  '22023': { code: 'unprocessable', detail: 'A value is not one that the database knows{where}.' },
  '22P02': { code: 'unprocessable', detail: 'A value is not of its column’s type{where}.' },
  '23': { code: 'unprocessable', detail: 'A rule of the table does not hold{where}.' },
  '23001': { code: 'conflict', detail: 'Another row refers to this one{where}.' },
  '23502': { code: 'unprocessable', detail: 'A value is missing{where}.' },
  '23503': {
    code: 'conflict',
    detail: 'A row that is referred to is in the way or missing{where}.',
  },
  '23505': { code: 'conflict', detail: 'Another row already has these values{where}.' },
  '23514': { code: 'unprocessable', detail: 'A rule of the table does not hold{where}.' },
  '23P01': { code: 'conflict', detail: 'Another row overlaps this one{where}.' },
  '25006': { ...UNREACHABLE, detail: 'The database takes no writes right now. Try again soon.' },
  '28': NOT_LET_IN,
  '3D': NOT_LET_IN,
  '3F': NOT_MIGRATED,
  '40': IN_THE_WAY,
  '42501': {
    code: 'internal',
    detail:
      'The worker’s login lacks a right it needs. Put it in the role belfry_worker, and run SELECT belfry.grant_rights() as the owner of Belfry’s tables.',
  },
  '42703': NOT_MIGRATED,
  '42883': NOT_MIGRATED,
  '42P01': NOT_MIGRATED,
  '53': UNREACHABLE,
  '55P03': IN_THE_WAY,
  '57': UNREACHABLE,
  '57P01': { ...UNREACHABLE, outcome: 'unknown' },
  '57P02': { ...UNREACHABLE, outcome: 'unknown' },
  '58': UNREACHABLE,
  // Also how Neon's proxy says that it could not reach the compute.
  XX: { ...UNREACHABLE, outcome: 'unknown' },
}

function whereOf({ constraint, column }: NeonDbError): string {
  if (constraint) return ` (constraint ${constraint})`
  return column ? ` (column ${column})` : ''
}
