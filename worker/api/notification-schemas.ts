import { z } from '@hono/zod-openapi'
import { notificationStates } from '../../drizzle/inbox-schema.ts'
import type { Row } from '../../protocol/change.ts'
import { isMarked } from '../../protocol/notification.ts'
import { givenText } from './delivery-filter.ts'
import { contentFault, MAX_CONTENT_BYTES } from './notification-content.ts'
import { isStorable } from './opaque.ts'
import { pageLimit } from './page-limit.ts'
import { rowId } from './row-id.ts'

/** What the API of notifications takes and gives; each edge is parsed once, here. */

export const MOST_USERS = 10_000

const TITLE_RULE = 'must be text of 1 to 200 characters'
const CATEGORY_RULE = 'must be 1 to 64 letters, digits, dots, dashes or underscores'
const LINK_RULE = 'must be an address with http:// or https://, or a path that begins with /'
const TIME_RULE = 'must be a time with its offset, such as 2026-12-24T08:00:00Z'
const USER_RULE = 'must be the id of a user'
const STATE_RULE = `must be one of ${notificationStates.join(', ')}, overdue, or several of them with commas`

const title = z
  .string({ error: TITLE_RULE })
  .trim()
  .min(1, TITLE_RULE)
  .max(200, TITLE_RULE)
  .refine(isStorable, 'must hold neither NUL nor half a surrogate pair')
  .openapi({ example: 'Your order was shipped' })

export const category = z
  .string({ error: CATEGORY_RULE })
  .regex(/^[\p{L}\p{N}_.-]{1,64}$/u, CATEGORY_RULE)
  .openapi({ description: 'What users may want, or not, on each channel.', example: 'orders' })

const content = z
  .record(z.string(), z.unknown(), { error: 'must be an object' })
  .superRefine((value, context) => {
    const fault = contentFault(value)
    if (fault !== null) context.addIssue({ code: 'custom', ...fault })
  })
  .openapi({
    description: `Any object, of at most ${MAX_CONTENT_BYTES} bytes as JSON.`,
    example: { order: 42, text: 'Difference engine is on its way.' },
  })

const link = z
  .string({ error: LINK_RULE })
  .min(1, LINK_RULE)
  .max(2_048, 'must be at most 2048 characters')
  .refine(isLink, LINK_RULE)
  .nullable()
  .openapi({ example: '/orders/42' })

const time = z.iso
  .datetime({ offset: true, error: TIME_RULE })
  .nullable()
  .openapi({ format: 'date-time', example: '2026-12-24T08:00:00Z' })

const user = z.int({ error: USER_RULE }).positive(USER_RULE)

const fields = {
  title,
  category,
  content,
  link,
  scheduled_at: time.openapi({ description: 'Not before then; now if not given.' }),
  expires_at: time.openapi({ description: 'From then on it is told nobody, and not shown.' }),
}

const EXPIRES_LATER = { path: ['expires_at'], error: 'must be later than scheduled_at' }
const RECIPIENTS = 'must be named in one way: user_id, user_ids, or "to": "all"'

export const newNotification = z
  .strictObject({
    user_id: user.optional(),
    user_ids: z
      .array(user, { error: 'must be a list of ids of users' })
      .min(1, 'must hold at least one id')
      .max(MOST_USERS, `must hold at most ${MOST_USERS} ids`)
      .optional(),
    to: z.literal('all', { error: 'must be "all"' }).optional(),
    title,
    category: category.default('general'),
    content: content.default({}),
    link: link.default(null),
    scheduled_at: fields.scheduled_at.default(null),
    expires_at: fields.expires_at.default(null),
  })
  .refine(
    ({ user_id, user_ids, to }) =>
      [user_id, user_ids, to].filter((named) => named !== undefined).length === 1,
    { path: ['user_id'], error: RECIPIENTS },
  )
  .refine(({ scheduled_at, expires_at }) => isLater(expires_at, scheduled_at), EXPIRES_LATER)
  .openapi('NewNotification', {
    description: 'For one user, for up to 10,000, or for everyone who receives any.',
    example: { user_id: 42, title: 'Your order was shipped', category: 'orders' },
  })

export const notificationChanges = z
  .strictObject(fields)
  .partial()
  .refine((changes) => Object.keys(changes).length > 0, 'must hold at least one field to change')
  .refine(
    ({ scheduled_at = null, expires_at = null }) => isLater(expires_at, scheduled_at),
    EXPIRES_LATER,
  )
  .openapi('NotificationChanges', {
    minProperties: 1,
    example: { scheduled_at: '2026-12-24T08:00:00Z' },
  })

const instant = z.string().openapi({
  format: 'date-time',
  description: 'UTC, with microseconds.',
  example: '2026-11-21T08:33:55.123456+00:00',
})

