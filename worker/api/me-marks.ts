import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { Row } from '../../protocol/change.ts'
import { columnsOf, type Mark, marks, notificationOf } from '../../protocol/notification.ts'
import type { ServedUser } from '../doors/served.ts'
import { limitedBody } from '../doors/strict-body.ts'
import { askInbox, noSuchNotification, noSuchUser } from './ask-inbox.ts'
import { database } from './database.ts'
import { allMarks, described, notificationId, someMarks, undoneMarks } from './me-schemas.ts'
import { type Marked, markAll, markSome } from './me-store.ts'
import { defaultHook, problem, problemResponses } from './problem.ts'

/**
 * A user marks what is theirs. Postgres is authoritative: the mark is written there, and the rows
 * that came of it are told to the user's object, which answers with the counts and moves every
 * other tab. If the object is not reached the feed tells it the same, a moment later; so what has
 * failed may be asked again.
 *
 * A mark names no version, for two who set it say the same. Nor is it in the audit: nobody but the
 * user can make one, the row says when, and a record of what people read is not ours to keep.
 */
export const meMarks = new OpenAPIHono<ServedUser>({ defaultHook })

const tags = ['Inbox']
const path = '/api/me/notifications'
const refusals = ['not_found', 'database_unavailable'] as const
const ofBody = ['invalid_body', 'body_too_large', 'unsupported_media_type'] as const
const instant = z.string().nullable().openapi({ format: 'date-time' })

const one = {
  200: {
    description: 'As it is now.',
    content: {
      'application/json': {
        schema: z.object({ notification: described.notification, counts: described.counts }),
      },
    },
  },
  ...problemResponses('invalid_id', ...refusals),
}

for (const mark of marks)
  for (const method of ['put', 'delete'] as const)
    meMarks.openapi(
      createRoute({
        method,
        path: `${path}/{id}/${mark}`,
        tags,
        summary: method === 'put' ? `Mark as ${mark}` : `No longer ${mark}`,
        request: { params: notificationId },
        responses: one,
      }),
      async (c) => {
        const { id } = c.req.valid('param')
        const undo = method === 'delete'
        const marked = await markSome(database(c.env), c.var.user, { ids: [id], mark, undo })
        const [row] = marked.notifications
        if (!row || !marked.user) return noSuchNotification(c, id)
        const counts = await countsAfter(c, marked.notifications, null)
        if (!counts) return noSuchUser(c)
        return c.json({ notification: notificationOf(row, marked.user), counts }, 200)
      },
    )

const some = createRoute({
  method: 'post',
  path: `${path}/mark`,
  tags,
  summary: 'Mark some of my notifications',
  description: 'Ids that are not in the inbox are passed over.',
  middleware: [limitedBody],
  request: { body: { required: true, content: { 'application/json': { schema: someMarks } } } },
  responses: {
    200: {
      description: 'Those that are in the inbox, as they are now.',
      content: {
        'application/json': {
          schema: z.object({
            notifications: z.array(described.notification),
            counts: described.counts,
          }),
        },
      },
    },
    ...problemResponses(...refusals, ...ofBody),
  },
})

meMarks.openapi(some, async (c) => {
  const marked = await markSome(database(c.env), c.var.user, c.req.valid('json'))
  const counts = await countsAfter(c, marked.notifications, null)
  if (!marked.user || !counts) return noSuchUser(c)
  return c.json({ notifications: seenBy(marked, marked.user), counts }, 200)
})

const open = createRoute({
  method: 'post',
  path: `${path}/open`,
  tags,
  summary: 'Open the list',
  description: 'Whatever was delivered until now is seen.',
  responses: {
    200: {
      description: '`before`: when it was opened last, until now.',
      content: {
        'application/json': { schema: z.object({ counts: described.counts, before: instant }) },
      },
    },
    ...problemResponses(...refusals),
  },
})

meMarks.openapi(open, async (c) => {
  const told = await tellAll(c, { mark: 'seen', through: null, undo: false })
  return told ? c.json({ counts: told.counts, before: told.before }, 200) : noSuchUser(c)
})

const all = createRoute({
  method: 'post',
  path: `${path}/mark-all`,
  tags,
  summary: 'Mark all my notifications',
  middleware: [limitedBody],
  request: { body: { required: true, content: { 'application/json': { schema: allMarks } } } },
  responses: {
    200: {
      description: '`through`: whatever was delivered by then is marked. `before` takes it back.',
      content: {
        'application/json': {
          schema: z.object({ counts: described.counts, before: instant, through: instant }),
        },
      },
    },
    ...problemResponses(...refusals, ...ofBody),
  },
})

meMarks.openapi(all, async (c) => {
  const { mark, through = null } = c.req.valid('json')
  const told = await tellAll(c, { mark, through, undo: false })
  return told ? c.json(told, 200) : noSuchUser(c)
})

const undo = createRoute({
  method: 'post',
  path: `${path}/mark-all/undo`,
  tags,
  summary: 'Take a mark of all back',
  middleware: [limitedBody],
  request: { body: { required: true, content: { 'application/json': { schema: undoneMarks } } } },
  responses: {
    200: {
      description: 'What was marked since `before` by marking all is so no more.',
      content: { 'application/json': { schema: z.object({ counts: described.counts }) } },
    },
    ...problemResponses(...refusals, ...ofBody),
  },
})

/** By how much Postgres's clock may be ahead of ours. */
const SKEW_MS = 60_000

meMarks.openapi(undo, async (c) => {
  const { mark, before } = c.req.valid('json')
  if (before !== null && Date.parse(before) > Date.now() + SKEW_MS)
    return problem(c, 'invalid_body', {
      detail: 'before: lies in the future; give what the answer to mark-all gave.',
    })
  const told = await tellAll(c, { mark, through: before, undo: true })
  return told ? c.json({ counts: told.counts }, 200) : noSuchUser(c)
})

async function tellAll(
  c: Context<ServedUser>,
  asked: { mark: Mark; through: string | null; undo: boolean },
) {
  const marked = await markAll(database(c.env), c.var.user, asked)
  if (!marked) return null
  const counts = await countsAfter(c, [], marked.user)
  const through = marked.user[columnsOf[asked.mark].all] as string | null
  return counts && { counts, before: marked.before, through }
}

/** @returns null if there is no such user */
async function countsAfter(c: Context<ServedUser>, notifications: Row[], user: Row | null) {
  const rows = { notifications, user }
  const standing = await askInbox(c, (inbox, feed) => inbox.written(rows, feed))
  return standing?.counts ?? null
}

function seenBy({ notifications }: Marked, user: Row) {
  return notifications.map((row) => notificationOf(row, user))
}
