import { and, desc, eq, getTableColumns, inArray, notInArray, sql } from 'drizzle-orm'
import type { NeonHttpDatabase } from 'drizzle-orm/neon-http'
import type { Context } from 'hono'
import { webhook_endpoints as endpoints, rules } from '../../drizzle/schema.ts'
import type { Operation } from '../../protocol/change.ts'
import type { When } from '../rules/rule.ts'
import { database } from './database.ts'
import { expected } from './entity-tag.ts'
import { writeAll, writeOnce } from './writing.ts'

/**
 * Endpoints and their rules in Postgres, which is authoritative on both; the feed hears of each
 * change. Must hold: an endpoint's rules change as a set, in one transaction, the new ones first:
 * a change of another table that falls between the two in the log is matched by one of them at
 * least. Matched by both it is still one delivery.
 */
export type StoredRule = { table: string; ops: string[]; when: Record<string, unknown> }

export type StoredEndpoint = {
  id: string
  url: string
  description: string
  enabled: boolean
  version: number
  created_at: string
  updated_at: string
  rules: StoredRule[]
  /** Of this version and of these rules: the version does not move with them. */
  tag: string
}

type NewRule = { table: string; ops: Operation[]; when: When }

export type EndpointChanges = {
  url?: string | undefined
  description?: string | undefined
  enabled?: boolean | undefined
  rules?: NewRule[] | undefined
}

export type Place = { created_at: string; id: string }

/** Newest first. */
export async function listEndpoints(
  db: NeonHttpDatabase,
  limit: number,
  before: Place | null,
): Promise<{ endpoints: StoredEndpoint[]; next: Place | null }> {
  const place = sql`(${endpoints.created_at}, ${endpoints.id})`
  const found = await db
    .select(withTag)
    .from(endpoints)
    .where(before ? sql`${place} < (${before.created_at}, ${before.id}::uuid)` : undefined)
    .orderBy(desc(endpoints.created_at), desc(endpoints.id))
    .limit(limit + 1)
  const page = found.slice(0, limit)
  const last = page.at(-1)
  const next = last && found.length > limit ? { created_at: last.created_at, id: last.id } : null
  if (!last) return { endpoints: [], next }
  const owned = await selectRules(
    db,
    page.map(({ id }) => id),
  )
  return { endpoints: page.map((row) => withRules(row, owned)), next }
}

export async function findEndpoint(
  db: NeonHttpDatabase,
  id: string,
): Promise<StoredEndpoint | null> {
  const [[row], owned] = await db.batch([selectEndpoint(db, id), selectRules(db, [id])])
  return row ? withRules(row, owned) : null
}

export async function hasEndpoint(db: NeonHttpDatabase, id: string): Promise<boolean> {
  const found = await db.select({ id: endpoints.id }).from(endpoints).where(eq(endpoints.id, id))
  return found.length > 0
}

/**
 * Once for each idempotency key.
 * @returns null if it was registered before and is gone
 */
export async function insertEndpoint(
  c: Context,
  endpoint: { id: string; url: string; description: string; rules: NewRule[] },
): Promise<StoredEndpoint | null> {
  const { id, url, description } = endpoint
  const stored = await writeOnce(
    c,
    (db) => [
      db.insert(endpoints).values({ id, url, description }),
      db.insert(rules).values(endpoint.rules.map((rule) => rowOf(id, rule))),
      selectEndpoint(db, id),
      selectRules(db, [id]),
    ],
    ([, , [row], owned]) => row && withRules(row, owned),
    async ({ made }) => findEndpoint(database(c.env), made ?? ''),
  )
  return stored ?? null
}

/** @returns null if there is none */
export async function changeEndpoint(
  c: Context,
  id: string,
  { rules: wanted, ...fields }: EndpointChanges,
): Promise<StoredEndpoint | null> {
  const results = await writeAll(c, (db) => [
    lock(db, id),
    db.execute(expected(c, tagOf(id))),
    ...(Object.keys(fields).length > 0
      ? [db.update(endpoints).set(fields).where(eq(endpoints.id, id))]
      : []),
    ...(wanted ? replaceRules(db, id, wanted) : []),
    selectEndpoint(db, id),
    selectRules(db, [id]),
  ])
  const [rows, owned] = results.slice(-2) as [EndpointRow[], RuleRow[]]
  return rows[0] ? withRules(rows[0], owned) : null
}

/** Its rules go with it. @returns whether it was there */
export async function deleteEndpoint(c: Context, id: string): Promise<boolean> {
  const [, , gone] = await writeAll(c, (db) => [
    lock(db, id),
    db.execute(expected(c, tagOf(id))),
    db.delete(endpoints).where(eq(endpoints.id, id)).returning({ id: endpoints.id }),
  ])
  return gone.length > 0
}

/** Which rules it has is compared behind it, so that two who replace them do so one after the other. */
function lock(db: NeonHttpDatabase, id: string) {
  return db.select({ id: endpoints.id }).from(endpoints).where(eq(endpoints.id, id)).for('update')
}

const tag = sql<string>`webhook_endpoints.version || '.' || coalesce((
  SELECT left(md5(string_agg(r.id || ':' || r.version, ',' ORDER BY r.id)), 12)
    FROM rules AS r WHERE r.endpoint = webhook_endpoints.id), '')`

const withTag = { ...getTableColumns(endpoints), tag }

function tagOf(id: string) {
  return sql`SELECT ${tag} FROM ${endpoints} WHERE ${eq(endpoints.id, id)}`
}

type EndpointRow = typeof endpoints.$inferSelect & { tag: string }
type RuleRow = typeof rules.$inferSelect

function selectEndpoint(db: NeonHttpDatabase, id: string) {
  return db.select(withTag).from(endpoints).where(eq(endpoints.id, id))
}

function selectRules(db: NeonHttpDatabase, ids: string[]) {
  return db.select().from(rules).where(inArray(rules.endpoint, ids)).orderBy(rules.id)
}

function replaceRules(db: NeonHttpDatabase, id: string, wanted: readonly NewRule[]) {
  const rows = wanted.map((rule) => rowOf(id, rule))
  const names = rows.map(({ name }) => name)
  const others = and(eq(rules.endpoint, id), notInArray(rules.name, names))
  return [
    ...(rows.length > 0 ? [db.insert(rules).values(rows)] : []),
    db.delete(rules).where(rows.length > 0 ? others : eq(rules.endpoint, id)),
  ]
}

function rowOf(endpoint: string, { table, ops, when }: NewRule): typeof rules.$inferInsert {
  // Names are unique among all rules; nobody chooses these.
  const name = `webhook ${crypto.randomUUID()}`
  return { name, channel: 'webhook', table, ops, when, endpoint }
}

function withRules(row: EndpointRow, owned: readonly RuleRow[]): StoredEndpoint {
  const own = owned.filter(({ endpoint }) => endpoint === row.id)
  return { ...row, rules: own.map(sayRule) }
}

function sayRule({ table, ops, when }: RuleRow): StoredRule {
  return { table, ops, when: when as StoredRule['when'] }
}