export const notification = z
  .object({
    id: z.int().openapi({ example: 57 }),
    user_id: z.int().openapi({ example: 42 }),
    title: z.string().openapi({ example: 'Your order was shipped' }),
    category: z.string().openapi({ example: 'orders' }),
    content: z.record(z.string(), z.unknown()).openapi({ example: { order: 42 } }),
    link: z.string().nullable().openapi({ example: '/orders/42' }),
    origin: z.string().nullable().openapi({ description: 'Which rule and change it came of.' }),
    state: z.enum(notificationStates).openapi({
      description:
        'scheduled, delivered, declined (the user wants none of it), cancelled (by hand), parked (it could not be delivered).',
    }),
    problem: z.string().nullable().openapi({ description: 'Why it is declined or parked.' }),
    scheduled_at: instant.nullable(),
    expires_at: instant.nullable(),
    deliver_at: instant.nullable().openapi({
      description: 'When it is due, once quiet hours and digests are kept.',
    }),
    delivered_at: instant.nullable(),
    digested: z.boolean().openapi({ description: 'It comes with a digest.' }),
    channels: z
      .object({ inbox: z.boolean(), mail: z.boolean(), webhook: z.boolean() })
      .openapi({ description: 'Where the user wants it.' }),
    seen: z.boolean().openapi({ description: 'The inbox was opened since it was delivered.' }),
    read: z.boolean(),
    archived: z.boolean(),
    version: z.int().openapi({ description: 'Grows by one with each update.', example: 1 }),
    created_at: instant,
    updated_at: instant,
  })
  .openapi('Notification')

export const notificationPage = z
  .object({
    notifications: z.array(notification),
    next_cursor: z.string().nullable().openapi({ description: 'null on the last page.' }),
  })
  .openapi('NotificationPage')

export const notified = z
  .object({
    notifications: z.int().openapi({ description: 'How many were created.', example: 2 }),
    delivered: z.int().openapi({ example: 1 }),
    scheduled: z.int().openapi({ example: 0 }),
    declined: z
      .int()
      .openapi({ description: 'Of users who want none of it; each says why.', example: 1 }),
    ids: z.array(z.int()).openapi({ description: 'The first 1,000 of them.', example: [57, 58] }),
  })
  .openapi('Notified')

export const notificationId = z.object({ id: rowId('id', 57) })

/** `overdue`: scheduled, and late. */
export const askedStates = [...notificationStates, 'overdue'] as const
export type AskedState = (typeof askedStates)[number]

/** What a person may try again. */
export const redrivable = ['parked', 'declined', 'cancelled', 'overdue'] as const

export const states = givenText()
  .transform((list) => list.split(',').map((one) => one.trim().toLowerCase()))
  .pipe(z.array(z.enum(askedStates, { error: STATE_RULE })))
  .openapi({
    type: 'string',
    description: `One or several, with commas: ${askedStates.join(', ')} (scheduled, and half a minute late).`,
    example: 'parked',
  })

export const notificationQuery = z.strictObject({
  user: givenText()
    .regex(/^[1-9]\d{0,14}$/, USER_RULE)
    .transform(Number)
    .optional()
    .openapi({ type: 'integer', minimum: 1, description: 'Of this user.', example: 42 }),
  state: states.optional(),
  category: givenText(64).optional().openapi({ example: 'orders' }),
  limit: pageLimit,
  cursor: givenText().optional().openapi({ description: 'next_cursor of the page before.' }),
})

const REDRIVABLE_RULE = `must be one of ${redrivable.join(', ')}, or several of them`

const redriveFilter = z.strictObject({
  state: z
    .union(
      [
        z.enum(redrivable).transform((state) => [state]),
        z.array(z.enum(redrivable)).min(1, REDRIVABLE_RULE),
      ],
      { error: REDRIVABLE_RULE },
    )
    .optional()
    .openapi({
      description: `One of ${redrivable.join(', ')}, or a list of them; parked if not given.`,
      example: 'parked',
    }),
  user: user.optional().openapi({ example: 42 }),
  category: givenText(64).optional().openapi({ example: 'orders' }),
})

export const redriveOrder = z
  .strictObject({
    filter: redriveFilter,
    all: z
      .boolean({ error: 'must be true or false' })
      .default(false)
      .openapi({ description: 'Everything that is parked; then the filter is empty.' }),
    dry_run: z
      .boolean({ error: 'must be true or false' })
      .default(false)
      .openapi({ description: 'Only count them.' }),
  })
  .refine(({ filter, all }) => all === (Object.keys(filter).length === 0), {
    path: ['filter'],
    error: ({ input }) =>
      (input as { all?: boolean }).all
        ? 'must be empty with "all": true; leave one of the two out'
        : 'must name something; to redrive all that is parked, send {"filter": {}, "all": true}',
  })
  .openapi('RedriveNotifications', {
    example: { filter: { state: 'parked', category: 'orders' }, dry_run: true },
  })

/** @param row of `notifications`, as a change carries it; and its user's */
export function sayNotification(row: Row, user: Row): z.infer<typeof notification> {
  const told = row as z.infer<typeof notification>
  const { id, user_id, title, category, content, link, origin, state, problem } = told
  const { scheduled_at, expires_at, deliver_at, delivered_at, digested } = told
  const { version, created_at, updated_at } = told
  const about = { id, user_id, title, category, content, link, origin, state, problem }
  const times = { scheduled_at, expires_at, deliver_at, delivered_at, digested }
  const { to_inbox, to_mail, to_webhook } = row as Record<string, boolean>
  return {
    ...about,
    ...times,
    channels: { inbox: to_inbox === true, mail: to_mail === true, webhook: to_webhook === true },
    seen: isMarked('seen', row, user),
    read: isMarked('read', row, user),
    archived: isMarked('archived', row, user),
    version,
    created_at,
    updated_at,
  }
}

/** Whatever a page makes of it, it is no script. */
function isLink(text: string): boolean {
  return /^(https?:\/\/[^\s/]|\/)[^\s]*$/i.test(text) && isStorable(text)
}

function isLater(expiresAt: string | null, scheduledAt: string | null): boolean {
  if (expiresAt === null || scheduledAt === null) return true
  return Date.parse(expiresAt) > Date.parse(scheduledAt)
}
