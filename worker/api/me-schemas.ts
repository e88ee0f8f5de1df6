import { z } from '@hono/zod-openapi'
import { counts, marks, notification } from '../../protocol/notification.ts'
import { listings } from '../inbox/door.ts'
import { rowId } from './row-id.ts'

/** What a user sends and is told about their inbox; each edge is parsed once, here. */

const MAX_IDS = 100
const INSTANT_RULE = 'must be a time with its offset, such as 2026-11-21T08:33:55.123456+00:00'
const LIMIT_RULE = 'must be a whole number from 1 to 100'
const LISTING_RULE = `must be one of ${listings.join(', ')}`
const MARK_RULE = `must be one of ${marks.join(', ')}`

/** Anew from their shapes: what was made before the library was loaded cannot be described. */
export const described = {
  notification: z.object(notification.shape).openapi('InboxNotification', {
    description: 'A notification as its user has it. `content` is any JSON object.',
  }),
  counts: z.object(counts.shape).openapi('InboxCounts', {
    description: 'Of what is neither archived nor expired. `capped`: so many, or more.',
  }),
}

const mark = z.enum(marks, { error: MARK_RULE })

/** A time that Postgres gave, passed back; its microseconds count. Postgres knows no year 0, and offsets below 16 h. */
const instant = z
  .string({ error: INSTANT_RULE })
  .regex(
    /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-](0\d|1[0-5]):\d\d)$/,
    INSTANT_RULE,
  )
  .refine((text) => !Number.isNaN(Date.parse(text)), INSTANT_RULE)
  .openapi({ format: 'date-time', example: '2026-11-21T08:33:55.123456+00:00' })

export const listQuery = z.strictObject({
  listing: z
    .enum(listings, { error: LISTING_RULE })
    .default('active')
    .openapi({ description: 'active: what is not archived. unread: of that, what is not read.' }),
  category: z
    .string({ error: 'must be given once' })
    .min(1, 'must not be empty')
    .max(64, 'must be at most 64 characters')
    .optional()
    .openapi({ example: 'orders' }),
  limit: z
    .string({ error: 'must be given once' })
    .regex(/^\d{1,3}$/, LIMIT_RULE)
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= 100, LIMIT_RULE)
    .default(20)
    .openapi({ type: 'integer', minimum: 1, maximum: 100, default: 20, example: 20 }),
  cursor: z
    .string({ error: 'must be given once' })
    .optional()
    .openapi({ description: 'next_cursor of the page before.' }),
})

export const notificationPage = z
  .object({
    notifications: z.array(described.notification),
    next_cursor: z.string().nullable().openapi({ description: 'null on the last page.' }),
    counts: described.counts,
    position: z
      .string()
      .openapi({ description: 'Of the inbox: follow it from here.', example: 'k3v:57' }),
  })
  .openapi('InboxPage')

export const notificationId = z.object({ id: rowId('id', 42) })

export const someMarks = z
  .strictObject({
    ids: z
      .array(z.int('must be the id of a notification').positive(), 'must be a list of ids')
      .min(1, 'must hold at least one id')
      .max(MAX_IDS, `must hold at most ${MAX_IDS} ids`),
    mark,
    undo: z.boolean('must be true or false').default(false),
  })
  .openapi('MarkSome', { example: { ids: [42, 43], mark: 'read' } })

export const allMarks = z
  .strictObject({
    mark,
    through: instant.optional().openapi({ description: 'Delivered by then; by now if not given.' }),
  })
  .openapi('MarkAll', { example: { mark: 'read' } })

export const undoneMarks = z
  .strictObject({
    mark,
    before: instant.nullable().openapi({ description: 'As the answer to mark-all gave it.' }),
  })
  .openapi('UndoMarkAll')
