import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { limitedBody } from '../doors/strict-body.ts'
import { whyRefused, writeByHalves } from './by-halves.ts'
import { tagHeader } from './entity-tag.ts'
import { notification, notificationId, redrivable, redriveOrder } from './notification-schemas.ts'
import {
  countNotifications,
  findNotification,
  findNotifications,
  idsAfter,
  type NotificationFilter,
  redriveNotification,
  redriveNotifications,
} from './notification-store.ts'
import { missing, say, tagOf, tell } from './notifications.ts'
import { defaultHook, problem, problemResponses } from './problem.ts'
import { MOST_TOLD, type WriterEnv } from './tell-inboxes.ts'

/**
 * Trying again, by hand, what was not delivered (P89). It is planned anew, by what its user wants
 * now; what is due already is then delivered at once. One that the database refuses stays as it
 * is, and holds back none of the others.
 */
export const notificationRedrive = new OpenAPIHono<{ Bindings: WriterEnv }>({ defaultHook })

const PAGE = 1_000
const MOST_NAMED = 100

const tags = ['Notifications']
const path = '/api/notifications'

const refusal = z.object({
  id: z.int().openapi({ example: 57 }),
  message: z
    .string()
    .openapi({ example: 'A trigger of the database refuses it (SQLSTATE P0001).' }),
})

const many = createRoute({
  method: 'post',
  path: `${path}/redrive`,
  tags,
  summary: 'Try all again that a filter names, or count them',
  description:
    'Those that are parked; with `state` also those that are declined, cancelled or overdue. Each is planned again by what its user wants now, so that one may be declined again. Count with `dry_run` first. An empty filter is taken with `"all": true` only. If the database fails on the way, what was done is done: send the same again.',
  middleware: [limitedBody],
  request: {
    body: { required: true, content: { 'application/json': { schema: redriveOrder } } },
  },
  responses: {
    200: {
      description: 'How many would be, or are, planned again.',
      content: {
        'application/json': {
          schema: z.union([
            z.object({ matching: z.int() }),
            z.object({
              redriven: z.int(),
              refused: z.int().openapi({ description: 'What the database would not take.' }),
              refusals: z.array(refusal).openapi({ description: `The first ${MOST_NAMED}.` }),
            }),
          ]),
        },
      },
    },
    ...problemResponses(
      'invalid_body',
      'body_too_large',
      'unsupported_media_type',
      'database_unavailable',
    ),
  },
})

notificationRedrive.openapi(many, async (c) => {
  const { filter, dry_run } = c.req.valid('json')
  const { state = ['parked'], user, category } = filter
  const wanted = { states: state, user, category }
  if (dry_run) return c.json({ matching: await countNotifications(c.env, wanted) }, 200)
  const { redriven, first, refusals } = await redriveAll(c, wanted)
  if (redriven > 0 && redriven <= MOST_TOLD) tell(c, findNotifications(c.env, first))
  const refused = refusals.length
  return c.json({ redriven, refused, refusals: refusals.slice(0, MOST_NAMED) }, 200)
})

/** @returns `first`: ids of the first few that were redriven */
async function redriveAll(c: Context, filter: NotificationFilter) {
  const refusals: z.infer<typeof refusal>[] = []
  const first: number[] = []
  let redriven = 0
  for (let after: number | undefined = 0; after !== undefined; ) {
    const ids: number[] = await idsAfter(c.env, filter, after, PAGE)
    await writeByHalves(
      ids,
      async (some) => {
        const done = await redriveNotifications(c, some)
        redriven += done.length
        first.push(...done.slice(0, MOST_TOLD - first.length))
      },
      (id, message) => refusals.push({ id, message }),
    )
    after = ids.length < PAGE ? undefined : ids.at(-1)
  }
  return { redriven, first, refusals }
}

const one = createRoute({
  method: 'post',
  path: `${path}/{id}/redrive`,
  tags,
  summary: 'Try one again',
  description: 'One that is parked, declined, cancelled or overdue: it is planned anew.',
  request: { params: notificationId },
  responses: {
    200: {
      description: 'As it is now: delivered, if it is due, or declined again.',
      content: { 'application/json': { schema: notification } },
      headers: tagHeader,
    },
    ...problemResponses(
      'invalid_id',
      'not_found',
      'wrong_state',
      'unprocessable',
      'database_unavailable',
    ),
  },
})

notificationRedrive.openapi(one, async (c) => {
  const { id } = c.req.valid('param')
  try {
    const redriven = await redriveNotification(c, id)
    if (redriven) {
      tell(c, [redriven])
      return c.json(say(redriven), 200, tagOf(redriven))
    }
  } catch (error) {
    const why = whyRefused(error)
    if (why === null) throw error
    return problem(c, 'unprocessable', {
      detail: `Notification ${id} stays as it is. ${why} Once that is mended, redrive it again.`,
    })
  }
  const found = await findNotification(c.env, id)
  if (!found) return missing(c, id)
  const { state } = found.notification
  return problem(c, 'wrong_state', {
    detail:
      state === 'delivered'
        ? `Notification ${id} is delivered: there is nothing to try again.`
        : `Notification ${id} is ${state} and not late: it comes by itself. Only ${redrivable.join(', ')} ones are redriven.`,
  })
})
