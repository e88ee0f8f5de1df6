import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { z } from 'zod'
import { limitedBody } from '../doors/strict-body.ts'
import type { SenderDoor } from '../webhooks/door.ts'
import { type DatabaseEnv, database } from './database.ts'
import {
  ifMatchHeader,
  madeHeaders,
  mayIfMatchHeader,
  ofChanging,
  tagged,
  tagHeader,
} from './entity-tag.ts'
import { goneSince, ofCreating, onceHeader } from './idempotency.ts'
import { type CursorSecrets, fromOpaque, NOT_OURS, toOpaque } from './opaque.ts'
import { pageLimit } from './page-limit.ts'
import { defaultHook, problem, problemResponses } from './problem.ts'
import { endpointPath } from './webhook-delivery-schemas.ts'
import { addressFault, ruleFaults } from './webhook-faults.ts'
import { healthOf } from './webhook-health.ts'
import {
  endpointChanges,
  endpointPage,
  endpointShape,
  newEndpoint,
  registered,
  rotated,
} from './webhook-schemas.ts'
import {
  changeEndpoint,
  deleteEndpoint,
  findEndpoint,
  hasEndpoint,
  insertEndpoint,
  listEndpoints,
  type StoredEndpoint,
} from './webhook-store.ts'
import { note } from './writing.ts'

/**
 * The endpoints of webhooks, for those who run Belfry; app.ts asks for the token. Postgres is
 * authoritative on an endpoint and its rules, the endpoint's own object on its secrets, on how it
 * fares and on what it is owed. The object hears of a change here and from the feed, whichever is
 * first.
 */
export const webhooks = new OpenAPIHono<{ Bindings: Needed }>({ defaultHook })

/** Of env.ts. */
type Needed = DatabaseEnv &
  CursorSecrets & {
    PUBLIC_URL?: string
    WEBHOOKS: { getByName(id: string): SenderDoor }
  }

const tags = ['Webhooks']
const path = '/api/webhooks'
const onePath = '/api/webhooks/{id}'
const oneEndpoint = {
  description: 'The endpoint.',
  content: { 'application/json': { schema: endpointShape } },
  headers: tagHeader,
}

const list = createRoute({
  method: 'get',
  path,
  tags,
  summary: 'List endpoints, newest first',
  request: {
    query: z.strictObject({
      limit: pageLimit,
      cursor: z.string({ error: 'must be given once' }).optional(),
    }),
  },
  responses: {
    200: { description: 'A page.', content: { 'application/json': { schema: endpointPage } } },
    ...problemResponses('invalid_query', 'invalid_cursor', 'database_unavailable'),
  },
})

webhooks.openapi(list, async (c) => {
  const { limit, cursor } = c.req.valid('query')
  const start = cursor === undefined ? null : place.safeParse(await fromOpaque(c.env, cursor))
  if (start?.success === false) return problem(c, 'invalid_cursor', { detail: NOT_OURS })
  const page = await listEndpoints(database(c.env), limit, start?.data ?? null)
  const found = await Promise.all(page.endpoints.map((endpoint) => say(c.env, endpoint)))
  const next_cursor = page.next && (await toOpaque(c.env, { list: LIST, ...page.next }))
  return c.json({ webhooks: found, next_cursor }, 200)
})

const LIST = 'webhooks'
const place = z.strictObject({
  list: z.literal(LIST),
  created_at: z.iso.datetime({ offset: true }),
  id: z.uuid(),
})

const register = createRoute({
  method: 'post',
  path,
  tags,
  summary: 'Register an endpoint',
  description:
    'The answer holds its secret, which is shown this once: the same again, with the same `Idempotency-Key`, is answered without. If the first answer was lost, rotate the secret. Outside a local run it must be https, and at a public address.',
  middleware: [limitedBody],
  request: {
    headers: onceHeader,
    body: { required: true, content: { 'application/json': { schema: newEndpoint } } },
  },
  responses: {
    201: {
      description: 'The endpoint, and its secret.',
      content: { 'application/json': { schema: registered } },
      headers: madeHeaders,
    },
    ...problemResponses(...ofCreating),
  },
})

webhooks.openapi(register, async (c) => {
  const { url, description, rules } = c.req.valid('json')
  const errors = [
    ...(await addressFault(c.env.PUBLIC_URL, url)),
    ...(await ruleFaults(c.env, rules)),
  ]
  if (errors.length > 0) return refuse(c, errors)
  const id = crypto.randomUUID()
  // First its object, so that nothing is ever owed to an endpoint whose secret nobody was shown.
  const secret = await sender(c.env, id).register({ id, url, enabled: true, version: 1 })
  const stored = await insertEndpoint(c, { id, url, description, rules }).catch(
    async (error: unknown) => {
      await sender(c.env, id).forget()
      throw error
    },
  )
  const isNew = stored?.id === id
  if (!isNew) await sender(c.env, id).forget()
  if (!stored) return goneSince(c)
  const body = { ...(await say(c.env, stored)), ...(isNew ? { secret } : {}) }
  return c.json(body, 201, { ...tagged(stored.tag), Location: `${path}/${stored.id}` })
})

