import { NeonDbError } from '@neondatabase/serverless'
import { type SQL, sql } from 'drizzle-orm'
import type { BatchItem, BatchResponse } from 'drizzle-orm/batch'
import type { NeonHttpDatabase } from 'drizzle-orm/neon-http'
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { Principal } from '../doors/principal.ts'
import { database } from './database.ts'
import { rootCause } from './database-failure.ts'
import { hasMovedOn } from './entity-tag.ts'
import { type Once, onceOf } from './idempotency.ts'
import { problem } from './problem.ts'

/**
 * How the API writes to Postgres: in one transaction, which begins with who does it.
 *
 * `belfry.act` (migration 0009) says so to the triggers that keep the audit, and claims the
 * request's idempotency key; what is written, what the audit has of it and the claim commit
 * together or not at all (P99, P100, P104). Must hold: whatever the API changes is changed by this,
 * but for what a user marks in their own inbox (me-marks.ts).
 */
type Statement = BatchItem<'pg'>

/** @returns what the one statement gave. @throws as `writeAll` */
export async function write<S extends Statement>(
  c: Context,
  statement: (db: NeonHttpDatabase) => S,
  options?: { timeoutMs?: number },
): Promise<S['_']['result']> {
  const [result] = await writeAll(c, (db): [S] => [statement(db)], options)
  return result
}

/**
 * @returns what each statement gave
 * @throws an HTTPException that holds the answer if the database refuses the precondition, or what
 *   the driver says
 */
export async function writeAll<const S extends readonly Statement[]>(
  c: Context,
  statements: (db: NeonHttpDatabase) => S,
  options?: { timeoutMs?: number },
): Promise<BatchResponse<S>> {
  return perform(c, statements, null, options?.timeoutMs)
}

/**
 * A create, which is done once for each idempotency key: what came of it, or of the same before.
 * @param again reads what was made before, by the key of its row and what was kept of the answer
 * @returns null if that is not there any more
 */
export async function writeOnce<const S extends readonly Statement[], Made>(
  c: Context,
  statements: (db: NeonHttpDatabase) => S,
  made: (results: BatchResponse<S>) => Made,
  again: (before: Before) => Promise<Made | null | undefined>,
  options?: { timeoutMs?: number },
): Promise<Made | null | undefined> {
  const once = await onceOf(c)
  try {
    return made(await perform(c, statements, once, options?.timeoutMs))
  } catch (error) {
    const before = doneBefore(error)
    if (before === null) throw error
    return again(before)
  }
}

/** `made`: the key of the first row; `answer`: of writes of many rows. */
export type Before = { made: string | null; answer: unknown }

/**
 * Writes down an act on what is not in Postgres, before it is done: what was noted and then failed
 * was tried.
 */
export async function note(
  c: Context,
  act: { action: string; table: string; key: string | number; changed?: object },
): Promise<void> {
  await write(c, (db) => db.execute(noted(act)))
}

/** What is longer names nothing that there is; the audit's index takes 2,700 bytes. */
const KEY_MAX = 500

/** The statement of `note`, for acts that are part of a write. */
export function noted({ action, table, key, changed = {} }: Parameters<typeof note>[1]): SQL {
  const about = storable(String(key).slice(0, KEY_MAX))
  const text = JSON.stringify(changed, (_, value: unknown) =>
    typeof value === 'string' ? storable(value) : value,
  )
  return sql`SELECT belfry.note_act(${action}, ${table}, ${about}, ${text}::jsonb)`
}

/** Whatever was asked for, Postgres can hold it. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd')
}

/** The statement after which the rows themselves are not noted, but what `counts` counts is. */
export function notedInBulk(
  { action, table, key }: { action: string; table: string; key: string },
  counts: SQL,
): SQL {
  return sql`belfry.note_bulk(${action}, ${table}, ${key}, ${counts})`
}

/** Who asks, as the doors have found out. */
export function whoAsks(c: Context): Principal {
  return c.get('principal')
}

async function perform<const S extends readonly Statement[]>(
  c: Context,
  statements: (db: NeonHttpDatabase) => S,
  once: Once | null,
  timeoutMs?: number,
): Promise<BatchResponse<S>> {
  const db = database(c.env, timeoutMs)
  const act = db.execute(sql`
    SELECT belfry.act(${whoAsks(c).name}, ${c.get('requestId')}, ${once?.key ?? null}, ${once?.hash ?? null})`)
  try {
    const [, ...results] = await db.batch([act, ...statements(db)])
    return results as BatchResponse<S>
  } catch (error) {
    throw refusalOf(c, error) ?? error
  }
}

/** What the functions of migration 0009 raise for those who ask. */
function refusalOf(c: Context, error: unknown): HTTPException | null {
  const cause = rootCause(error)
  if (!(cause instanceof NeonDbError)) return null
  switch (cause.code) {
    case 'BF409':
      return answerWith(
        problem(c, 'idempotency_in_progress', {
          detail: 'The first one is not done yet. Send the same again in a second.',
          headers: { 'Retry-After': '1' },
        }),
      )
    case 'BF412':
      return answerWith(hasMovedOn(c, cause.detail ?? ''))
    case 'BF422':
      return answerWith(
        problem(c, 'idempotency_key_reused', {
          detail: `The key ${c.req.header('idempotency-key')} came with another request within the last 24 hours. Send a key of its own with each.`,
        }),
      )
    default:
      return null
  }
}

function answerWith(res: Response): HTTPException {
  return new HTTPException(res.status as 409, { res })
}

function doneBefore(error: unknown): Before | null {
  const cause = rootCause(error)
  return cause instanceof NeonDbError && cause.code === 'BF200' && cause.detail
    ? (JSON.parse(cause.detail) as Before)
    : null
}
