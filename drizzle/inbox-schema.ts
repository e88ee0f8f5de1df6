import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  json,
  pgTable,
  primaryKey,
  text,
  time,
} from 'drizzle-orm/pg-core'
import { instant } from './instant.ts'

export const digests = ['off', 'hourly', 'daily'] as const
export type Digest = (typeof digests)[number]

/**
 * Who can be written to. `last_opened_at`, `all_read_at` and `all_archived_at` mark at once whatever
 * was delivered by then as seen, read or archived. Quiet hours and digests are in `time_zone`.
 */
export const users = pgTable(
  'users',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedByDefaultAsIdentity(),
    name: text().notNull(),
    email: text(),
    can_receive_notifications: boolean().notNull().default(true),
    version: integer().notNull().default(1),
    created_at: instant().notNull().default(sql`now()`),
    updated_at: instant().notNull().default(sql`now()`),
    time_zone: text().notNull().default('UTC'),
    quiet_from: time(),
    quiet_to: time(),
    digest: text({ enum: digests }).notNull().default('off'),
    digest_at: time().notNull().default('08:00'),
    last_opened_at: instant(),
    all_read_at: instant(),
    all_archived_at: instant(),
    /** `sub` of the tokens that an identity provider gives them. */
    subject: text().unique('users_subject_unique'),
  },
  (table) => [
    check('users_subject_is_one', sql`length(${table.subject}) between 1 and 255`),
    check('users_name_is_one', sql`btrim(${table.name}) <> '' and length(${table.name}) <= 200`),
    check(
      'users_email_is_one',
      sql`${table.email} ~ '^[^[:space:]@,]+@[^[:space:]@,]+$' and length(${table.email}) <= 254`,
    ),
    // An unknown zone raises an error of its own.
    check(
      'users_time_zone_known',
      sql`timezone(${table.time_zone}, 'epoch'::timestamptz) is not null`,
    ),
    check(
      'users_quiet_hours_whole',
      sql`(${table.quiet_from} is null) = (${table.quiet_to} is null)`,
    ),
    check('users_digest_known', sql`${table.digest} in ('off', 'hourly', 'daily')`),
  ],
)

/** What a user wants or does not want; where there is no row, they do. */
export const preferences = pgTable(
  'preferences',
  {
    user_id: bigint({ mode: 'number' })
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    category: text().notNull(),
    channel: text().notNull(),
    enabled: boolean().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.user_id, table.category, table.channel] }),
    check(
      'preferences_category_is_one',
      sql`btrim(${table.category}) <> '' and length(${table.category}) <= 64`,
    ),
    check('preferences_channel_known', sql`${table.channel} in ('inbox', 'mail', 'webhook')`),
  ],
)

/** A category needs no row here; one that is critical cannot be switched off, held back or digested. */
export const notification_categories = pgTable(
  'notification_categories',
  {
    name: text().primaryKey(),
    description: text().notNull().default(''),
    critical: boolean().notNull().default(false),
    version: integer().notNull().default(1),
  },
  (table) => [
    check(
      'notification_categories_name_is_one',
      sql`btrim(${table.name}) <> '' and length(${table.name}) <= 64`,
    ),
    check('notification_categories_description_short', sql`length(${table.description}) <= 1000`),
  ],
)

export const notificationStates = [
  'scheduled',
  'delivered',
  'cancelled',
  'declined',
  'parked',
] as const
export type NotificationState = (typeof notificationStates)[number]

/**
 * What users are told. `state`, `deliver_at`, `delivered_at` and `to_*` are settled by Postgres
 * (migration 0008); whoever inserts a row says what, to whom and, if not now, when.
 */
export const notifications = pgTable(
  'notifications',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedByDefaultAsIdentity(),
    user_id: bigint({ mode: 'number' })
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    category: text().notNull().default('general'),
    title: text().notNull(),
    content: json().notNull().default({}),
    link: text(),
    /** What it came of, so that it comes of it once. */
    origin: text().unique('notifications_origin_unique'),
    scheduled_at: instant(),
    expires_at: instant(),
    state: text({ enum: notificationStates }).notNull().default('scheduled'),
    /** Why it was declined or parked. */
    problem: text(),
    deliver_at: instant(),
    delivered_at: instant(),
    digested: boolean().notNull().default(false),
    to_inbox: boolean().notNull().default(true),
    to_mail: boolean().notNull().default(true),
    to_webhook: boolean().notNull().default(true),
    seen_at: instant(),
    unseen_at: instant(),
    read_at: instant(),
    unread_at: instant(),
    archived_at: instant(),
    unarchived_at: instant(),
    version: integer().notNull().default(1),
    created_at: instant().notNull().default(sql`now()`),
    updated_at: instant().notNull().default(sql`now()`),
  },
  (table) => [
    check(
      'notifications_category_is_one',
      sql`btrim(${table.category}) <> '' and length(${table.category}) <= 64`,
    ),
    check(
      'notifications_title_is_one',
      sql`btrim(${table.title}) <> '' and length(${table.title}) <= 200`,
    ),
    check(
      'notifications_content_is_an_object',
      sql`json_typeof(${table.content}) = 'object' and octet_length(${table.content}::text) <= 65536`,
    ),
    check('notifications_link_short', sql`length(${table.link}) between 1 and 2048`),
    check('notifications_origin_short', sql`length(${table.origin}) <= 200`),
    check('notifications_problem_short', sql`length(${table.problem}) <= 1000`),
    check(
      'notifications_state_known',
      sql`${table.state} in ('scheduled', 'delivered', 'cancelled', 'declined', 'parked')`,
    ),
    check(
      'notifications_delivered_have_a_time',
      sql`(${table.state} = 'delivered') = (${table.delivered_at} is not null)`,
    ),
    check(
      'notifications_times_finite',
      sql`isfinite(${table.scheduled_at}) and isfinite(${table.expires_at}) and isfinite(${table.delivered_at})`,
    ),
    index('notifications_user_index').on(table.user_id, table.id),
    index('notifications_inbox_index')
      .on(table.user_id, table.delivered_at, table.id)
      .where(sql`${table.state} = 'delivered' and ${table.to_inbox}`),
    index('notifications_unread_index')
      .on(table.user_id, table.delivered_at, table.id)
      .where(
        sql`${table.state} = 'delivered' and ${table.to_inbox} and ${table.read_at} is null and ${table.archived_at} is null`,
      ),
    index('notifications_archived_index')
      .on(table.user_id, table.delivered_at, table.id)
      .where(
        sql`${table.state} = 'delivered' and ${table.to_inbox} and ${table.archived_at} is not null`,
      ),
    index('notifications_undone_index')
      .on(table.user_id)
      .where(
        sql`coalesce(${table.unseen_at}, ${table.unread_at}, ${table.unarchived_at}) is not null`,
      ),
    index('notifications_scheduled_index')
      .on(table.user_id, table.deliver_at, table.id)
      .where(sql`${table.state} = 'scheduled'`),
    index('notifications_declined_index')
      .on(table.user_id, table.scheduled_at)
      .where(sql`${table.state} = 'declined'`),
    index('notifications_due_index').on(table.deliver_at).where(sql`${table.state} = 'scheduled'`),
    index('notifications_parked_index').on(table.id).where(sql`${table.state} = 'parked'`),
  ],
)
