import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { DeliveryState } from '../../protocol/delivery-states.ts'
import { limitedBody } from '../doors/strict-body.ts'
import type { Env } from '../env.ts'
import { database } from './database.ts'
import { formatPageCursor, parsePageCursor } from './page-cursor.ts'
import { defaultHook, problem, problemResponses } from './problem.ts'
import {
  deliveryPage,
  deliveryPath,
  deliveryQuery,
  deliveryStory,
  endpointPath,
  filterOf,
  redriveOrder,
  sayDelivery,
} from './webhook-delivery-schemas.ts'
import { hasEndpoint } from './webhook-store.ts'
import { note } from './writing.ts'

/**
 * What one endpoint is owed and was sent. The ledger of the endpoint's own object is
 * authoritative: what may be redriven or cancelled it decides, at the moment it is asked.
 */
export const webhookDeliveries = new OpenAPIHono<{ Bindings: Env }>({ defaultHook })

const tags = ['Webhooks']
const path = '/api/webhooks/{id}/deliveries'
const onePath = '/api/webhooks/{id}/deliveries/{delivery}'

const list = createRoute({
  method: 'get',
  path,
  tags,
  summary: 'List an endpoint’s deliveries, newest first',
  request: { params: endpointPath, query: deliveryQuery },
  responses: {
    200: { description: 'A page.', content: { 'application/json': { schema: deliveryPage } } },
    ...problemResponses(
      'invalid_id',
      'invalid_query',
      'invalid_cursor',
      'not_found',
      'database_unavailable',
    ),
  },
})

webhookDeliveries.openapi(list, async (c) => {
  const { id } = c.req.valid('param')
  const { limit, cursor, ...asked } = c.req.valid('query')
  const start = await parsePageCursor(c.env, id, cursor)
  if (!start.ok) return problem(c, 'invalid_cursor', { detail: start.detail })
  const sender = await senderOf(c.env, id)
  if (!sender) return missing(c, id)
  const [page, counts] = await Promise.all([
    sender.list(filterOf(asked), limit, start.before),
    sender.counts(),
  ])
  const next_cursor = await formatPageCursor(c.env, id, page.next)
  return c.json({ deliveries: page.deliveries.map(sayDelivery), next_cursor, counts }, 200)
})

const one = createRoute({
  method: 'get',
  path: onePath,
  tags,
  summary: 'Read one delivery: its whole history, and what is sent',
  request: { params: deliveryPath },
  responses: {
    200: {
      description: 'The delivery.',
      content: { 'application/json': { schema: deliveryStory } },
    },
    ...problemResponses('invalid_id', 'not_found', 'database_unavailable'),
  },
})

webhookDeliveries.openapi(one, async (c) => {
  const { id, delivery } = c.req.valid('param')
  const sender = await senderOf(c.env, id)
  const story = await sender?.story(delivery)
  if (!sender || !story) return missing(c, id, delivery)
  const { history, body } = story
  return c.json({ ...sayDelivery(story), history, body }, 200)
})

const test = createRoute({
  method: 'post',
  path: '/api/webhooks/{id}/test',
  tags,
  summary: 'Send a test',
  description:
    'Of the type `belfry.test`, signed like any other. It is an ordinary delivery: what came of it, the list says.',
  request: { params: endpointPath },
  responses: {
    202: {
      description: 'It is owed, and sent at once if the endpoint is on.',
      content: {
        'application/json': {
          schema: z.object({
            change: z.uuid().openapi({ description: 'Sent as `webhook-id`.' }),
          }),
        },
      },
    },
    ...problemResponses('invalid_id', 'not_found', 'database_unavailable'),
  },
})

webhookDeliveries.openapi(test, async (c) => {
  const { id } = c.req.valid('param')
  const sender = await senderOf(c.env, id)
  if (!sender) return missing(c, id)
  await note(c, { action: 'test', table: 'webhook_endpoints', key: id })
  return c.json({ change: await sender.sendTest(id) }, 202)
})

const redriven = z.object({ redriven: z.int() })

const redriveMany = createRoute({
  method: 'post',
  path: `${path}/redrive`,
  tags,
  summary: 'Try all again that a filter names, or count them',
  description:
    'Of what the filter names only that is tried again which one redrive would: parked, unknown, cancelled. Count with `dry_run` first.',
  middleware: [limitedBody],
  request: {
    params: endpointPath,
    body: { required: true, content: { 'application/json': { schema: redriveOrder } } },
  },
  responses: {
    200: {
      description: 'How many would be, or are, queued.',
      content: {
        'application/json': { schema: z.union([z.object({ matching: z.int() }), redriven]) },
      },
    },
    ...problemResponses(
      'invalid_id',
      'invalid_body',
      'not_found',
      'wrong_state',
      'body_too_large',
      'unsupported_media_type',
      'database_unavailable',
    ),
  },
})

