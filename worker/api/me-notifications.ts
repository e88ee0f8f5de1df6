import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { Row } from '../../protocol/change.ts'
import { notificationOf } from '../../protocol/notification.ts'
import { formatPosition } from '../../protocol/position.ts'
import type { ServedUser } from '../doors/served.ts'
import type { PageRequest } from '../inbox/door.ts'
import { askInbox, noSuchNotification, noSuchUser } from './ask-inbox.ts'
import { database } from './database.ts'
import { described, listQuery, notificationId, notificationPage } from './me-schemas.ts'
import { readBeyond, readOne } from './me-store.ts'
import { formatPlaceCursor, parsePlaceCursor } from './place-cursor.ts'
import { defaultHook, problem, problemResponses } from './problem.ts'

/**
 * A user reads their inbox. The newest come from the user's own object; what is older than it
 * keeps is asked of Postgres, in the same order.
 */
export const meNotifications = new OpenAPIHono<ServedUser>({ defaultHook })

const tags = ['Inbox']
const path = '/api/me/notifications'

const list = createRoute({
  method: 'get',
  path,
  tags,
  summary: 'List my notifications',
  description: 'The newest first.',
  request: { query: listQuery },
  responses: {
    200: { description: 'A page.', content: { 'application/json': { schema: notificationPage } } },
    ...problemResponses(
      'invalid_query',
      'invalid_cursor',
      'not_found',
      'not_configured',
      'database_unavailable',
    ),
  },
})

meNotifications.openapi(list, async (c) => {
  const { user } = c.var
  const { listing, category = null, limit, cursor } = c.req.valid('query')
  const start = await parsePlaceCursor(c.env, user, cursor)
  if (!start.ok) return problem(c, 'invalid_cursor', { detail: start.detail })
  const request = { listing, category, before: start.before, limit }
  const found = await askInbox(c, (inbox, feed) => inbox.page(request, feed))
  if (found.kind === 'nobody') return noSuchUser(c)
  const { notifications, isLast } =
    found.kind === 'page' ? found : await beyond(c, request, found.user)
  return c.json(
    {
      notifications,
      next_cursor: isLast ? null : await formatPlaceCursor(c.env, user, notifications.at(-1)),
      counts: found.standing.counts,
      position: formatPosition(found.standing.position),
    },
    200,
  )
})

async function beyond(c: Context<ServedUser>, request: PageRequest, person: Row) {
  const rows = await readBeyond(database(c.env), c.var.user, request)
  const notifications = rows.slice(0, request.limit).map((row) => notificationOf(row, person))
  return { notifications, isLast: rows.length <= request.limit }
}

const read = createRoute({
  method: 'get',
  path: `${path}/{id}`,
  tags,
  summary: 'Read one of my notifications',
  request: { params: notificationId },
  responses: {
    200: {
      description: 'It.',
      content: {
        'application/json': { schema: z.object({ notification: described.notification }) },
      },
    },
    ...problemResponses('invalid_id', 'not_found', 'not_configured', 'database_unavailable'),
  },
})

meNotifications.openapi(read, async (c) => {
  const { id } = c.req.valid('param')
  const found = await readOne(database(c.env), c.var.user, id)
  if (!found) return noSuchNotification(c, id)
  return c.json({ notification: notificationOf(found.notification, found.user) }, 200)
})
