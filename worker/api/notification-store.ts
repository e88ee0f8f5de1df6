import { type SQL, sql } from 'drizzle-orm'
import type { Context } from 'hono'
import type { Row } from '../../protocol/change.ts'
import { quoteInexactNumbers } from '../../protocol/exact-numbers.ts'
import { type DatabaseEnv, database } from './database.ts'
import { expected } from './entity-tag.ts'
import { idList } from './id-list.ts'
import { type AskedState, redrivable } from './notification-schemas.ts'
import { notedInBulk, writeAll, writeOnce } from './writing.ts'

/**
 * Notifications in Postgres, which is authoritative on them: it plans each when it is written, and
 * says when it is delivered (migration 0008). Rows come as a change carries them (`to_json`), with
 * exact numbers and times in UTC, and with what their users have marked all at once.
 */
export type Found = { notification: Row; user: Row }

export type NotificationFilter = {
  states?: readonly AskedState[] | undefined
  user?: number | undefined
  category?: string | undefined
}

/** So late that an alarm was missed. */
const OVERDUE = sql`(n.state = 'scheduled' AND n.deliver_at < now() - interval '30 seconds')`
/** A page ends with the row that takes the contents to so many bytes. */
const PAGE_BYTES = 2_000_000
/** For what goes to every user there is. */
const NOTIFY_TIMEOUT_MS = 300_000

/** Newest first. @param before only those with a smaller id. @returns `next`: null on the last page */
export async function listNotifications(
  env: DatabaseEnv,
  filter: NotificationFilter,
  limit: number,
  before: number | null,
): Promise<{ found: Found[]; next: number | null }> {
  const place = before === null ? sql`true` : sql`n.id < ${before}::bigint`
  const page = sql`
    SELECT n.*, p.behind
      FROM (SELECT f.id, row_number() OVER w AS place, sum(f.bytes) OVER w - f.bytes AS bytes_before,
                   count(*) OVER () - row_number() OVER w AS behind
              FROM (SELECT n.id, octet_length(n.content::text) AS bytes
                      FROM notifications AS n
                     WHERE ${conditionOf(filter)} AND ${place}
                     ORDER BY n.id DESC LIMIT ${limit + 1}) AS f
            WINDOW w AS (ORDER BY f.id DESC)) AS p
      JOIN notifications AS n USING (id)
     WHERE p.place <= ${limit} AND p.bytes_before < ${PAGE_BYTES}`
  const found = await rowsOf(env, page, sql`ORDER BY n.id DESC`)
  const last = found.at(-1)?.notification
  return { found, next: last && Number(last.behind) > 0 ? (last.id as number) : null }
}

/** @returns null if there is none */
export async function findNotification(env: DatabaseEnv, id: number): Promise<Found | null> {
  const [found] = await findNotifications(env, [id])
  return found ?? null
}

export function findNotifications(env: DatabaseEnv, ids: readonly number[]): Promise<Found[]> {
  return rowsOf(
    env,
    sql`SELECT n.* FROM notifications AS n WHERE n.id = ANY (${idList(ids)}::bigint[])`,
  )
}

export type Told = {
  title: string
  category: string
  content: Record<string, unknown>
  link: string | null
  scheduled_at: string | null
  expires_at: string | null
}

export type Notified =
  | {
      outcome: 'created'
      notifications: number
      delivered: number
      scheduled: number
      declined: number
      ids: number[]
    }
  | { outcome: 'unknown_users'; users: number[] }

/** All or none of them, once for each idempotency key. @param users null for everyone who receives any */
export async function notify(
  c: Context,
  users: readonly number[] | null,
  told: Told,
): Promise<Notified> {
  const recipients = users === null ? null : idList(users)
  const notified = await writeOnce(
    c,
    (db) => [
      db.execute<{ json: string }>(sql`
        SELECT belfry.notify(${recipients}::bigint[], ${JSON.stringify(told)}::json)::text AS json`),
    ],
    ([{ rows }]) => JSON.parse(rows[0]?.json ?? 'null') as Notified,
    async ({ answer }) => answer as Notified,
    { timeoutMs: NOTIFY_TIMEOUT_MS },
  )
  if (!notified) throw new Error('users were notified before, and nothing is known of it')
  return notified
}

/**
 * A new `scheduled_at` plans it again, whatever became of it, unless it is delivered.
 * @returns null if there is none that takes the changes
 */
export async function changeNotification(
  c: Context,
  id: number,
  { content, ...changes }: { [Field in keyof Told]?: Told[Field] | undefined },
): Promise<Found | null> {
  const values: [column: string, value: SQL][] = Object.entries(changes).map(([column, value]) => [
    column,
    sql`${value}`,
  ])
  if (content !== undefined) values.push(['content', sql`${JSON.stringify(content)}::json`])
  const isPlanned = changes.scheduled_at !== undefined
  if (isPlanned) values.push(['state', sql`'scheduled'`])
  const set = values.map(([column, value]) => sql`${sql.identifier(column)} = ${value}`)
  return change(c, id, sql.join(set, sql`, `), isPlanned ? sql`n.state <> 'delivered'` : sql`true`)
}

