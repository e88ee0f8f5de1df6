import { type SQL, sql } from 'drizzle-orm'
import type { NeonHttpDatabase } from 'drizzle-orm/neon-http'
import type { Row } from '../../protocol/change.ts'
import { quoteInexactNumbers } from '../../protocol/exact-numbers.ts'
import { MAX_CHANGE_BYTES } from '../../protocol/link.ts'
import type { WatchedTable } from './watched-tables.ts'

/** A page ends with the row that takes its JSON to so many bytes. */
const PAGE_BYTES = 2_000_000

/** Rows as a change's image has them, and the keys of those that are too large to travel. */
export type RowPage = {
  rows: Row[]
  oversize: Row[]
  /** The key of the last row, if others follow it. */
  next: readonly string[] | null
}

/** `row` or its `key`, as text; of the last also where it stands. */
type Found =
  | { row: string; key: null; after: string[] | null }
  | { row: null; key: string; after: string[] | null }

/**
 * One page of a table in the order of its key, by one statement, so of one moment.
 *
 * It goes from row to row by the index of the primary key and stops when there are enough of them
 * or enough bytes: a page of large rows reads no more than it gives, but for the last. Names in it
 * are the catalog's, which Postgres has quoted; values of callers are parameters.
 *
 * @param after `next` of the page before; null to begin
 */
export async function readRowPage(
  db: NeonHttpDatabase,
  table: WatchedTable,
  after: readonly string[] | null,
  limit: number,
): Promise<RowPage> {
  const { rows: found } = await db.execute<Found>(pageStatement(table, after, limit))
  return {
    rows: parse(found.flatMap(({ row }) => row ?? [])),
    oversize: parse(found.flatMap(({ key }) => key ?? [])),
    next: found.at(-1)?.after ?? null,
  }
}

function parse(texts: readonly string[]): Row[] {
  return JSON.parse(quoteInexactNumbers(`[${texts.join()}]`)) as Row[]
}

function pageStatement(
  { relation, key }: WatchedTable,
  after: readonly string[] | null,
  limit: number,
): SQL {
  const from = sql.raw(relation)
  const columns = (of: string) => sql.raw(key.map((each) => `${of}.${each.sql}`).join(', '))
  const places = (of: string) => sql.raw(key.map((_, place) => `${of}.key_${place}`).join(', '))
  const named = sql.raw(key.map((each, place) => `x.${each.sql} AS key_${place}`).join(', '))
  const given = (texts: readonly string[]) =>
    sql.join(
      key.map(({ type }, place) => sql`${texts[place]}::text::${sql.raw(type ?? 'text')}`),
      sql`, `,
    )
  const image = sql.join(
    key.map(({ name }, place) => sql`${name}::text, ${sql.raw(`page.key_${place}`)}`),
    sql`, `,
  )
  const cursor = sql.raw(key.map((_, place) => `page.key_${place}::text`).join(', '))
  const size = sql.raw(String(MAX_CHANGE_BYTES))

  // As belfry.capture() has it: a row reads the same whatever its reader has set.
  return sql`
    WITH RECURSIVE settings AS MATERIALIZED (
      SELECT concat(set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO, YMD', true),
                    set_config('intervalstyle', 'postgres', true), set_config('bytea_output', 'hex', true),
                    set_config('extra_float_digits', '1', true)) <> '' AS done
    ), page AS (
      SELECT 1 AS place, f.*, octet_length(f.image)::bigint AS bytes
        FROM (SELECT ${named}, CASE WHEN settings.done THEN to_json(x.*)::text END AS image
                FROM settings CROSS JOIN (
                  SELECT * FROM ${from} AS y
                   WHERE ${after === null ? sql`true` : sql`(${columns('y')}) > (${given(after)})`}
                   ORDER BY ${columns('y')} LIMIT 1) AS x) AS f
       UNION ALL
      SELECT p.place + 1, n.*, p.bytes + octet_length(n.image)
        FROM page AS p CROSS JOIN LATERAL (
               SELECT ${named}, to_json(x.*)::text AS image
                 FROM (SELECT * FROM ${from} AS y
                        WHERE (${columns('y')}) > (${places('p')})
                        ORDER BY ${columns('y')} LIMIT 1) AS x) AS n
       WHERE p.place < ${limit}::int AND p.bytes < ${PAGE_BYTES}::bigint
    )
    SELECT CASE WHEN octet_length(page.image) <= ${size} THEN page.image END AS row,
           CASE WHEN octet_length(page.image) > ${size} THEN json_build_object(${image})::text END AS key,
           CASE WHEN page.is_last AND (
                  SELECT true FROM ${from} AS y WHERE (${columns('y')}) > (${places('page')})
                   ORDER BY ${columns('y')} LIMIT 1)
                THEN json_build_array(${cursor}) END AS after
      FROM (SELECT page.*, place = max(place) OVER () AS is_last FROM page) AS page
     ORDER BY page.place`
}
