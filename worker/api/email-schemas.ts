import { z } from '@hono/zod-openapi'
import { deliveryStates } from '../../protocol/delivery-states.ts'
import type { DeliveryFilter, DeliveryReport } from '../courier/delivery.ts'
import { sameMailbox } from '../mail/recipients.ts'
import {
  deliveryFilter,
  deliveryFilterInBody,
  deliveryPaging,
  givenText,
} from './delivery-filter.ts'
import { rowId } from './row-id.ts'

/** What the doors to the mails take and give; each edge is parsed once, here. */

const ONE_ROW = { path: ['order'], error: 'names a row by itself; leave out table and key' }
const ORDER_RULE = 'must be the id of an order'
const RULE_RULE = 'must be the number of a rule, as GET /api/mail-rules lists them'

const time = z.iso.datetime().openapi({ example: '2026-11-21T08:33:55.123Z' })

const emailFields = {
  id: z.int().openapi({ example: 57 }),
  rule: z.int().openapi({ description: 'Which rule owes it.', example: 1 }),
  rule_name: z.string().openapi({ example: 'order-filled' }),
  change: z.uuid().openapi({ description: 'The change that owes it.' }),
  table: z.string().openapi({ description: 'Of the row it is about.', example: 'orders' }),
  key: z.string().openapi({ description: 'Of the row it is about.', example: '42' }),
  order_id: z.union([z.int(), z.string()]).nullable().openapi({
    description: 'The order it is about, if it is about one; text beyond 2^53.',
    example: 42,
  }),
  recipient: z.string().openapi({
    description: 'An address, or `user:42` until that user’s address is looked up.',
    example: 'ada@example.com',
  }),
  state: z.enum(deliveryStates).openapi({
    description:
      'queued, sending, failed (tried again at `next_at`), sent, delivered, bounced, complained, suppressed (its mailbox gets none), cancelled, unknown (it may have gone out), parked.',
  }),
  attempts: z.int().openapi({ example: 1 }),
  next_at: time.nullable().openapi({ description: 'When it is tried next.' }),
  last_error: z.string().nullable().openapi({ example: null }),
  provider_id: z.string().nullable().openapi({ description: 'Its id at Resend.' }),
  created_at: time,
  first_at: time.nullable().openapi({ description: 'When the first attempt began.' }),
  sent_at: time.nullable().openapi({ description: 'When Resend took it.' }),
}

const email = z.object(emailFields).openapi('Email')

export const emailPage = z
  .object({
    emails: z.array(email),
    next_cursor: z.string().nullable().openapi({ description: 'null on the last page.' }),
    counts: z
      .record(z.enum(deliveryStates), z.int())
      .openapi({ description: 'How many there are in each state, whatever was asked for.' }),
  })
  .openapi('EmailPage')

export const emailStory = z
  .object({
    ...emailFields,
    history: z
      .array(z.object({ at: time, kind: z.string(), detail: z.string().nullable() }))
      .openapi({ description: 'What happened to it, oldest first.' }),
    letter: z
      .object({ subject: z.string(), html: z.string(), text: z.string() })
      .nullable()
      .openapi({
        description:
          'As its template has it now, without the link to unsubscribe; null if it cannot be written.',
      }),
  })
  .openapi('EmailStory')

/** @returns a report of ours as the API has it */
export function sayEmail(report: DeliveryReport) {
  const { id, rule, rule_name, change, table, key } = report
  const { recipient, state, attempts, next_at, last_error } = report
  const { provider_id, created_at, first_at, sent_at } = report
  const order_id = table === 'orders' ? exactNumber(key) : null
  const about = { id, rule, rule_name, change, table, key, order_id, recipient }
  const done = { state, attempts, next_at, last_error, provider_id }
  return { ...about, ...done, created_at, first_at, sent_at }
}

function exactNumber(text: string): number | string {
  return /^\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : text
}

export const emailId = z.object({ id: rowId('id', 57) })

const asked = {
  order: givenText()
    .regex(/^\d{1,19}$/, ORDER_RULE)
    .optional()
    .openapi({ description: 'About this order.', example: '42' }),
  recipient: givenText(320)
    .transform(sameMailbox)
    .optional()
    .openapi({ type: 'string', description: 'To this address.', example: 'ada@example.com' }),
  rule: givenText()
    .regex(/^[1-9]\d{0,14}$/, RULE_RULE)
    .transform(Number)
    .optional()
    .openapi({ type: 'integer', minimum: 1, description: 'Owed by this rule.', example: 1 }),
}

export const emailQuery = z
  .strictObject({ ...deliveryFilter, ...asked, ...deliveryPaging })
  .refine(isOneRow, ONE_ROW)

const redriveFilter = z
  .strictObject({
    ...deliveryFilterInBody,
    ...asked,
    order: z
      .union([asked.order.unwrap(), z.int().nonnegative().transform(String)], { error: ORDER_RULE })
      .optional(),
    rule: z.union([asked.rule.unwrap(), z.int().positive()], { error: RULE_RULE }).optional(),
  })
  .refine(isOneRow, ONE_ROW)

export const redriveOrder = z
  .strictObject({
    filter: redriveFilter,
    all: z
      .boolean()
      .default(false)
      .openapi({ description: 'Every mail that can be redriven; then the filter is empty.' }),
    dry_run: z.boolean().default(false).openapi({ description: 'Only count them.' }),
  })
  .refine(({ filter, all }) => all === (Object.keys(filter).length === 0), {
    path: ['filter'],
    error: ({ input }) =>
      (input as { all?: boolean }).all
        ? 'must be empty with "all": true; leave one of the two out'
        : 'must name something; to redrive every mail that can be, send {"filter": {}, "all": true}',
  })
  .openapi('RedriveEmails', { example: { filter: { state: 'parked' }, dry_run: true } })

type Asked = {
  state?: DeliveryFilter['states']
  order?: string | undefined
  table?: string | undefined
  key?: string | undefined
  recipient?: string | undefined
  rule?: number | undefined
}

export function filterOf({ state, order, table, key, recipient, rule }: Asked): DeliveryFilter {
  return {
    ...(state && { states: state }),
    ...(order !== undefined && { table: 'orders', key: withoutZeros(order) }),
    ...(table !== undefined && { table }),
    ...(key !== undefined && { key }),
    ...(recipient !== undefined && { recipient }),
    ...(rule !== undefined && { rule }),
  }
}

function withoutZeros(digits: string): string {
  return digits.replace(/^0+(?=\d)/, '')
}

function isOneRow({ order, table, key }: Asked): boolean {
  return order === undefined || (table === undefined && key === undefined)
}