webhookDeliveries.openapi(redriveMany, async (c) => {
  const { id } = c.req.valid('param')
  const { filter, dry_run } = c.req.valid('json')
  const sender = await senderOf(c.env, id)
  if (!sender) return missing(c, id)
  const wanted = filterOf(filter)
  if (dry_run) return c.json({ matching: await sender.countRedrivable(wanted) }, 200)
  if (await sender.isOff()) return problem(c, 'wrong_state', { detail: switchOnFirst(id) })
  await note(c, { action: 'redrive', table: 'webhook_deliveries', key: id, changed: { filter } })
  return c.json({ redriven: await sender.redrive(wanted) }, 200)
})

const redriveOne = createRoute({
  method: 'post',
  path: `${onePath}/redrive`,
  tags,
  summary: 'Try one again',
  description: 'One that is parked, unknown or cancelled, with the same `webhook-id`.',
  request: { params: deliveryPath },
  responses: {
    200: { description: 'It is queued.', content: { 'application/json': { schema: redriven } } },
    ...problemResponses('invalid_id', 'not_found', 'wrong_state', 'database_unavailable'),
  },
})

webhookDeliveries.openapi(redriveOne, async (c) => {
  const { id, delivery } = c.req.valid('param')
  const sender = await senderOf(c.env, id)
  const story = await sender?.story(delivery)
  if (!sender || !story) return missing(c, id, delivery)
  if (await sender.isOff()) return problem(c, 'wrong_state', { detail: switchOnFirst(id) })
  await note(c, { action: 'redrive', table: 'webhook_deliveries', key: keyOf(id, delivery) })
  const count = await sender.redrive({ id: delivery })
  return count > 0
    ? c.json({ redriven: count }, 200)
    : problem(c, 'wrong_state', { detail: notRedriven(delivery, story.state) })
})

const cancel = createRoute({
  method: 'post',
  path: `${onePath}/cancel`,
  tags,
  summary: 'Cancel one that waits',
  request: { params: deliveryPath },
  responses: {
    200: {
      description: 'It will not be sent.',
      content: { 'application/json': { schema: z.object({ cancelled: z.literal(true) }) } },
    },
    ...problemResponses('invalid_id', 'not_found', 'wrong_state', 'database_unavailable'),
  },
})

webhookDeliveries.openapi(cancel, async (c) => {
  const { id, delivery } = c.req.valid('param')
  const sender = await senderOf(c.env, id)
  if (!sender) return missing(c, id, delivery)
  await note(c, { action: 'cancel', table: 'webhook_deliveries', key: keyOf(id, delivery) })
  const outcome = await sender.cancel(delivery)
  if (outcome === 'cancelled') return c.json({ cancelled: true as const }, 200)
  return outcome === 'missing'
    ? missing(c, id, delivery)
    : problem(c, 'wrong_state', {
        detail: `Delivery ${delivery} waits no more, or is on its way: GET ${c.req.path.replace(/\/cancel$/, '')} says what came of it.`,
      })
})

/** In the audit. */
function keyOf(id: string, delivery: number): string {
  return `${id}/${delivery}`
}

/** @returns null if there is no such endpoint */
async function senderOf(env: Env, id: string) {
  return (await hasEndpoint(database(env), id)) ? env.WEBHOOKS.getByName(id) : null
}

function switchOnFirst(id: string): string {
  return `The endpoint is switched off: switch it on first, with PATCH /api/webhooks/${id} and {"enabled": true}.`
}

function notRedriven(delivery: number, state: DeliveryState): string {
  return state === 'sent'
    ? `Delivery ${delivery} is sent: the endpoint has taken it.`
    : `Delivery ${delivery} is ${state}: it is tried by itself.`
}

function missing(c: Context, id: string, delivery?: number) {
  return problem(c, 'not_found', {
    detail:
      delivery === undefined
        ? `There is no webhook ${id}. What there is, GET /api/webhooks lists.`
        : `There is no delivery ${delivery} of a webhook ${id}. What there is, GET /api/webhooks/${id}/deliveries lists.`,
  })
}
