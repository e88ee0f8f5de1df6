import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { sql } from 'drizzle-orm'
import type { Context } from 'hono'
import { hashOfKey, newApiKey } from '../doors/api-key.ts'
import { limitedBody } from '../doors/strict-body.ts'
import { type CutEnv, cutSockets, tellKeyring } from './cut-sockets.ts'
import type { DatabaseEnv } from './database.ts'
import { expected, madeHeaders, mayIfMatchHeader, tagged, tagHeader } from './entity-tag.ts'
import { goneSince, ofCreating, onceHeader } from './idempotency.ts'
import {
  type ApiKey,
  apiKey,
  keyId,
  keyPage,
  keyQuery,
  type MadeKey,
  madeKey,
  newKey,
} from './key-schemas.ts'
import { findKey, insertKey, listKeys, revokeKey } from './key-store.ts'
import type { CursorSecrets } from './opaque.ts'
import { formatPageCursor, parsePageCursor } from './page-cursor.ts'
import { defaultHook, problem, problemResponses } from './problem.ts'
import { whoAsks, writeAll, writeOnce } from './writing.ts'

/**
 * API keys, for machines. Postgres is authoritative, and knows only the hash of each: the key itself
 * is in the answer to whoever makes it, and nowhere else (P95, P106). One that is revoked stays in
 * the list, and is good for nothing within 10 s (P96).
 */
export const keys = new OpenAPIHono<{ Bindings: DatabaseEnv & CursorSecrets & CutEnv }>({
  defaultHook,
})

const tags = ['Keys']
const path = '/api/keys'
const onePath = '/api/keys/{id}'
const HINT_CHARACTERS = 11

const list = createRoute({
  method: 'get',
  path,
  tags,
  summary: 'List API keys',
  description: 'The newest first, revoked ones too.',
  request: { query: keyQuery },
  responses: {
    200: { description: 'A page.', content: { 'application/json': { schema: keyPage } } },
    ...problemResponses('invalid_query', 'invalid_cursor', 'database_unavailable'),
  },
})

keys.openapi(list, async (c) => {
  const { limit, cursor } = c.req.valid('query')
  const start = await parsePageCursor(c.env, 'keys', cursor)
  if (!start.ok) return problem(c, 'invalid_cursor', { detail: start.detail })
  const found = await listKeys(c.env, limit + 1, start.before)
  const page = found.slice(0, limit)
  const next = found.length > limit ? (page.at(-1)?.id ?? null) : null
  return c.json({ keys: page, next_cursor: await formatPageCursor(c.env, 'keys', next) }, 200)
})

const create = createRoute({
  method: 'post',
  path,
  tags,
  summary: 'Make an API key',
  description: 'The answer holds the key, this once. It is good at once.',
  middleware: [limitedBody],
  request: {
    headers: onceHeader,
    body: { required: true, content: { 'application/json': { schema: newKey } } },
  },
  responses: {
    201: {
      description: 'The key: keep it where secrets are kept.',
      content: { 'application/json': { schema: madeKey } },
      headers: madeHeaders,
    },
    ...problemResponses(...ofCreating),
  },
})

keys.openapi(create, async (c) => {
  const given = c.req.valid('json')
  const key = newApiKey()
  const hash = await hashOfKey(key)
  const hint = key.slice(0, HINT_CHARACTERS)
  const values = { ...given, hash, hint, created_by: whoAsks(c).name }
  const made = await writeOnce(
    c,
    (db) => [insertKey(db, values)],
    ([{ rows }]): MadeKey => ({ ...(JSON.parse(rows[0]?.json ?? 'null') as ApiKey), key }),
    async (before) => {
      const known = await findKey(c.env, Number(before.made))
      return known && { ...known, key: null }
    },
  )
  if (!made) return goneSince(c)
  await tellKeyring(c.env)
  return c.json(made, 201, { ...tagOf(made), Location: `${path}/${made.id}` })
})

const read = createRoute({
  method: 'get',
  path: onePath,
  tags,
  summary: 'Read an API key: all but the key itself',
  request: { params: keyId },
  responses: {
    200: {
      description: 'The key.',
      content: { 'application/json': { schema: apiKey } },
      headers: tagHeader,
    },
    ...problemResponses('invalid_id', 'not_found', 'database_unavailable'),
  },
})

keys.openapi(read, async (c) => {
  const { id } = c.req.valid('param')
  const key = await findKey(c.env, id)
  return key ? c.json(key, 200, tagOf(key)) : missing(c, id)
})

const remove = createRoute({
  method: 'delete',
  path: onePath,
  tags,
  summary: 'Revoke an API key',
  description: 'Within 10 s it opens nothing, and its sockets are closed. There is no way back.',
  request: { params: keyId, headers: mayIfMatchHeader },
  responses: {
    204: { description: 'It is revoked.' },
    ...problemResponses('invalid_id', 'not_found', 'precondition_failed', 'database_unavailable'),
  },
})

keys.openapi(remove, async (c) => {
  const { id } = c.req.valid('param')
  const state = sql`SELECT CASE WHEN revoked_at IS NULL THEN ${GOOD} ELSE ${REVOKED} END
                      FROM belfry.api_keys WHERE id = ${id}::bigint FOR UPDATE`
  const [, { rows }] = await writeAll(c, (db) => [
    db.execute(expected(c, state)),
    revokeKey(db, id),
  ])
  const [row] = rows
  if (!row) return missing(c, id)
  await tellKeyring(c.env)
  cutSockets(c, { principal: `key:${id}`, sinceMs: Date.parse(row.since) })
  return c.body(null, 204)
})

/** When it was last used makes it no other key. */
function tagOf({ revoked_at }: ApiKey) {
  return tagged(revoked_at === null ? GOOD : REVOKED)
}

const GOOD = '1'
const REVOKED = '2'

function missing(c: Context, id: number) {
  return problem(c, 'not_found', {
    detail: `There is no key ${id}. What there is, GET ${path} lists.`,
  })
}
