import { createRoute, OpenAPIHono, type z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { bodyOfAtMost } from '../doors/strict-body.ts'
import { ifMatchHeader, mayIfMatchHeader, ofChanging, tagged, tagHeader } from './entity-tag.ts'
import { ofCreating, onceHeader } from './idempotency.ts'
import { MAX_CONTENT_BYTES } from './notification-content.ts'
import {
  newNotification,
  notification,
  notificationChanges,
  notificationId,
  notificationPage,
  notificationQuery,
  notified,
  sayNotification,
} from './notification-schemas.ts'
import {
  cancelNotification,
  changeNotification,
  deleteNotification,
  type Found,
  findNotification,
  findNotifications,
  listNotifications,
  notify,
} from './notification-store.ts'
import { formatPageCursor, parsePageCursor } from './page-cursor.ts'
import { defaultHook, problem, problemResponses } from './problem.ts'
import { MOST_TOLD, tellInboxes, type WriterEnv } from './tell-inboxes.ts'

/**
 * Notifications over HTTP, for those who run it: an ordinary writer of the table among others.
 * Postgres plans and delivers them; inboxes hear of each by the feed, and of few at once from here.
 */
export const notifications = new OpenAPIHono<{ Bindings: WriterEnv }>({ defaultHook })

/** The content, perhaps escaped, as many users as may be named, and the rest. */
const MAX_NOTIFICATION_BYTES = 8 * MAX_CONTENT_BYTES
const MAX_NAMED = 20

const tags = ['Notifications']
const path = '/api/notifications'
const onePath = '/api/notifications/{id}'
const oneNotification = {
  description: 'The notification.',
  content: { 'application/json': { schema: notification } },
  headers: tagHeader,
}
const limitedNotification = bodyOfAtMost(MAX_NOTIFICATION_BYTES)

const list = createRoute({
  method: 'get',
  path,
  tags,
  summary: 'List notifications',
  description:
    'Of all users, newest first, whatever their state. A page also ends once it holds 2 MB, so it may have fewer than asked for; follow `next_cursor` until it is null.',
  request: { query: notificationQuery },
  responses: {
    200: { description: 'A page.', content: { 'application/json': { schema: notificationPage } } },
    ...problemResponses('invalid_query', 'invalid_cursor', 'database_unavailable'),
  },
})

notifications.openapi(list, async (c) => {
  const { state, user, category, limit, cursor } = c.req.valid('query')
  const start = await parsePageCursor(c.env, 'notifications', cursor)
  if (!start.ok) return problem(c, 'invalid_cursor', { detail: start.detail })
  const filter = { states: state, user, category }
  const { found, next } = await listNotifications(c.env, filter, limit, start.before)
  const next_cursor = await formatPageCursor(c.env, 'notifications', next)
  return c.json({ notifications: found.map(say), next_cursor }, 200)
})

const create = createRoute({
  method: 'post',
  path,
  tags,
  summary: 'Notify a user, some, or everyone',
  description:
    'All or nothing, in one statement: if one of the users is not there, nobody is told. Who wants none of it is counted as declined. To everyone it may take minutes, up to five; if the answer is lost on the way, send the same again with the same `Idempotency-Key`, and nobody is told twice.',
  middleware: [limitedNotification],
  request: {
    headers: onceHeader,
    body: { required: true, content: { 'application/json': { schema: newNotification } } },
  },
  responses: {
    201: {
      description: 'What became of them.',
      content: { 'application/json': { schema: notified } },
    },
    ...problemResponses('unknown_users', ...ofCreating),
  },
})

notifications.openapi(create, async (c) => {
  const { user_id, user_ids, to: _, ...told } = c.req.valid('json')
  const users = user_ids ?? (user_id === undefined ? null : [user_id])
  const { outcome, ...reply } = await notify(c, users, told)
  switch (outcome) {
    case 'unknown_users':
      return unknownUsers(c, (reply as { users: number[] }).users)
    case 'created': {
      const created = reply as z.infer<typeof notified>
      if (created.ids.length <= MOST_TOLD) tell(c, findNotifications(c.env, created.ids))
      return c.json(created, 201)
    }
  }
})

const read = createRoute({
  method: 'get',
  path: onePath,
  tags,
  summary: 'Read a notification',
  request: { params: notificationId },
  responses: {
    200: oneNotification,
    ...problemResponses('invalid_id', 'not_found', 'database_unavailable'),
  },
})

notifications.openapi(read, async (c) => {
  const { id } = c.req.valid('param')
  const found = await findNotification(c.env, id)
  return found ? c.json(say(found), 200, tagOf(found)) : missing(c, id)
})

const change = createRoute({
  method: 'patch',
  path: onePath,
  tags,
  summary: 'Change some fields of a notification',
  description:
    'Also of one that is delivered, but for `scheduled_at`. With a `scheduled_at` it is planned again, even if it was cancelled, declined or parked; null is now.',
  middleware: [limitedNotification],
  request: {
    params: notificationId,
    headers: ifMatchHeader,
    body: { required: true, content: { 'application/json': { schema: notificationChanges } } },
  },
  responses: {
    200: oneNotification,
    ...problemResponses('invalid_id', 'not_found', 'wrong_state', ...ofChanging),
  },
})

notifications.openapi(change, async (c) => {
  const { id } = c.req.valid('param')
  const changed = await changeNotification(c, id, c.req.valid('json'))
  if (changed) {
    tell(c, [changed])
    return c.json(say(changed), 200, tagOf(changed))
  }
  return (await findNotification(c.env, id))
    ? problem(c, 'wrong_state', {
        detail: `Notification ${id} is delivered, and has no time to wait for. Leave scheduled_at out, or create another one.`,
      })
    : missing(c, id)
})

const cancel = createRoute({
  method: 'post',
  path: `${onePath}/cancel`,
  tags,
  summary: 'Cancel a notification that is scheduled or parked',
  request: { params: notificationId, headers: mayIfMatchHeader },
  responses: {
    200: oneNotification,
    ...problemResponses(
      'invalid_id',
      'not_found',
      'wrong_state',
      'precondition_failed',
      'database_unavailable',
    ),
  },
})

notifications.openapi(cancel, async (c) => {
  const { id } = c.req.valid('param')
  const cancelled = await cancelNotification(c, id)
  if (cancelled) {
    tell(c, [cancelled])
    return c.json(say(cancelled), 200, tagOf(cancelled))
  }
  const found = await findNotification(c.env, id)
  return found
    ? problem(c, 'wrong_state', { detail: notCancelled(id, found.notification.state) })
    : missing(c, id)
})

const remove = createRoute({
  method: 'delete',
  path: onePath,
  tags,
  summary: 'Delete a notification',
  description: 'Also one that is delivered: it leaves its user’s inbox. What was mailed, was.',
  request: { params: notificationId, headers: mayIfMatchHeader },
  responses: {
    204: { description: 'It is gone.' },
    ...problemResponses('invalid_id', 'not_found', 'precondition_failed', 'database_unavailable'),
  },
})

notifications.openapi(remove, async (c) => {
  const { id } = c.req.valid('param')
  return (await deleteNotification(c, id)) ? c.body(null, 204) : missing(c, id)
})

/** Their inboxes at once. */
export function tell(
  c: Context<{ Bindings: WriterEnv }>,
  found: readonly Found[] | Promise<readonly Found[]>,
): void {
  const rows = async () => ({
    notifications: (await found).map((each) => each.notification),
  })
  tellInboxes(c, rows())
}

export function say({ notification, user }: Found) {
  return sayNotification(notification, user)
}

export function tagOf({ notification }: Found) {
  return tagged(notification.version as number)
}

export function missing(c: Context, id: number) {
  return problem(c, 'not_found', {
    detail: `There is no notification ${id}. What there is, GET ${path} lists.`,
  })
}

function unknownUsers(c: Context, users: readonly number[]) {
  const named = users.slice(0, MAX_NAMED)
  const more = users.length > named.length ? ' and others' : ''
  return problem(c, 'unknown_users', {
    detail: `There is no user ${named.join(', ')}${more}. Nobody was told anything: create them (POST /api/users), or leave them out.`,
    errors: named.map((id) => ({ path: 'user_ids', message: `there is no user ${id}` })),
  })
}

function notCancelled(id: number, state: unknown): string {
  return state === 'delivered'
    ? `Notification ${id} is delivered. To take it out of the inbox: DELETE ${path}/${id}.`
    : `Notification ${id} is ${state}, and nobody will be told it: there is nothing to cancel.`
}
