import { z } from '@hono/zod-openapi'
import { deliveryStates } from '../../protocol/delivery-states.ts'
import type { DeliveryFilter, DeliveryReport } from '../courier/delivery.ts'
import { deliveryFilter, deliveryFilterInBody, deliveryPaging } from './delivery-filter.ts'
import { rowId } from './row-id.ts'

/** What the doors to one endpoint's deliveries take and give. */

export const time = z.iso.datetime().openapi({ example: '2026-11-21T08:33:55.123Z' })

export const deliveryCounts = z
  .record(z.enum(deliveryStates), z.int())
  .openapi({ description: 'How many there are in each state.' })

const deliveryFields = {
  id: z.int().openapi({ example: 57 }),
  type: z.string().openapi({ description: 'Of its message.', example: 'orders.update' }),
  change: z
    .uuid()
    .openapi({ description: 'The change it tells of; it is sent as `webhook-id` too.' }),
  table: z.string().openapi({ description: 'Of the row it is about.', example: 'orders' }),
  key: z.string().openapi({ description: 'Of the row it is about.', example: '42' }),
  state: z.enum(deliveryStates).openapi({
    description:
      'queued, sending, failed (tried again at `next_at`), sent (the endpoint answered 2xx), cancelled, unknown, parked (kept for a person).',
  }),
  attempts: z.int().openapi({ example: 1 }),
  next_at: time.nullable().openapi({ description: 'When it is tried next.' }),
  last_error: z.string().nullable().openapi({ example: null }),
  created_at: time,
  first_at: time.nullable().openapi({ description: 'When the first attempt began.' }),
  sent_at: time.nullable().openapi({ description: 'When the endpoint answered 2xx.' }),
}

const delivery = z.object(deliveryFields).openapi('WebhookDelivery')

export const deliveryPage = z
  .object({
    deliveries: z.array(delivery),
    next_cursor: z.string().nullable().openapi({ description: 'null on the last page.' }),
    counts: deliveryCounts,
  })
  .openapi('WebhookDeliveryPage')

export const deliveryStory = z
  .object({
    ...deliveryFields,
    history: z
      .array(z.object({ at: time, kind: z.string(), detail: z.string().nullable() }))
      .openapi({ description: 'What happened to it, oldest first.' }),
    body: z.string().openapi({ description: 'What is sent, byte for byte.' }),
  })
  .openapi('WebhookDeliveryStory')

/** @returns a report of ours as the API has it */
export function sayDelivery(report: DeliveryReport) {
  const { id, rule_name: type, change, table, key, state, attempts } = report
  const { next_at, last_error, created_at, first_at, sent_at } = report
  const about = { id, type, change, table, key }
  return { ...about, state, attempts, next_at, last_error, created_at, first_at, sent_at }
}

const endpointId = z.uuid('must be the id of a webhook, as GET /api/webhooks lists them').openapi({
  param: { name: 'id', in: 'path' },
  example: '0f0e0d0c-0b0a-4900-8807-060504030201',
})

export const endpointPath = z.object({ id: endpointId })

export const deliveryPath = z.object({
  id: endpointId,
  delivery: rowId('delivery', 57),
})

export const deliveryQuery = z.strictObject({ ...deliveryFilter, ...deliveryPaging })

export const redriveOrder = z
  .strictObject({
    filter: z
      .strictObject(deliveryFilterInBody)
      .default({})
      .openapi({ description: 'Which; without it all that can be tried again.' }),
    dry_run: z.boolean().default(false).openapi({ description: 'Only count them.' }),
  })
  .openapi('RedriveWebhookDeliveries', { example: { filter: { state: 'parked' }, dry_run: true } })

type Asked = {
  state?: DeliveryFilter['states']
  table?: string | undefined
  key?: string | undefined
}

export function filterOf({ state, table, key }: Asked): DeliveryFilter {
  return {
    ...(state && { states: state }),
    ...(table !== undefined && { table }),
    ...(key !== undefined && { key }),
  }
}
