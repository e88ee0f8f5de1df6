import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { NeonDbError } from '@neondatabase/serverless'
import { eq } from 'drizzle-orm'
import type { PgUpdateSetSource } from 'drizzle-orm/pg-core'
import type { Context } from 'hono'
import { orders as table } from '../../drizzle/schema.ts'
import { type DatabaseEnv, database } from './database.ts'
import { rootCause } from './database-failure.ts'
import { parseCursor } from './keyset.ts'
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
import { defaultHook, limitedBody, ofWriting, problem, problemResponses } from './problem.ts'

/**
 * Orders over HTTP: an ordinary writer among others. Postgres is authoritative: it settles the
 * status's case, the version and the times, and every change reaches the feed from there, not
 * from here.
 */
export const orders = new OpenAPIHono<{ Bindings: DatabaseEnv }>({ defaultHook })

const tags = ['Orders']
const path = '/api/orders'
const onePath = '/api/orders/{id}'
const oneOrder = { description: 'The order.', content: { 'application/json': { schema: order } } }

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
  const start = query.cursor === undefined ? null : parseCursor(query.cursor, query.sort)
  if (start?.ok === false) return problem(c, 'invalid_cursor', { detail: start.detail })
  return c.json(await listOrders(database(c.env), query, start?.cursor ?? null), 200)
})

const create = createRoute({
  method: 'post',
  path,
  tags,
  summary: 'Create an order',
  middleware: [limitedBody],
  request: { body: { required: true, content: { 'application/json': { schema: newOrder } } } },
  responses: {
    201: {
      ...oneOrder,
      headers: { Location: { description: 'Where it is.', schema: { type: 'string' } } },
    },
    ...problemResponses('unknown_users', ...ofWriting),
  },
})

orders.openapi(create, async (c) => {
  const values = c.req.valid('json')
  const rows = await unlessUnknown(database(c.env).insert(table).values(values).returning())
  if (rows === null) return unknownUser(c, values.customer_id)
  const [row] = rows
  if (!row) throw new Error('the insert returned no row')
  return c.json(row, 201, { Location: `${path}/${row.id}` })
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
  const [row] = await database(c.env).select().from(table).where(eq(table.id, id))
  return row ? c.json(row, 200) : missing(c, id)
})

const changed = {
  200: oneOrder,
  ...problemResponses('invalid_id', 'not_found', 'unknown_users', ...ofWriting),
}

const replace = createRoute({
  method: 'put',
  path: onePath,
  tags,
  summary: 'Replace an order',
  middleware: [limitedBody],
  request: {
    params: orderId,
    body: { required: true, content: { 'application/json': { schema: wholeOrder } } },
  },
  responses: changed,
})

orders.openapi(replace, async (c) => {
  const { id } = c.req.valid('param')
  const values = c.req.valid('json')
  const rows = await unlessUnknown(update(c, id, values))
  if (rows === null) return unknownUser(c, values.customer_id)
  return rows[0] ? c.json(rows[0], 200) : missing(c, id)
})

const change = createRoute({
  method: 'patch',
  path: onePath,
  tags,
  summary: 'Change some fields of an order',
  middleware: [limitedBody],
  request: {
    params: orderId,
    body: { required: true, content: { 'application/json': { schema: orderChanges } } },
  },
  responses: changed,
})

orders.openapi(change, async (c) => {
  const { id } = c.req.valid('param')
  const values = c.req.valid('json')
  const rows = await unlessUnknown(update(c, id, values))
  if (rows === null) return unknownUser(c, values.customer_id)
  return rows[0] ? c.json(rows[0], 200) : missing(c, id)
})

const remove = createRoute({
  method: 'delete',
  path: onePath,
  tags,
  summary: 'Delete an order',
  request: { params: orderId },
  responses: {
    204: { description: 'It is gone.' },
    ...problemResponses('invalid_id', 'not_found', 'conflict', 'database_unavailable'),
  },
})

orders.openapi(remove, async (c) => {
  const { id } = c.req.valid('param')
  const [row] = await database(c.env)
    .delete(table)
    .where(eq(table.id, id))
    .returning({ id: table.id })
  return row ? c.body(null, 204) : missing(c, id)
})

function update(
  c: Context<{ Bindings: DatabaseEnv }>,
  id: number,
  values: PgUpdateSetSource<typeof table>,
) {
  return database(c.env).update(table).set(values).where(eq(table.id, id)).returning()
}

/** @returns null if there is no such customer */
async function unlessUnknown<Rows>(writing: Promise<Rows>): Promise<Rows | null> {
  try {
    return await writing
  } catch (error) {
    const cause = rootCause(error)
    if (cause instanceof NeonDbError && cause.constraint === 'orders_customer_id_users_id_fk')
      return null
    throw error
  }
}

function unknownUser(c: Context, id: number | null | undefined) {
  return problem(c, 'unknown_users', {
    detail: `customer_id: there is no user ${id}. Create the user first (POST /api/users), or leave it out.`,
    errors: [{ path: 'customer_id', message: `there is no user ${id}` }],
  })
}

function missing(c: Context, id: number) {
  return problem(c, 'not_found', { detail: `There is no order ${id}.` })
}
