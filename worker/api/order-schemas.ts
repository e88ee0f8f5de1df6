import { z } from '@hono/zod-openapi'
import { statuses } from '../../drizzle/schema.ts'
import { type Sort, sorts } from './keyset.ts'
import { pageLimit } from './page-limit.ts'
import { rowId } from './row-id.ts'

/** What the orders API takes and gives; each edge is parsed once, here, and refused in words. */

const AMOUNT_MAX = 99_999_999.99
const AMOUNT_RULE = `must be a number, or a decimal string, from 0 to ${AMOUNT_MAX} with at most 2 decimals`
const STATUS_RULE = `must be one of ${statuses.join(', ')}`
const USER_RULE = 'must be the id of a user, or null for none'
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u

const name = z
  .string({ error: 'must be text of 1 to 200 characters' })
  .trim()
  .min(1, 'must not be empty')
  .max(200, 'must be at most 200 characters')
  .refine((text) => !UNPRINTABLE.test(text), 'must not hold control characters')

const status = z
  .string({ error: STATUS_RULE })
  .toLowerCase()
  .pipe(z.enum(statuses, { error: STATUS_RULE }))
  .openapi({
    type: 'string',
    description: `In any case: ${statuses.join(', ')}.`,
    example: 'filled',
  })

const amount = z
  .union([z.number(), z.string()], { error: AMOUNT_RULE })
  .refine(isAmount, AMOUNT_RULE)
  .transform(Number)
  .openapi({ description: 'A number, or a decimal string; at most 2 decimals.', example: 249.5 })

const email = z
  .email({ error: 'must be an e-mail address, or null for none' })
  .max(254, 'must be at most 254 characters')
  .nullable()
  .openapi({ description: 'Is written to when the order is filled.', example: 'ada@example.com' })

const customerId = z
  .int({ error: USER_RULE })
  .positive(USER_RULE)
  .nullable()
  .openapi({ description: 'Whose order it is: a user, or null for nobody.', example: 42 })

const fields = {
  customer_name: name.openapi({ example: 'Ada Lovelace' }),
  product_name: name.openapi({ example: 'Difference engine' }),
  amount,
  status,
  customer_email: email,
  customer_id: customerId,
}

export const newOrder = z
  .strictObject({
    ...fields,
    status: status.optional(),
    customer_email: email.optional(),
    customer_id: customerId.optional(),
  })
  .openapi('NewOrder', { description: 'Without a status it is pending.' })

export const wholeOrder = z
  .strictObject({
    ...fields,
    customer_email: email.default(null),
    customer_id: customerId.default(null),
  })
  .openapi('WholeOrder', {
    description: 'Replaces every field; without an address or a customer’s id it has none.',
  })

export const orderChanges = z
  .strictObject(fields)
  .partial()
  .refine((changes) => Object.keys(changes).length > 0, 'must hold at least one field to change')
  .openapi('OrderChanges', { minProperties: 1, example: { status: 'filled' } })

const instant = z.string().openapi({
  format: 'date-time',
  description: 'UTC, with microseconds.',
  example: '2026-11-21T08:33:55.123456+00:00',
})

/** The same shape as a row in a change. */
export const order = z
  .object({
    id: z.int().openapi({ example: 42 }),
    customer_name: z.string().openapi({ example: 'Ada Lovelace' }),
    product_name: z.string().openapi({ example: 'Difference engine' }),
    status: z.enum(statuses).openapi({ example: 'filled' }),
    amount: z.number().openapi({ example: 249.5 }),
    customer_email: z.string().nullable().openapi({ example: 'ada@example.com' }),
    customer_id: z.int().nullable().openapi({ example: 42 }),
    version: z.int().openapi({ description: 'Grows by one with each update.', example: 3 }),
    created_at: instant,
    updated_at: instant,
  })
  .openapi('Order')

export const orderPage = z
  .object({
    orders: z.array(order),
    next_cursor: z.string().nullable().openapi({ description: 'null on the last page.' }),
  })
  .openapi('OrderPage')

export const orderId = z.object({ id: rowId('id', 42) })

export const listQuery = z.strictObject({
  status: once()
    .transform((list) => list.split(',').map((one) => one.trim().toLowerCase()))
    .pipe(z.array(z.enum(statuses, { error: STATUS_RULE })))
    .optional()
    .openapi({
      type: 'string',
      description: 'One or several, with commas.',
      example: 'filled,shipped',
    }),
  customer: once()
    .max(200, 'must be at most 200 characters')
    .refine((text) => !UNPRINTABLE.test(text), 'must not hold control characters')
    .optional()
    .openapi({ description: 'A part of the customer’s name, in any case.', example: 'ada' }),
  sort: z
    .enum(sorts as [Sort, ...Sort[]], { error: `must be one of ${sorts.join(', ')}` })
    .default('-id')
    .openapi({ description: 'With - in front: descending.' }),
  limit: pageLimit,
  cursor: once().optional().openapi({ description: 'next_cursor of the page before.' }),
})

export type ListQuery = z.infer<typeof listQuery>

function once() {
  return z.string({ error: 'must be given once' })
}

function isAmount(given: number | string): boolean {
  if (typeof given === 'string' && !/^\d{1,8}(\.\d{1,2})?$/.test(given)) return false
  const number = Number(given)
  return number >= 0 && number <= AMOUNT_MAX && Number(number.toFixed(2)) === number
}
