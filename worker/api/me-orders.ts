import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { OwnScope } from '../../protocol/scope.ts'
import type { ServedUser } from '../doors/served.ts'
import { database } from './database.ts'
import { listOwnOrders } from './me-store.ts'
import { orderPage } from './order-schemas.ts'
import { formatPageCursor, parsePageCursor } from './page-cursor.ts'
import { pageLimit } from './page-limit.ts'
import { defaultHook, problem, problemResponses } from './problem.ts'
import { subscribeSocket, subscribeStream } from './subscribing.ts'

/** A user's own orders: those of which they are the customer, and how these change. */
export const meOrders = new OpenAPIHono<ServedUser>({ defaultHook })

const tags = ['Inbox']
const path = '/api/me/orders'
const TABLE = 'orders'

const list = createRoute({
  method: 'get',
  path,
  tags,
  summary: 'List my orders',
  description: 'The newest first.',
  request: {
    query: z.strictObject({
      limit: pageLimit,
      cursor: z
        .string({ error: 'must be given once' })
        .optional()
        .openapi({ description: 'next_cursor of the page before.' }),
    }),
  },
  responses: {
    200: { description: 'A page.', content: { 'application/json': { schema: orderPage } } },
    ...problemResponses(
      'invalid_query',
      'invalid_cursor',
      'not_configured',
      'database_unavailable',
    ),
  },
})

meOrders.openapi(list, async (c) => {
  const { user } = c.var
  const { limit, cursor } = c.req.valid('query')
  const start = await parsePageCursor(c.env, listOf(user), cursor)
  if (!start.ok) return problem(c, 'invalid_cursor', { detail: start.detail })
  const page = { before: start.before, limit }
  const rows = await listOwnOrders(database(c.env), user, page)
  const orders = rows.slice(0, limit)
  const next = rows.length > limit ? (orders.at(-1)?.id ?? null) : null
  return c.json({ orders, next_cursor: await formatPageCursor(c.env, listOf(user), next) }, 200)
})

for (const [end, status, summary] of [
  ['ws', 101, 'Follow my orders over WebSocket'],
  ['stream', 200, 'Follow my orders as server-sent events'],
] as const)
  meOrders.openAPIRegistry.registerPath({
    method: 'get',
    path: `${path}/${end}`,
    tags,
    summary,
    description:
      'As the feed has them, but only mine: an order that becomes mine is an insert, one that ceases to be a delete. Takes the query of `/api/changes`, without `table`; a `ticket` opens it too.',
    request: {
      query: z.object({
        after: z.string().optional(),
        epoch: z.string().optional(),
        ticket: z.string().optional(),
      }),
    },
    responses: {
      [status]: { description: 'It begins.' },
      ...problemResponses('invalid_filter', 'invalid_position', 'not_configured'),
    },
  })

meOrders.get(`${path}/ws`, (c) => {
  const search = ownSearch(c.req.url)
  return subscribeSocket(c, search, scopeOf(c.var.user))
})

meOrders.get(`${path}/stream`, (c) => {
  const search = ownSearch(c.req.url)
  return subscribeStream(c, search, scopeOf(c.var.user))
})

function scopeOf(user: string): OwnScope {
  return { kind: 'own', table: TABLE, column: 'customer_id', value: user }
}

/** Another table than this is refused as not watched: of none but this is anything in the scope. */
function ownSearch(url: string): URLSearchParams {
  const search = new URL(url).searchParams
  if (!search.has('table')) search.set('table', TABLE)
  return search
}

function listOf(user: string): string {
  return `orders of ${user}`
}
