import type { Row } from '../../protocol/change.ts'
import { micros } from '../../protocol/instant.ts'
import {
  type Counts,
  isMarked,
  type Mark,
  MOST_COUNTED,
  type Notification,
  notificationOf,
} from '../../protocol/notification.ts'

/**
 * A user's inbox as their object has it: a copy, of which Postgres is the truth.
 *
 * Must hold: every notification that stands in the inbox at or after `floor` is kept, and nothing
 * else is. Of what lies before it only the counts are known. So the counts of what is kept follow
 * from the marks each time they are asked, and those of the others are never computed: what may
 * have changed them makes the copy stale, and a stale one is filled again (fill.ts).
 * It is bounded: WINDOW are kept, STRAYS and TOMBSTONES remembered beside them.
 */
export const WINDOW = 100
/** Who resumes is told of so many that moved before the floor, and of so many that went. */
export const STRAYS = 50
export const TOMBSTONES = 400

export type Copy = {
  /** The inbox's own position. */
  epoch: string
  offset: number
  /** Who stands before this offset is told to read the list again. */
  tail: number
  /** In which life of the feed it was filled. */
  feed: string
  user: Row
  /** null: everything there is, is kept. */
  floor: Place | null
  older: Older
  items: ReadonlyMap<number, Item>
  /** At which offset what was marked for all last moved forward; 0 for never. */
  all: Readonly<Record<Mark, number>>
  isStale: boolean
}

/** A place in the inbox; `at` in microseconds since 1970. */
export type Place = { at: number; id: number }

/** What lies before the floor and is neither marked nor archived. */
export type Older = {
  unseen: number
  unread: number
  /** When the first of these expires, in ms since 1970. */
  expiresAt: number | null
}
export const NONE_OLDER: Older = { unseen: 0, unread: 0, expiresAt: null }

/**
 * `moved`: at which offset it last did. `heard`: its offset in the feed, 0 if it came another way.
 * A stray stands before the floor; of what is gone the number and version stay for a while, so
 * that nothing older brings it back.
 */
export type Item = { id: number; version: number; moved: number; heard: number } & (
  | { kind: 'kept' | 'stray'; row: Row; at: number; expiresAt: number | null }
  | { kind: 'gone' }
)
export type Shown = Extract<Item, { row: Row }>

/** @returns negative if `a` stands before `b`, which is newer */
export function byPlace(a: Place, b: Place): number {
  return a.at - b.at || a.id - b.id
}

/** Whether a place lies before the floor, where nothing is kept. */
export function isOlder(place: Place, { floor }: Pick<Copy, 'floor'>): boolean {
  return floor !== null && byPlace(place, floor) < 0
}

/** @returns null for a row that stands in nobody's inbox, or in another's */
export function placeOf(row: Row, user: Row): Place | null {
  const stands = row.state === 'delivered' && row.to_inbox === true && row.user_id === user.id
  return stands ? placeIfAny(row) : null
}

/** Where it stands, or may have stood before; null for one that was never delivered. */
export function placeIfAny({ delivered_at, id }: Row): Place | null {
  const at = micros(delivered_at)
  return at === null ? null : { at, id: Number(id) }
}

/** @param place of the row */
export function shown(
  row: Row,
  { at, id }: Place,
  rest: { kind: Shown['kind']; moved: number; heard: number },
): Shown {
  const expires = micros(row.expires_at)
  const expiresAt = expires === null ? null : Math.ceil(expires / 1000)
  return { ...rest, id, version: Number(row.version), row, at, expiresAt }
}

/** @param now in ms since 1970 */
export function isExpired({ expiresAt }: Pick<Shown, 'expiresAt'>, now: number): boolean {
  return expiresAt !== null && expiresAt <= now
}

/** What is in the list now, newest first. */
export function keptIn(copy: Copy, now: number): Shown[] {
  const kept: Shown[] = []
  for (const item of copy.items.values())
    if (item.kind === 'kept' && !isExpired(item, now)) kept.push(item)
  return kept.sort((a, b) => byPlace(b, a))
}

export function countsOf(copy: Copy, now: number): Counts {
  let { unseen, unread } = copy.older
  const capped = unseen >= MOST_COUNTED || unread >= MOST_COUNTED
  for (const item of copy.items.values()) {
    if (item.kind !== 'kept' || isExpired(item, now)) continue
    const counted = countedIn(item.row, copy.user)
    unseen += counted.unseen
    unread += counted.unread
  }
  return { unseen, unread, capped }
}

/** What one notification adds to the counts, each 0 or 1. */
export function countedIn(row: Row, user: Row): { unseen: number; unread: number } {
  if (isMarked('archived', row, user)) return { unseen: 0, unread: 0 }
  return {
    unseen: isMarked('seen', row, user) ? 0 : 1,
    unread: isMarked('read', row, user) ? 0 : 1,
  }
}

export function notificationIn(item: Shown, { user }: Pick<Copy, 'user'>): Notification {
  return notificationOf(item.row, user)
}
