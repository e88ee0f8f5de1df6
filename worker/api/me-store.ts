import { and, desc, type SQL, sql } from 'drizzle-orm'
import type { NeonHttpDatabase } from 'drizzle-orm/neon-http'
import { orders } from '../../drizzle/schema.ts'
import type { Row } from '../../protocol/change.ts'
import { quoteInexactNumbers } from '../../protocol/exact-numbers.ts'
import type { Mark } from '../../protocol/notification.ts'
import type { Place } from '../inbox/door.ts'
import { idList } from './id-list.ts'

/**
 * What a user's own requests ask of Postgres. Must hold: each statement names its user, whose id
 * comes from the token; whatever else is a parameter can only choose among what is theirs.
 * Rows come as a change carries them (`to_json`), with exact numbers and times in UTC.
 */
type Database = NeonHttpDatabase

export type Marked = { notifications: Row[]; user: Row | null }

/** @returns those that are the user's as they are now, with the user */
export async function markSome(
  db: Database,
  user: string,
  { ids, mark, undo }: { ids: readonly number[]; mark: Mark; undo: boolean },
): Promise<Marked> {
  return oneJson(
    db,
    sql`SELECT json_build_object(
          'notifications', coalesce(json_agg(m.r), '[]'),
          'user', (SELECT to_json(u) FROM public.users u WHERE u.id = ${user}::bigint))::text AS json
          FROM belfry.mark_notifications(
            ${user}::bigint, ${idList(ids)}::bigint[], ${mark}, ${undo}::boolean) AS m(r)`,
  )
}

/** @returns null if there is no such user */
export async function markAll(
  db: Database,
  user: string,
  { mark, through, undo }: { mark: Mark; through: string | null; undo: boolean },
): Promise<{ user: Row; before: string | null } | null> {
  return oneJson(
    db,
    sql`SELECT belfry.mark_all(
          ${user}::bigint, ${mark}, ${through}::timestamptz, ${undo}::boolean)::text AS json`,
  )
}

/** @returns null if it is not in the user's inbox */
export async function readOne(
  db: Database,
  user: string,
  id: number,
): Promise<{ notification: Row; user: Row } | null> {
  return oneJson(
    db,
    sql`SELECT json_build_object('notification', to_json(n), 'user', to_json(u))::text AS json
          FROM (SELECT set_config('timezone', 'UTC', true) <> '' AS done) AS settings
         CROSS JOIN public.notifications n JOIN public.users u ON u.id = n.user_id
         WHERE settings.done AND n.id = ${id}::bigint AND n.user_id = ${user}::bigint
           AND n.state = 'delivered' AND n.to_inbox
           AND (n.expires_at IS NULL OR n.expires_at > clock_timestamp())`,
  )
}

/** A page of what is older than the user's object keeps, and one row more if there is one. */
export async function readBeyond(
  db: Database,
  user: string,
  page: { listing: string; category: string | null; before: Place | null; limit: number },
): Promise<Row[]> {
  const { listing, category, before, limit } = page
  return (
    (await oneJson<Row[] | null>(
      db,
      sql`SELECT json_agg(n.r)::text AS json
            FROM belfry.inbox_page(
              ${user}::bigint, ${before?.delivered_at ?? null}::timestamptz, ${before?.id ?? null}::bigint,
              ${limit + 1}::integer, ${listing}, ${category}::text) AS n(r)`,
    )) ?? []
  )
}

/** The newest first; `limit` and one more, if there is one. */
export async function listOwnOrders(
  db: Database,
  user: string,
  { before, limit }: { before: number | null; limit: number },
): Promise<(typeof orders.$inferSelect)[]> {
  return db
    .select()
    .from(orders)
    .where(
      and(
        sql`${orders.customer_id} = ${user}::bigint`,
        before === null ? undefined : sql`${orders.id} < ${before}::bigint`,
      ),
    )
    .orderBy(desc(orders.id))
    .limit(limit + 1)
}

/** The user's row; null if there is none. */
export function readUser(db: Database, user: string): Promise<Row | null> {
  return oneJson(
    db,
    sql`SELECT to_json(u)::text AS json
          FROM (SELECT set_config('timezone', 'UTC', true) <> '' AS done) AS settings
         CROSS JOIN public.users u
         WHERE settings.done AND u.id = ${user}::bigint`,
  )
}

/** The one value of a statement, `json`, read with exact numbers; null if there is no row. */
export async function oneJson<T>(db: Database, statement: SQL): Promise<T> {
  const { rows } = await db.execute<{ json: string | null }>(statement)
  return JSON.parse(quoteInexactNumbers(rows[0]?.json ?? 'null')) as T
}
