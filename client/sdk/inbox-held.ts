import type { InboxMoved } from '../../protocol/inbox-frames.ts'
import { micros } from '../../protocol/instant.ts'
import type { Counts, Notification } from '../../protocol/notification.ts'
import type { InboxPage } from './inbox-wire.ts'

/*
 * What is known of an inbox. Law: of each listing that was read, everything down to its reach is
 * held, because a page brought it, or a frame, which has each notification that moved as it is now.
 * What lies beyond the reach may be held, and is not shown.
 */

export type Listing = 'active' | 'unread' | 'archived' | 'all'

/** How far down a listing was read; `cursor` asks for what follows, null if nothing does. */
type Reach = { last: Notification | null; cursor: string | null }

export type Held = {
  notifications: Map<number, Notification>
  reaches: Map<Listing, Reach>
  /** How many the pages had that were read. */
  paged: number
  counts: Counts
}

export function nothingHeld(): Held {
  return {
    notifications: new Map(),
    reaches: new Map(),
    paged: 0,
    counts: { unseen: 0, unread: 0, capped: false },
  }
}

/** A page of a listing, which follows what was read of it before. */
export function holdPage(held: Held, listing: Listing, page: InboxPage): void {
  for (const each of page.notifications) held.notifications.set(each.id, each)
  const last = page.notifications.at(-1) ?? held.reaches.get(listing)?.last ?? null
  held.reaches.set(listing, { last, cursor: page.nextCursor })
  held.paged += page.notifications.length
  held.counts = page.counts
}

/** @returns what was just delivered: nobody has seen it, and it was not there before */
export function holdFrame(held: Held, frame: InboxMoved): Notification[] {
  const { notifications, reaches } = held
  for (const mark of ['seen', 'read', 'archived'] as const) {
    const through = micros(frame.all[mark] ?? null)
    if (through === null) continue
    for (const each of notifications.values())
      if (at(each) <= through) notifications.set(each.id, { ...each, [mark]: true })
  }
  // Of what was filed by this, only as much is held as had been read before.
  if (frame.all.archived !== undefined && reaches.get('all')?.cursor !== null)
    reaches.delete('archived')
  const arrived = frame.notifications.filter(
    (each) =>
      !notifications.has(each.id) &&
      !each.seen &&
      isListed(each, 'unread') &&
      isRead(held, 'active', each),
  )
  for (const each of frame.notifications) notifications.set(each.id, each)
  for (const id of frame.removed) notifications.delete(id)
  held.counts = frame.counts
  return arrived.sort(newestFirst).reverse()
}

/** What was read of a listing, newest first. */
export function listed(
  held: Held,
  listing: Listing,
  shown: Iterable<Notification> = held.notifications.values(),
): Notification[] {
  return [...shown]
    .filter((each) => isListed(each, listing) && isRead(held, listing, each))
    .sort(newestFirst)
}

export function newest({ notifications }: Held): Notification | undefined {
  return [...notifications.values()].sort(newestFirst)[0]
}

function isListed({ read, archived }: Notification, listing: Listing): boolean {
  if (listing === 'all') return true
  return listing === 'archived' ? archived : !archived && (listing === 'active' || !read)
}

function isRead({ reaches }: Held, listing: Listing, one: Notification): boolean {
  const reach = reaches.get(listing)
  if (reach === undefined) return false
  return reach.cursor === null || (reach.last !== null && newestFirst(one, reach.last) <= 0)
}

function newestFirst(a: Notification, b: Notification): number {
  return at(b) - at(a) || b.id - a.id
}

/** Read once for each: a list is sorted at every change of it. */
const times = new WeakMap<Notification, number>()

function at(one: Notification): number {
  const known = times.get(one)
  if (known !== undefined) return known
  const read = micros(one.delivered_at) ?? 0
  times.set(one, read)
  return read
}
