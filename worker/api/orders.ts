import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { limitedBody } from '../doors/strict-body.ts'
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
import { parseCursor } from './keyset.ts'
import type { CursorSecrets } from './opaque.ts'
import { listOrders } from './order-list.ts'
import {
  listQuery,
  newOrder,
  order,
  orderChanges,
  orderId,
  orderPage,
  wholeOrder,
} from './order-schemas.ts'
import { changeOrder, deleteOrder, findOrder, insertOrder } from './order-store.ts'
import { defaultHook, problem, problemResponses } from './problem.ts'

/**
 * Orders over HTTP: an ordinary writer among others. Postgres is authoritative: it settles the
 * status's case, the version and the times, and every change reaches the feed from there, not
 * from here.
 */
export const orders = new OpenAPIHono<{ Bindings: DatabaseEnv & CursorSecrets }>({ defaultHook })

const tags = ['Orders']
const path = '/api/orders'
const onePath = '/api/orders/{id}'
const oneOrder = {
  description: 'The order.',
  content: { 'application/json': { schema: order } },
  headers: tagHeader,
}

const list = createRoute({
  method: 'get',
  path,
  tags,
  summary: 'List orders',
  request: { query: listQuery },
  responses: {
    200: { description: 'A page.', content: { 'application/json': { schema: orderPage } } },
    ...problemResponses('invalid_query', 'invalid_cursor', 'database_unavailable'),
  },
})

orders.openapi(list, async (c) => {
  const query = c.req.valid('query')
  const start =
    query.cursor === undefined ? null : await parseCursor(c.env, query.cursor, query.sort)
  if (start?.ok === false) return problem(c, 'invalid_cursor', { detail: start.detail })
  return c.json(await listOrders(c.env, query, start?.cursor ?? null), 200)
})

const create = createRoute({
  method: 'post',
  path,
  tags,
  summary: 'Create an order',
  middleware: [limitedBody],
  request: {
    headers: onceHeader,
    body: { required: true, content: { 'application/json': { schema: newOrder } } },
  },
  responses: {
    201: { ...oneOrder, headers: madeHeaders },
    ...problemResponses('unknown_users', ...ofCreating),
  },
})

orders.openapi(create, async (c) => {
  const values = c.req.valid('json')
  const made = await insertOrder(c, values)
  if (made === 'unknown') return unknownUser(c, values.customer_id)
  return made
    ? c.json(made, 201, { ...tagged(made.version), Location: `${path}/${made.id}` })
    : goneSince(c)
})

const read = createRoute({
  method: 'get',
  path: onePath,
  tags,
  summary: 'Read an order',
  request: { params: orderId },
  responses: {
    200: oneOrder,
    ...problemResponses('invalid_id', 'not_found', 'database_unavailable'),
  },
})

orders.openapi(read, async (c) => {
  const { id } = c.req.valid('param')
  const row = await findOrder(database(c.env), id)
  return row ? c.json(row, 200, tagged(row.version)) : missing(c, id)
})

const changed = {
  200: oneOrder,
  ...problemResponses('invalid_id', 'not_found', 'unknown_users', ...ofChanging),
}

const replace = createRoute({
  method: 'put',
  path: onePath,
  tags,
  summary: 'Replace an order',
  middleware: [limitedBody],
  request: {
    params: orderId,
    headers: ifMatchHeader,
    body: { required: true, content: { 'application/json': { schema: wholeOrder } } },
  },
  responses: changed,
})

orders.openapi(replace, async (c) => {
  const { id } = c.req.valid('param')
  const values = c.req.valid('json')
  const row = await changeOrder(c, id, values)
  if (row === 'unknown') return unknownUser(c, values.customer_id)
  return row ? c.json(row, 200, tagged(row.version)) : missing(c, id)
})

const change = createRoute({
  method: 'patch',
  path: onePath,
  tags,
  summary: 'Change some fields of an order',
  middleware: [limitedBody],
  request: {
    params: orderId,
    headers: ifMatchHeader,
    body: { required: true, content: { 'application/json': { schema: orderChanges } } },
  },
  responses: changed,
})

orders.openapi(change, async (c) => {
  const { id } = c.req.valid('param')
  const values = c.req.valid('json')
  const row = await changeOrder(c, id, values)
  if (row === 'unknown') return unknownUser(c, values.customer_id)
  return row ? c.json(row, 200, tagged(row.version)) : missing(c, id)
})

const remove = createRoute({
  method: 'delete',
  path: onePath,
  tags,
  summary: 'Delete an order',
  request: { params: orderId, headers: mayIfMatchHeader },
  responses: {
    204: { description: 'It is gone.' },
    ...problemResponses(
      'invalid_id',
      'not_found',
      'conflict',
      'precondition_failed',
      'database_unavailable',
    ),
  },
})

orders.openapi(remove, async (c) => {
  const { id } = c.req.valid('param')
  return (await deleteOrder(c, id)) ? c.body(null, 204) : missing(c, id)
})

function unknownUser(c: Context, id: number | null | undefined) {
  return problem(c, 'unknown_users', {
    detail: `customer_id: there is no user ${id}. Create the user first (POST /api/users), or leave it out.`,
    errors: [{ path: 'customer_id', message: `there is no user ${id}` }],
  })
}

function missing(c: Context, id: number) {
  return problem(c, 'not_found', { detail: `There is no order ${id}.` })
}
