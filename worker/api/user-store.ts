import { and, desc, eq, ilike, lt, or, type SQL, sql } from 'drizzle-orm'
import type { Context } from 'hono'
import { users } from '../../drizzle/inbox-schema.ts'
import type { Row } from '../../protocol/change.ts'
import { type DatabaseEnv, database } from './database.ts'
import { constraintOf } from './database-failure.ts'
import { expected } from './entity-tag.ts'
import { escapeLike } from './like-text.ts'
import { columnsOf, type UserFields } from './user-schemas.ts'
import { notedInBulk, writeAll, writeOnce } from './writing.ts'

/**
 * Users in Postgres, which is authoritative on them; their inboxes hear of each change by the feed.
 *
 * Must hold: an id that is given moves the sequence on before its row is written, so that Postgres
 * never gives it again. A sequence is outside of transactions and could be set back by two who set
 * it at once: so those who give ids do it one after the other, and it jumps only where nobody else
 * can have taken as many in between.
 */

/** Newest first. @param before only those with a smaller id */
export async function listUsers(
  env: DatabaseEnv,
  { search, limit }: { search?: string | undefined; limit: number },
  before: number | null,
): Promise<Row[]> {
  return database(env)
    .select()
    .from(users)
    .where(
      and(
        search === undefined ? undefined : matches(search),
        before === null ? undefined : lt(users.id, before),
      ),
    )
    .orderBy(desc(users.id))
    .limit(limit)
}

function matches(search: string) {
  const part = `%${escapeLike(search)}%`
  const id = /^[1-9]\d{0,14}$/.test(search) ? eq(users.id, Number(search)) : undefined
  return or(ilike(users.name, part), ilike(users.email, part), id)
}

/** @returns null if there is none */
export async function findUser(env: DatabaseEnv, id: number): Promise<Row | null> {
  const [row] = await database(env).select().from(users).where(eq(users.id, id))
  return row ?? null
}

/**
 * Once for each idempotency key.
 * @returns `taken` if there is a user of this id; null if they were made before and are gone
 */
export async function insertUser(
  c: Context,
  { id, ...fields }: UserFields & { id?: number | undefined; name: string },
): Promise<Row | 'taken' | null> {
  const values = { ...columnsOf(fields), name: fields.name, ...(id === undefined ? {} : { id }) }
  const before = id === undefined ? [] : withIdsUpTo(id)
  try {
    const made = await writeOnce(
      c,
      (db) => [
        ...before.map((statement) => db.execute(statement)),
        db.insert(users).values(values).returning(),
      ],
      (results): Row | null => (results.at(-1) as Row[])[0] ?? null,
      ({ made }) => findUser(c.env, Number(made)),
    )
    return made ?? null
  } catch (error) {
    if (constraintOf(error) === 'users_pkey') return 'taken'
    throw error
  }
}

/** @returns undefined if there is none */
export async function changeUser(
  c: Context,
  id: number,
  changes: UserFields,
): Promise<Row | undefined> {
  const [, rows] = await writeAll(c, (db) => [
    db.execute(expected(c, versionOf(id))),
    db.update(users).set(columnsOf(changes)).where(eq(users.id, id)).returning(),
  ])
  return rows[0]
}

/** Their notifications and preferences go with them. @returns whether there was one */
export async function deleteUser(c: Context, id: number): Promise<boolean> {
  const [, rows] = await writeAll(
    c,
    (db) => [
      db.execute(expected(c, versionOf(id))),
      db.delete(users).where(eq(users.id, id)).returning({ id: users.id }),
    ],
    { timeoutMs: MANY_TIMEOUT_MS },
  )
  return rows.length > 0
}

/** Locks the row. */
function versionOf(id: number): SQL {
  return sql`SELECT version::text FROM users WHERE id = ${id}::bigint FOR UPDATE`
}

/** `fields`: of `users`, under the names of its columns. */
export type GivenUser = { id: number; fields: Record<string, unknown> }

/** `missing`: there is no such user, and no name to create one with. */
export type Upserted = { created: number; changed: number; missing: number[] }

/**
 * Creates those that are not there and changes, of the others, the fields given. One that would
 * stay as it is, is not written. All such loads of one request are one row of the audit.
 * @param given at least one, and each id once
 */
export async function upsertUsers(c: Context, given: readonly GivenUser[]): Promise<Upserted> {
  const lastId = given.reduce((last, { id }) => Math.max(last, id), 0)
  const statements = upsert(lastId, listed(given), 'lines')
  const results = await writeAll(
    c,
    (db) => statements.map((statement) => db.execute<Partial<Upserted>>(statement)),
    { timeoutMs: BATCH_TIMEOUT_MS },
  )
  return outcomeOf(results)
}

/**
 * As `upsertUsers`, of all ids from one to another; `{n}` in a text is the id. Once for each
 * idempotency key.
 */
