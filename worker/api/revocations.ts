import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { limitedBody } from '../doors/strict-body.ts'
import { type CutEnv, cutSockets, tellKeyring } from './cut-sockets.ts'
import type { DatabaseEnv } from './database.ts'
import {
  newRevocation,
  type Revocation,
  revocation,
  revocationPage,
  revocationQuery,
} from './key-schemas.ts'
import { listRevocations, revoke } from './key-store.ts'
import { type CursorSecrets, fromOpaque, NOT_OURS, toOpaque } from './opaque.ts'
import { defaultHook, ofWriting, problem, problemResponses } from './problem.ts'
import { writeAll } from './writing.ts'

/**
 * Who was signed out. Postgres is authoritative: whatever was issued to a principal until `since` is
 * good no more, and what is issued after it is. The row is a change of a watched table, by which
 * every socket is found (P96); that they are told from here as well is only quicker.
 */
export const revocations = new OpenAPIHono<{ Bindings: DatabaseEnv & CursorSecrets & CutEnv }>({
  defaultHook,
})

const tags = ['Keys']
const path = '/api/revocations'

const list = createRoute({
  method: 'get',
  path,
  tags,
  summary: 'List who was signed out',
  description: 'By principal: users, the subs of tokens, and keys that were revoked.',
  request: { query: revocationQuery },
  responses: {
    200: { description: 'A page.', content: { 'application/json': { schema: revocationPage } } },
    ...problemResponses('invalid_query', 'invalid_cursor', 'database_unavailable'),
  },
})

const place = z.strictObject({ list: z.literal('revocations'), after: z.string() })

revocations.openapi(list, async (c) => {
  const { limit, cursor, principal } = c.req.valid('query')
  const start = cursor === undefined ? null : place.safeParse(await fromOpaque(c.env, cursor))
  if (start?.success === false) return problem(c, 'invalid_cursor', { detail: NOT_OURS })
  const found = await listRevocations(
    c.env,
    { principal, limit: limit + 1 },
    start?.data.after ?? null,
  )
  const page = found.slice(0, limit)
  const after = found.length > limit ? page.at(-1)?.principal : undefined
  const next_cursor =
    after === undefined ? null : await toOpaque(c.env, { list: 'revocations', after })
  return c.json({ revocations: page, next_cursor }, 200)
})

const create = createRoute({
  method: 'post',
  path,
  tags,
  summary: 'Sign a user out, or whoever has a token',
  description:
    'Within 10 s no token that was issued until now opens anything, and its sockets are closed. What is issued from now on does. A key is revoked at `/api/keys`.',
  middleware: [limitedBody],
  request: { body: { required: true, content: { 'application/json': { schema: newRevocation } } } },
  responses: {
    200: {
      description: 'Since when.',
      content: { 'application/json': { schema: revocation } },
    },
    ...problemResponses(...ofWriting),
  },
})

revocations.openapi(create, async (c) => {
  const given = c.req.valid('json')
  const [, { rows }] = await writeAll(c, (db) => revoke(db, given))
  const made = JSON.parse(rows[0]?.json ?? 'null') as Revocation
  await tellKeyring(c.env)
  cutSockets(c, { principal: made.principal, sinceMs: Date.parse(made.since) })
  return c.json(made, 200)
})