const read = createRoute({
  method: 'get',
  path: onePath,
  tags,
  summary: 'Read an endpoint, and how it fares',
  request: { params: endpointPath },
  responses: {
    200: oneEndpoint,
    ...problemResponses('invalid_id', 'not_found', 'database_unavailable'),
  },
})

webhooks.openapi(read, async (c) => {
  const { id } = c.req.valid('param')
  const endpoint = await findEndpoint(database(c.env), id)
  return endpoint ? c.json(await say(c.env, endpoint), 200, tagged(endpoint.tag)) : missing(c, id)
})

const change = createRoute({
  method: 'patch',
  path: onePath,
  tags,
  summary: 'Change an endpoint',
  description:
    'Rules are replaced as a set. While it is switched off, what it is owed is parked; switching it on does not redrive that by itself.',
  middleware: [limitedBody],
  request: {
    params: endpointPath,
    headers: ifMatchHeader,
    body: { required: true, content: { 'application/json': { schema: endpointChanges } } },
  },
  responses: {
    200: oneEndpoint,
    ...problemResponses('invalid_id', 'not_found', ...ofChanging),
  },
})

webhooks.openapi(change, async (c) => {
  const { id } = c.req.valid('param')
  const changes = c.req.valid('json')
  const errors = [
    ...(changes.url === undefined ? [] : await addressFault(c.env.PUBLIC_URL, changes.url)),
    ...(await ruleFaults(c.env, changes.rules ?? [])),
  ]
  if (errors.length > 0) return refuse(c, errors)
  const endpoint = await changeEndpoint(c, id, changes)
  if (!endpoint) return missing(c, id)
  const { url, enabled, version } = endpoint
  await sender(c.env, id).configure({ id, url, enabled, version })
  if (changes.enabled) await sender(c.env, id).switchOn()
  return c.json(await say(c.env, endpoint), 200, tagged(endpoint.tag))
})

const remove = createRoute({
  method: 'delete',
  path: onePath,
  tags,
  summary: 'Delete an endpoint',
  description: 'With its rules, its secrets and everything it is owed.',
  request: { params: endpointPath, headers: mayIfMatchHeader },
  responses: {
    204: { description: 'It is gone.' },
    ...problemResponses('invalid_id', 'not_found', 'precondition_failed', 'database_unavailable'),
  },
})

webhooks.openapi(remove, async (c) => {
  const { id } = c.req.valid('param')
  if (!(await deleteEndpoint(c, id))) return missing(c, id)
  await sender(c.env, id).forget()
  return c.body(null, 204)
})

const rotate = createRoute({
  method: 'post',
  path: `${onePath}/rotate-secret`,
  tags,
  summary: 'Rotate an endpoint’s secret',
  description:
    'For 24 hours each message is signed with both. Rotating again before that ends the older one at once.',
  request: { params: endpointPath },
  responses: {
    200: {
      description: 'The new secret.',
      content: { 'application/json': { schema: rotated } },
    },
    ...problemResponses('invalid_id', 'not_found', 'database_unavailable'),
  },
})

webhooks.openapi(rotate, async (c) => {
  const { id } = c.req.valid('param')
  if (!(await hasEndpoint(database(c.env), id))) return missing(c, id)
  await note(c, { action: 'rotate_secret', table: 'webhook_endpoints', key: id })
  const made = await sender(c.env, id).rotate()
  if (!made) return missing(c, id)
  const previous_secret_until = new Date(made.previousUntil).toISOString()
  return c.json({ secret: made.secret, previous_secret_until }, 200)
})

async function say(env: Needed, endpoint: StoredEndpoint) {
  const { id, url, description, enabled, rules, version, created_at, updated_at } = endpoint
  const health = healthOf(await sender(env, id).condition())
  return { id, url, description, enabled, rules, version, created_at, updated_at, health }
}

function refuse(c: Context, errors: { path: string; message: string }[]) {
  const [first] = errors
  return problem(c, 'invalid_body', { detail: `${first?.path}: ${first?.message}`, errors })
}

function missing(c: Context, id: string) {
  return problem(c, 'not_found', {
    detail: `There is no webhook ${id}. What there is, GET /api/webhooks lists.`,
  })
}

function sender(env: Needed, id: string) {
  return env.WEBHOOKS.getByName(id)
}