export async function upsertRange(
  c: Context,
  { from, to }: { from: number; to: number },
  fields: UserFields,
): Promise<Omit<Upserted, 'missing'>> {
  const statements = upsert(to, range(from, to, columnsOf(fields)), `${from}-${to}`)
  const loaded = await writeOnce(
    c,
    (db) => statements.map((statement) => db.execute<Partial<Upserted>>(statement)),
    (results): Omit<Upserted, 'missing'> => outcomeOf(results),
    async ({ answer }) => answer as Upserted,
    { timeoutMs: MANY_TIMEOUT_MS },
  )
  if (!loaded) throw new Error('a range was loaded before, and nothing is known of it')
  return loaded
}

/** A thousand rows take well under a second. */
const BATCH_TIMEOUT_MS = 15_000
/** For a statement that may write a hundred thousand rows, or delete as many with one. */
const MANY_TIMEOUT_MS = 120_000

function listed(given: readonly GivenUser[]): SQL {
  return sql`
  SELECT (g->>'id')::bigint AS id, g->'fields' AS fields, g->'fields'->>'name' AS name
    FROM jsonb_array_elements(${JSON.stringify(given)}::jsonb) AS g`
}

function range(from: number, to: number, fields: Record<string, unknown>): SQL {
  return sql`
  SELECT r.id, r.fields, coalesce(r.fields->>'name', 'User ' || r.id) AS name
    FROM (SELECT n AS id, replace(${JSON.stringify(fields)}::text, '{n}', n::text)::jsonb AS fields
            FROM generate_series(${from}::bigint, ${to}::bigint) AS n) AS r`
}

/** The statements before those that write users whose ids are given. */
function withIdsUpTo(lastId: number): SQL[] {
  return [
    sql`SELECT pg_advisory_xact_lock(hashtextextended('belfry.users.id', 0))`,
    sql`
  SELECT CASE WHEN ${lastId}::bigint - s.last_value > 1000 THEN setval('users_id_seq', ${lastId}::bigint)
              ELSE (SELECT max(nextval('users_id_seq'))
                      FROM generate_series(s.last_value + s.is_called::integer, ${lastId}::bigint)) END
    FROM users_id_seq AS s`,
  ]
}

/** What is not given is as the table's own defaults have it. @param told of `created`, how many */
function insertion(given: SQL, told: SQL): SQL {
  return sql`
  WITH given AS (${given}), inserted AS (
    INSERT INTO users (id, name, email, can_receive_notifications, time_zone, quiet_from, quiet_to,
                       digest, digest_at, subject)
    SELECT g.id, g.name, f.email, coalesce(f.can_receive_notifications, true),
           coalesce(f.time_zone, 'UTC'), f.quiet_from, f.quiet_to,
           coalesce(f.digest, 'off'), coalesce(f.digest_at, '08:00'), f.subject
      FROM given AS g CROSS JOIN LATERAL jsonb_populate_record(NULL::users, g.fields) AS f
     WHERE g.name IS NOT NULL AND NOT EXISTS (SELECT FROM users AS u WHERE u.id = g.id)
     ORDER BY g.id
    ON CONFLICT (id) DO NOTHING
    RETURNING id
  )
  SELECT ${told} FROM (SELECT count(*)::integer AS created FROM inserted) AS counted`
}

function update(given: SQL, told: SQL): SQL {
  return sql`
  WITH given AS (${given}), updated AS (
    UPDATE users AS u
       SET (name, email, can_receive_notifications, time_zone, quiet_from, quiet_to, digest, digest_at, subject) =
           (SELECT f.name, f.email, f.can_receive_notifications, f.time_zone, f.quiet_from, f.quiet_to,
                   f.digest, f.digest_at, f.subject
              FROM jsonb_populate_record(u, g.fields) AS f)
      FROM given AS g
     WHERE u.id = g.id AND jsonb_populate_record(u, g.fields) IS DISTINCT FROM u
    RETURNING u.id
  )
  SELECT (SELECT coalesce(json_agg(g.id), '[]') FROM given AS g
           WHERE g.name IS NULL AND NOT EXISTS (SELECT FROM users AS u WHERE u.id = g.id)) AS missing,
         ${told} FROM (SELECT count(*)::integer AS changed FROM updated) AS counted`
}

/** In one transaction. @param key of the audit's row */
function upsert(lastId: number, given: SQL, key: string): SQL[] {
  const note = (counts: SQL) => notedInBulk({ action: 'load', table: 'users', key }, counts)
  return [
    sql`SELECT ${note(sql`'{}'`)}`,
    ...withIdsUpTo(lastId),
    insertion(given, sql`created, ${note(sql`jsonb_build_object('created', created)`)}`),
    update(given, sql`changed, ${note(sql`jsonb_build_object('changed', changed)`)}`),
  ]
}

function outcomeOf(results: readonly { rows: Partial<Upserted>[] }[]): Upserted {
  const [inserted, updated] = results.slice(-2).map(({ rows }) => rows[0])
  return {
    created: inserted?.created ?? 0,
    changed: updated?.changed ?? 0,
    missing: updated?.missing ?? [],
  }
}
