import { sql } from 'drizzle-orm'
import type { NeonHttpDatabase } from 'drizzle-orm/neon-http'
import { isTableWithin, type Scope } from '../../protocol/scope.ts'

/** A table as the feed speaks of it, and as SQL does. */
export type WatchedTable = {
  /** In the feed: `orders`, or `shop.orders` outside the schema public. */
  name: string
  /** In SQL, with the quotes that Postgres put around it: what may stand in a statement. */
  relation: string
  /** In the order of the key. */
  key: readonly KeyColumn[]
  columns: readonly { name: string; type: string }[]
}

/** `sql` and `type` may stand in a statement; `type` is null if the column is gone or renamed. */
export type KeyColumn = { name: string; sql: string; type: string | null }

/** By name. */
export type WatchedTables = ReadonlyMap<string, WatchedTable>

/**
 * What is watched now. Of an ordinary table ONLY its own rows: its triggers hear no rows of tables
 * that inherit from it. Of a partitioned one all rows.
 */
export async function readWatchedTables(db: NeonHttpDatabase): Promise<WatchedTables> {
  const { rows } = await db.execute<WatchedTable>(sql`
    SELECT w."table" AS name,
           CASE c.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END || format('%I.%I', n.nspname, c.relname) AS relation,
           (SELECT json_agg(json_build_object(
                     'name', k.name, 'sql', quote_ident(k.name),
                     'type', (SELECT format('%I.%I', tn.nspname, t.typname)
                                FROM pg_catalog.pg_attribute a
                                JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
                                JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
                               WHERE a.attrelid = c.oid AND a.attname = k.name AND NOT a.attisdropped)
                   ) ORDER BY k.place)
              FROM unnest(w.key_columns) WITH ORDINALITY AS k(name, place)) AS key,
           (SELECT json_agg(json_build_object(
                     'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)
                   ) ORDER BY a.attnum)
              FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
      FROM belfry.watched w
      JOIN pg_catalog.pg_class c ON c.oid = w.relation
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     ORDER BY w."table"`)
  return new Map(rows.map((table) => [table.name, table]))
}

/** Those whose changes are heard there; the others are as if they were not watched. */
export function visibleTables(tables: WatchedTables, scope: Scope): WatchedTables {
  return new Map([...tables].filter(([name]) => isTableWithin(scope, name)))
}
