import { sql } from 'drizzle-orm'
import { bigint, check, index, integer, numeric, pgTable, text } from 'drizzle-orm/pg-core'
import { instant } from './instant.ts'

export const statuses = [
  'pending',
  'processing',
  'filled',
  'shipped',
  'delivered',
  'completed',
  'cancelled',
] as const
export type Status = (typeof statuses)[number]

/**
 * The watched example: what a team already has. `status` is stored lower-case
 * and `version` and `updated_at` move on each update, whoever writes: a trigger
 * of the first migration sees to it, so the API never sets them.
 */
export const orders = pgTable(
  'orders',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedByDefaultAsIdentity(),
    customer_name: text().notNull(),
    product_name: text().notNull(),
    status: text({ enum: statuses }).notNull().default('pending'),
    amount: numeric({ precision: 10, scale: 2, mode: 'number' }).notNull(),
    customer_email: text(),
    version: integer().notNull().default(1),
    created_at: instant().notNull().default(sql`now()`),
    updated_at: instant().notNull().default(sql`now()`),
  },
  (table) => [
    check(
      'orders_status_known',
      sql`${table.status} in (${sql.raw(statuses.map((status) => `'${status}'`).join(', '))})`,
    ),
    check('orders_amount_not_negative', sql`${table.amount} >= 0 and ${table.amount} <> 'NaN'`),
    check('orders_customer_name_not_blank', sql`btrim(${table.customer_name}) <> ''`),
    check('orders_product_name_not_blank', sql`btrim(${table.product_name}) <> ''`),
    index('orders_status_index').on(table.status, table.id),
  ],
)
