import type { Change, Row } from '../../protocol/change.ts'
import type { Counts, Notification } from '../../protocol/notification.ts'
import type { Position } from '../../protocol/position.ts'
import type { Cut } from '../doors/session.ts'

/**
 * What may be asked of a user's inbox over RPC; `env.INBOX.getByName(<users.id as text>)`. Its
 * socket is asked for with `fetch('https://inbox/?feed=…&epoch=…&after=…')`, the header Upgrade, and
 * who asks in the header `belfry-principal` (doors/session.ts).
 *
 * Rows are as a change carries them (`to_json`). `feed` is the feed's epoch as the caller knows it:
 * an inbox that was filled in another one fills itself again from Postgres.
 */
export type InboxDoor = {
  /** Changes of `notifications` and `users` that are this user's, in the order of the log. */
  hear(changes: Change[], feed: string): Promise<void>
  /** What the caller has just written to Postgres. The same comes by the feed, and is then known. */
  written(rows: { notifications: Row[]; user: Row | null }, feed: string): Promise<Standing>
  /** The same of who does not ask how the inbox stands: one that nobody has read stays unread. */
  tell(rows: { notifications: Row[]; user: Row | null }): Promise<void>
  standing(feed: string): Promise<Standing>
  page(request: PageRequest, feed: string): Promise<InboxPage>
  /** Something may be due. */
  wake(): Promise<void>
  /** Closes the user's sockets of what was revoked. */
  cut(cut: Cut): Promise<void>
}

/** null: there is no such user. */
export type Standing = { counts: Counts; position: Position } | null

export const listings = ['active', 'unread', 'archived', 'all'] as const
export type Listing = (typeof listings)[number]

/** `before`: a place in the inbox, of the last one of the page before. */
export type Place = { delivered_at: string; id: number }
export type PageRequest = {
  listing: Listing
  category: string | null
  before: Place | null
  limit: number
}

/** `beyond`: older than what is kept here: ask Postgres (`belfry.inbox_page`), with the user's row. */
export type InboxPage =
  | {
      kind: 'page'
      notifications: Notification[]
      isLast: boolean
      standing: NonNullable<Standing>
    }
  | { kind: 'beyond'; user: Row; standing: NonNullable<Standing> }
  | { kind: 'nobody' }
