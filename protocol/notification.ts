import { z } from 'zod'
import type { Row } from './change.ts'
import { micros } from './instant.ts'

/**
 * What a user is told, as their inbox has it. `content` is any JSON object; times are ISO 8601 in
 * UTC with microseconds. In an inbox the newest stands first: by `delivered_at`, then by `id`.
 */
export const notification = z.object({
  id: z.int().positive(),
  category: z.string(),
  title: z.string(),
  content: z.record(z.string(), z.unknown()),
  link: z.string().nullable(),
  delivered_at: z.string(),
  expires_at: z.string().nullable(),
  seen: z.boolean(),
  read: z.boolean(),
  archived: z.boolean(),
})
export type Notification = z.infer<typeof notification>

/** `seen`: the list was opened since. `read`: this one was. `archived`: filed, out of the list. */
export const marks = ['seen', 'read', 'archived'] as const
export type Mark = (typeof marks)[number]

/**
 * Of what is neither archived nor expired. A number of `MOST_COUNTED` or more before the newest
 * hundred is not counted on: then `capped` is true, and there are that many or more.
 */
export const counts = z.object({
  unseen: z.int().nonnegative(),
  unread: z.int().nonnegative(),
  capped: z.boolean(),
})
export type Counts = z.infer<typeof counts>
/** Counting 10,000 made the first read of an inbox seven times as dear as one of 100. */
export const MOST_COUNTED = 1_000

/** Which columns say it of a notification, and which one of its user says it of all. */
export const columnsOf = {
  seen: { marked: 'seen_at', unmarked: 'unseen_at', all: 'last_opened_at' },
  read: { marked: 'read_at', unmarked: 'unread_at', all: 'all_read_at' },
  archived: { marked: 'archived_at', unmarked: 'unarchived_at', all: 'all_archived_at' },
} as const satisfies Record<Mark, { marked: string; unmarked: string; all: string }>

/**
 * The law of a mark, as `belfry.is_marked` has it in SQL: the notification bears it itself, or all
 * delivered by some time bear it, and it was not taken back after that time.
 * @param row of `notifications`, delivered
 * @param user the row of `users`
 */
export function isMarked(mark: Mark, row: Row, user: Row): boolean {
  const { marked, unmarked, all } = columnsOf[mark]
  if (row[marked] != null) return true
  const through = micros(user[all])
  return (
    through !== null &&
    through >= (micros(row.delivered_at) ?? Number.POSITIVE_INFINITY) &&
    through >= (micros(row[unmarked]) ?? Number.NEGATIVE_INFINITY)
  )
}

/** A row of `notifications` as its user sees it. */
export function notificationOf(row: Row, user: Row): Notification {
  const { id, category, title, content, link, delivered_at, expires_at } = row
  return {
    id: id as number,
    category: category as string,
    title: title as string,
    content: content as Notification['content'],
    link: link as string | null,
    delivered_at: delivered_at as string,
    expires_at: expires_at as string | null,
    seen: isMarked('seen', row, user),
    read: isMarked('read', row, user),
    archived: isMarked('archived', row, user),
  }
}
