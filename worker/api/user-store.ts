import { and, desc, eq, ilike, lt, or } from 'drizzle-orm'
import { users } from '../../drizzle/inbox-schema.ts'
import type { Row } from '../../protocol/change.ts'
import { type DatabaseEnv, database, driver } from './database.ts'
import { escapeLike } from './like-text.ts'
import { columnsOf, type UserFields } from './user-schemas.ts'

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

/** @returns null if there is a user of this id */
export async function insertUser(
  env: DatabaseEnv,
  { id, ...fields }: UserFields & { id?: number | undefined; name: string },
): Promise<Row | null> {
  const columns = { ...columnsOf(fields), name: fields.name }
  if (id === undefined)
    return (await database(env).insert(users).values(columns).returning())[0] ?? null
  const one: GivenUser[] = [{ id, fields: columns }]
  const values = [JSON.stringify(one)]
  const [inserted] = await withIdsUpTo(env, BATCH_TIMEOUT_MS, id, [insertion(LISTED)], values)
  return inserted?.created === 0 ? null : findUser(env, id)
}

/** @returns null if there is none */
export async function changeUser(
  env: DatabaseEnv,
  id: number,
  changes: UserFields,
): Promise<Row | null> {
  const [row] = await database(env)
    .update(users)
    .set(columnsOf(changes))
    .where(eq(users.id, id))
    .returning()
  return row ?? null
}

/** Their notifications and preferences go with them. @returns whether there was one */
export async function deleteUser(env: DatabaseEnv, id: number): Promise<boolean> {
  const sql = driver(env, AbortSignal.timeout(MANY_TIMEOUT_MS))
  const gone = await sql.query('DELETE FROM users WHERE id = $1 RETURNING id', [id])
  return gone.length > 0
}

/** `fields`: of `users`, under the names of its columns. */
export type GivenUser = { id: number; fields: Record<string, unknown> }

/** `missing`: there is no such user, and no name to create one with. */
export type Upserted = { created: number; changed: number; missing: number[] }

/**
 * Creates those that are not there and changes, of the others, the fields given. One that would
 * stay as it is, is not written.
 * @param given at least one, and each id once
 */
export function upsertUsers(env: DatabaseEnv, given: readonly GivenUser[]): Promise<Upserted> {
  const lastId = given.reduce((last, { id }) => Math.max(last, id), 0)
  return upsert(env, BATCH_TIMEOUT_MS, lastId, LISTED, [JSON.stringify(given)])
}

/** As `upsertUsers`, of all ids from one to another; `{n}` in a text is the id. */
export function upsertRange(
  env: DatabaseEnv,
  { from, to }: { from: number; to: number },
  fields: UserFields,
): Promise<Upserted> {
  const values = [from, to, JSON.stringify(columnsOf(fields))]
  return upsert(env, MANY_TIMEOUT_MS, to, RANGE, values)
}

/** A thousand rows take well under a second. */
const BATCH_TIMEOUT_MS = 15_000
/** For a statement that may write a hundred thousand rows, or delete as many with one. */
const MANY_TIMEOUT_MS = 120_000

const LISTED = `
  SELECT (g->>'id')::bigint AS id, g->'fields' AS fields, g->'fields'->>'name' AS name
    FROM jsonb_array_elements($1::jsonb) AS g`

const RANGE = `
  SELECT r.id, r.fields, coalesce(r.fields->>'name', 'User ' || r.id) AS name
    FROM (SELECT n AS id, replace($3::text, '{n}', n::text)::jsonb AS fields
            FROM generate_series($1::bigint, $2::bigint) AS n) AS r`

const ONE_AFTER_THE_OTHER = "SELECT pg_advisory_xact_lock(hashtextextended('belfry.users.id', 0))"

const MOVE_SEQUENCE = `
  SELECT CASE WHEN $1::bigint - s.last_value > 1000 THEN setval('users_id_seq', $1::bigint)
              ELSE (SELECT max(nextval('users_id_seq'))
                      FROM generate_series(s.last_value + s.is_called::integer, $1::bigint)) END
    FROM users_id_seq AS s`

/** What is not given is as the table's own defaults have it. */
const insertion = (given: string) => `
  WITH given AS (${given}), created AS (
    INSERT INTO users (id, name, email, can_receive_notifications, time_zone, quiet_from, quiet_to,
                       digest, digest_at)
    SELECT g.id, g.name, f.email, coalesce(f.can_receive_notifications, true),
           coalesce(f.time_zone, 'UTC'), f.quiet_from, f.quiet_to,
           coalesce(f.digest, 'off'), coalesce(f.digest_at, '08:00')
      FROM given AS g CROSS JOIN LATERAL jsonb_populate_record(NULL::users, g.fields) AS f
     WHERE g.name IS NOT NULL AND NOT EXISTS (SELECT FROM users AS u WHERE u.id = g.id)
     ORDER BY g.id
    ON CONFLICT (id) DO NOTHING
    RETURNING id
  )
  SELECT count(*)::integer AS created FROM created`

const update = (given: string) => `
  WITH given AS (${given}), changed AS (
    UPDATE users AS u
       SET (name, email, can_receive_notifications, time_zone, quiet_from, quiet_to, digest, digest_at) =
           (SELECT f.name, f.email, f.can_receive_notifications, f.time_zone, f.quiet_from, f.quiet_to,
                   f.digest, f.digest_at
              FROM jsonb_populate_record(u, g.fields) AS f)
      FROM given AS g
     WHERE u.id = g.id AND jsonb_populate_record(u, g.fields) IS DISTINCT FROM u
    RETURNING u.id
  )
  SELECT (SELECT count(*)::integer FROM changed) AS changed,
         (SELECT coalesce(json_agg(g.id), '[]') FROM given AS g
           WHERE g.name IS NULL AND NOT EXISTS (SELECT FROM users AS u WHERE u.id = g.id)) AS missing`

async function upsert(
  env: DatabaseEnv,
  timeoutMs: number,
  lastId: number,
  given: string,
  values: unknown[],
): Promise<Upserted> {
  const statements = [insertion(given), update(given)]
  const [inserted, updated] = await withIdsUpTo(env, timeoutMs, lastId, statements, values)
  return { ...inserted, ...updated } as Upserted
}

/** In one transaction. @returns the one row of each statement */
async function withIdsUpTo(
  env: DatabaseEnv,
  timeoutMs: number,
  lastId: number,
  statements: readonly string[],
  values: unknown[],
): Promise<Record<string, unknown>[]> {
  const sql = driver(env, AbortSignal.timeout(timeoutMs))
  const [, , ...results] = await sql.transaction([
    sql.query(ONE_AFTER_THE_OTHER),
    sql.query(MOVE_SEQUENCE, [lastId]),
    ...statements.map((statement) => sql.query(statement, values)),
  ])
  return results.flat() as Record<string, unknown>[]
}
