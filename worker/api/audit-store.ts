import { type SQL, sql } from 'drizzle-orm'
import type { NeonHttpDatabase } from 'drizzle-orm/neon-http'
import { oneJson } from './me-store.ts'

/** The audit in Postgres (migration 0009), read. */
export type AuditEntry = {
  id: number
  at: string
  request: string
  principal: string
  name: string | null
  role: string
  action: string
  table: string
  key: string
  version: number | null
  changed: Record<string, unknown>
}

type Filter = { [Field in 'principal' | 'table' | 'key' | 'request']?: string | undefined }

/** Newest first. @param before only those with a smaller id */
export async function listAudit(
  db: NeonHttpDatabase,
  filter: Filter,
  limit: number,
  before: number | null,
): Promise<AuditEntry[]> {
  const conditions: SQL[] = [
    before === null ? sql`true` : sql`a.id < ${before}::bigint`,
    ...Object.entries(filter).flatMap(([column, value]) =>
      value === undefined ? [] : [sql`a.${sql.identifier(column)} = ${value}`],
    ),
  ]
  return oneJson(
    db,
    sql`SELECT coalesce(json_agg(to_json(e) ORDER BY e.id DESC), '[]')::text AS json
          FROM (SELECT a.id, a.at, a.request, a.principal,
                       CASE WHEN a.principal ~ '^key:\\d{1,18}$' THEN
                              (SELECT k.name FROM belfry.api_keys k WHERE k.id = substr(a.principal, 5)::bigint)
                            WHEN a.principal ~ '^user:\\d{1,18}$' THEN
                              (SELECT u.name FROM public.users u WHERE u.id = substr(a.principal, 6)::bigint)
                       END AS name,
                       a.role, a.action, a."table", a.key, a.version, a.changed
                  FROM (SELECT set_config('timezone', 'UTC', true) <> '' AS done) AS settings
                 CROSS JOIN belfry.audit a
                 WHERE settings.done AND ${sql.join(conditions, sql` AND `)}
                 ORDER BY a.id DESC LIMIT ${limit}) AS e`,
  )
}