/** @returns null if there is none to cancel */
export function cancelNotification(c: Context, id: number): Promise<Found | null> {
  return change(c, id, sql`state = 'cancelled'`, sql`n.state IN ('scheduled', 'parked')`)
}

/** Plans it again. @returns null if there is none to redrive */
export function redriveNotification(c: Context, id: number): Promise<Found | null> {
  return change(c, id, sql`state = 'scheduled'`, conditionOf({ states: redrivable }))
}

/** @returns whether it was there */
export async function deleteNotification(c: Context, id: number): Promise<boolean> {
  const [, { rows }] = await writeAll(c, (db) => [
    db.execute(expected(c, versionOf(id))),
    db.execute(sql`DELETE FROM notifications WHERE id = ${id}::bigint RETURNING id`),
  ])
  return rows.length > 0
}

export async function countNotifications(
  env: DatabaseEnv,
  filter: NotificationFilter,
): Promise<number> {
  const { rows } = await database(env).execute<{ count: number }>(
    sql`SELECT count(*)::integer AS count FROM notifications AS n WHERE ${conditionOf(filter)}`,
  )
  return rows[0]?.count ?? 0
}

/** @returns the ids of the next `limit` after one, the oldest first */
export async function idsAfter(
  env: DatabaseEnv,
  filter: NotificationFilter,
  after: number,
  limit: number,
): Promise<number[]> {
  const { rows } = await database(env).execute<{ id: string }>(sql`
    SELECT n.id::text AS id FROM notifications AS n
     WHERE ${conditionOf(filter)} AND n.id > ${after}::bigint
     ORDER BY n.id LIMIT ${limit}`)
  return rows.map(({ id }) => Number(id))
}

/**
 * Plans them again, all or none. All of one request are one row of the audit.
 * @returns the ids of those it was done to
 */
export async function redriveNotifications(c: Context, ids: readonly number[]): Promise<number[]> {
  const act = { action: 'redrive', table: 'notifications', key: 'many' }
  const [, { rows }] = await writeAll(c, (db) => [
    db.execute(sql`SELECT ${notedInBulk(act, sql`'{}'`)}`),
    db.execute<{ ids: string }>(sql`
      WITH redriven AS (
        UPDATE notifications AS n SET state = 'scheduled'
         WHERE n.id = ANY (${idList(ids)}::bigint[]) AND ${conditionOf({ states: redrivable })}
        RETURNING n.id)
      SELECT coalesce(json_agg(r.id), '[]')::text AS ids,
             ${notedInBulk(act, sql`jsonb_build_object('redriven', count(*))`)}
        FROM redriven AS r`),
  ])
  return JSON.parse(rows[0]?.ids ?? '[]') as number[]
}

/** Of a version that the request names, if it names any. */
async function change(c: Context, id: number, set: SQL, condition: SQL): Promise<Found | null> {
  const statement = sql`
    UPDATE notifications AS n SET ${set} WHERE n.id = ${id}::bigint AND ${condition} RETURNING n.*`
  const [, { rows }] = await writeAll(c, (db) => [
    db.execute(expected(c, versionOf(id))),
    db.execute<{ json: string }>(asChanges(statement)),
  ])
  return foundIn(rows)[0] ?? null
}

/** Locks the row. */
function versionOf(id: number): SQL {
  return sql`SELECT version::text FROM notifications WHERE id = ${id}::bigint FOR UPDATE`
}

async function rowsOf(env: DatabaseEnv, statement: SQL, order = sql``): Promise<Found[]> {
  const { rows } = await database(env).execute<{ json: string }>(asChanges(statement, order))
  return foundIn(rows)
}

function asChanges(statement: SQL, order = sql``): SQL {
  return sql`
    WITH utc AS MATERIALIZED (SELECT set_config('timezone', 'UTC', true) AS zone), n AS (${statement})
    SELECT CASE WHEN utc.zone = 'UTC' THEN
             json_build_object('notification', to_json(n), 'user', json_build_object(
               'last_opened_at', u.last_opened_at, 'all_read_at', u.all_read_at,
               'all_archived_at', u.all_archived_at)) END::text AS json
      FROM utc CROSS JOIN n JOIN users AS u ON u.id = n.user_id ${order}`
}

function foundIn(rows: readonly { json: string }[]): Found[] {
  return JSON.parse(quoteInexactNumbers(`[${rows.map(({ json }) => json).join()}]`)) as Found[]
}

function conditionOf({ states, user, category }: NotificationFilter): SQL {
  const plain = states?.filter((state) => state !== 'overdue') ?? []
  const asked = [
    ...(plain.length > 0 ? [sql`n.state = ANY (${`{${plain.join()}}`}::text[])`] : []),
    ...(states?.includes('overdue') ? [OVERDUE] : []),
  ]
  return sql.join(
    [
      sql`true`,
      ...(asked.length > 0 ? [sql`(${sql.join(asked, sql` OR `)})`] : []),
      ...(user === undefined ? [] : [sql`n.user_id = ${user}::bigint`]),
      ...(category === undefined ? [] : [sql`n.category = ${category}`]),
    ],
    sql` AND `,
  )
}
