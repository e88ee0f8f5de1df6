import { type SQL, sql } from 'drizzle-orm'
import type { NeonHttpDatabase } from 'drizzle-orm/neon-http'
import { type DatabaseEnv, database } from './database.ts'
import type { ApiKey, Revocation } from './key-schemas.ts'

/** API keys and revocations in Postgres, which is authoritative on both: migration 0009. */

/** By id, the highest first. @param before only those with a smaller id */
export async function listKeys(
  env: DatabaseEnv,
  limit: number,
  before: number | null,
): Promise<ApiKey[]> {
  const place = before === null ? sql`true` : sql`k.id < ${before}::bigint`
  const { rows } = await database(env).execute<Json>(
    sql`SELECT ${KEY} AS json FROM belfry.api_keys k WHERE ${place} ORDER BY k.id DESC LIMIT ${limit}`,
  )
  return rows.map(({ json }) => JSON.parse(json))
}

export async function findKey(env: DatabaseEnv, id: number): Promise<ApiKey | null> {
  const { rows } = await database(env).execute<Json>(
    sql`SELECT ${KEY} AS json FROM belfry.api_keys k WHERE k.id = ${id}::bigint`,
  )
  return rows[0] ? JSON.parse(rows[0].json) : null
}

/** @param hash SHA-256 in hex */
export function insertKey(
  db: NeonHttpDatabase,
  values: Pick<ApiKey, 'name' | 'scopes' | 'expires_at' | 'hint' | 'created_by'> & { hash: string },
) {
  const { name, hash, hint, scopes, created_by, expires_at } = values
  return db.execute<Json>(
    sql`INSERT INTO belfry.api_keys AS k (name, hash, hint, scopes, created_by, expires_at)
        VALUES (${name}, decode(${hash}, 'hex'), ${hint},
                ARRAY(SELECT json_array_elements_text(${JSON.stringify(scopes)}::json)),
                ${created_by}, ${expires_at}::timestamptz)
        RETURNING ${KEY} AS json`,
  )
}

/** Of one that was revoked before nothing changes. No row: there is no such key. */
export function revokeKey(db: NeonHttpDatabase, id: number) {
  return db.execute<{ since: string }>(
    sql`UPDATE belfry.api_keys SET revoked_at = coalesce(revoked_at, clock_timestamp())
         WHERE id = ${id}::bigint RETURNING ${timeOf('revoked_at')} AS since`,
  )
}

/** By principal. @param after only those behind it */
export async function listRevocations(
  env: DatabaseEnv,
  { principal, limit }: { principal?: string | undefined; limit: number },
  after: string | null,
): Promise<Revocation[]> {
  const only = principal === undefined ? sql`true` : sql`r.principal = ${principal}`
  const place = after === null ? sql`true` : sql`r.principal > ${after}`
  const { rows } = await database(env).execute<Json>(
    sql`SELECT ${REVOCATION} AS json FROM public.revocations r
         WHERE ${only} AND ${place} ORDER BY r.principal LIMIT ${limit}`,
  )
  return rows.map(({ json }) => JSON.parse(json))
}

export function revoke(
  db: NeonHttpDatabase,
  { principal, reason }: Pick<Revocation, 'principal' | 'reason'>,
) {
  return [
    db.execute(sql`SELECT belfry.revoke(${principal}, ${reason})`),
    db.execute<Json>(
      sql`SELECT ${REVOCATION} AS json FROM public.revocations r WHERE r.principal = ${principal}`,
    ),
  ] as const
}

type Json = { json: string }

/** As the API gives it, whatever the session's time zone is. */
function timeOf(column: string): SQL {
  return sql`to_char(${sql.raw(column)} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')`
}

const KEY = sql`json_build_object(
  'id', k.id, 'name', k.name, 'hint', k.hint, 'scopes', k.scopes, 'created_by', k.created_by,
  'created_at', ${timeOf('k.created_at')}, 'expires_at', ${timeOf('k.expires_at')},
  'revoked_at', ${timeOf('k.revoked_at')}, 'last_used_at', ${timeOf('k.last_used_at')})::text`

const REVOCATION = sql`json_build_object(
  'principal', r.principal, 'since', ${timeOf('r.since')}, 'reason', r.reason)::text`
