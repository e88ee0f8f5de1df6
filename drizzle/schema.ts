import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  jsonb,
  numeric,
  pgTable,
  text,
  uuid,
} from 'drizzle-orm/pg-core'
import { users } from './inbox-schema.ts'
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
    /** Whose order it is, if it is a user's. */
    customer_id: bigint({ mode: 'number' }).references(() => users.id, { onDelete: 'set null' }),
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
    index('orders_customer_index').on(table.customer_id, table.id),
  ],
)

export const channels = ['mail', 'webhook', 'inbox'] as const
export type Channel = (typeof channels)[number]

/** Where webhooks go. What signs them stays in the endpoint's own object, not here. */
export const webhook_endpoints = pgTable(
  'webhook_endpoints',
  {
    id: uuid().primaryKey().defaultRandom(),
    url: text().notNull(),
    description: text().notNull().default(''),
    enabled: boolean().notNull().default(true),
    version: integer().notNull().default(1),
    created_at: instant().notNull().default(sql`now()`),
    updated_at: instant().notNull().default(sql`now()`),
  },
  (table) => [
    check(
      'webhook_endpoints_url_is_one',
      sql`${table.url} ~ '^https?://[^[:space:]]+$' and length(${table.url}) <= 2048`,
    ),
    check('webhook_endpoints_description_short', sql`length(${table.description}) <= 1000`),
  ],
)

/**
 * Which change owes what to whom. What `when` and `recipients` may hold is said where rules are
 * read (worker/rules/rule.ts); a row that says something else is inert.
 */
export const rules = pgTable(
  'rules',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    name: text().notNull().unique('rules_name_unique'),
    channel: text({ enum: channels }).notNull(),
    table: text().notNull(),
    ops: text().array().notNull(),
    when: jsonb().notNull().default({}),
    template: text(),
    category: text().notNull().default('general'),
    recipients: jsonb().notNull().default([]),
    endpoint: uuid().references(() => webhook_endpoints.id, { onDelete: 'cascade' }),
    /** Of channel inbox: `{title, link?, content?}`, whose texts may hold `{column}`. */
    notification: jsonb(),
    enabled: boolean().notNull().default(true),
    version: integer().notNull().default(1),
    created_at: instant().notNull().default(sql`now()`),
    updated_at: instant().notNull().default(sql`now()`),
  },
  (table) => [
    check('rules_name_is_one', sql`btrim(${table.name}) <> '' and length(${table.name}) <= 100`),
    check('rules_channel_known', sql`${table.channel} in ('mail', 'webhook', 'inbox')`),
    check('rules_table_is_one', sql`${table.table} <> '' and length(${table.table}) <= 255`),
    check(
      'rules_ops_known',
      sql`cardinality(${table.ops}) between 1 and 4 and array_position(${table.ops}, null) is null and ${table.ops} <@ array['insert', 'update', 'delete', 'truncate']`,
    ),
    check(
      'rules_when_is_an_object',
      sql`jsonb_typeof(${table.when}) = 'object' and octet_length(${table.when}::text) <= 16384`,
    ),
    check(
      'rules_recipients_are_a_list',
      sql`case jsonb_typeof(${table.recipients}) when 'array' then jsonb_array_length(${table.recipients}) <= 50 else false end and octet_length(${table.recipients}::text) <= 32768`,
    ),
    check(
      'rules_category_is_one',
      sql`btrim(${table.category}) <> '' and length(${table.category}) <= 64`,
    ),
    check(
      'rules_of_mail_have_a_template',
      sql`(${table.channel} = 'mail') = (${table.template} is not null)`,
    ),
    check(
      'rules_of_webhooks_have_an_endpoint',
      sql`(${table.channel} = 'webhook') = (${table.endpoint} is not null)`,
    ),
    check(
      'rules_of_inbox_have_a_notification',
      sql`(${table.channel} = 'inbox') = (${table.notification} is not null) and octet_length(${table.notification}::text) <= 32768`,
    ),
    index('rules_endpoint_index').on(table.endpoint),
  ],
)
