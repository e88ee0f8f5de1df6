import type { Row } from '../../protocol/change.ts'
import { type Mark, marks } from '../../protocol/notification.ts'
import {
  byPlace,
  type Copy,
  countsOf,
  type Item,
  NONE_OLDER,
  type Older,
  placeOf,
  type Shown,
  shown,
} from './copy.ts'
import { Draft } from './draft.ts'
import { concernsOlder, type Heard, hear, type Step } from './hear.ts'

/**
 * Filling the copy from Postgres: pure.
 *
 * Must hold: what was heard since the load began wins over what it brings, deletions too, because
 * nobody knows which of the two is newer but for the versions. If it was about what lies before the
 * floor, the counts that were brought may be of before it or after, and the copy stays stale.
 */

/** As `belfry.inbox_window` answers. `askedAt`: when it was asked, in ms since 1970. */
export type Loaded = {
  askedAt: number
  user: Row
  notifications: Row[]
  complete: boolean
  older: { unseen: number; unread: number; expires_ms: number | null }
  next_ms: number | null
}

export type Life = { epoch: string; feed: string }

/** In a new life of the inbox: who stood in another is told to read again. */
export function filledAnew(
  loaded: Loaded,
  since: readonly Heard[],
  { epoch, feed }: Life,
  now: number,
): Step {
  const empty: Copy = {
    ...{ epoch, feed, offset: 0, tail: 0, user: loaded.user },
    ...{ floor: null, older: NONE_OLDER, items: new Map(), isStale: false },
    all: Object.fromEntries(marks.map((mark) => [mark, 0])) as Record<Mark, number>,
  }
  const items = new Map(brought(loaded, 0).map((item) => [item.id, item]))
  return hear({ ...empty, items, ...lowerPart(loaded) }, since, now)
}

/** What the load shows to have moved unheard is told as if it had been heard. */
export function filledAgain(
  before: Copy,
  loaded: Loaded,
  since: readonly Heard[],
  now: number,
): Step {
  const draft = new Draft(before)
  if (Number(loaded.user.version) > Number(draft.user.version)) draft.putUser(loaded.user)
  const { floor, older } = lowerPart(loaded)
  const fresh = new Set(since.flatMap(idOf))

  const news = new Map(brought(loaded, draft.offset).map((item) => [item.id, item]))
  for (const item of draft.items.values()) {
    const isFresh = fresh.has(item.id)
    if (item.kind === 'gone') {
      // What the load began after it was gone is another of its id, or is expired no more.
      if (isFresh) news.delete(item.id)
      continue
    }
    const loadedItem = news.get(item.id)
    const isBeforeFloor = floor !== null && byPlace(item, floor) < 0
    if (loadedItem && loadedItem.version <= item.version) {
      news.delete(item.id)
      if (item.kind === 'stray') draft.items.set(item.id, { ...item, kind: 'kept' })
    } else if (!loadedItem && isBeforeFloor) {
      if (item.kind === 'kept') draft.leave(item)
    } else if (!loadedItem && !isFresh) draft.remove({ ...item, heard: 0 })
    else if (!loadedItem && item.kind === 'stray')
      draft.items.set(item.id, { ...item, kind: 'kept' })
  }
  for (const item of news.values()) {
    draft.items.set(item.id, item)
    draft.move()
  }
  const isOfOtherMarks = Number(draft.user.version) > Number(loaded.user.version)
  const there = { floor, user: draft.user }
  draft.floor = floor
  draft.older = older
  draft.isStale =
    since.some((heard) => concernsOlder(there, heard)) || (isOfOtherMarks && floor !== null)
  // Some of what it brought may have expired on the way.
  draft.expire(now)
  if (!haveSameCounts(draft.finish(now), before, now)) draft.move()
  return { copy: draft.finish(now), late: [] }
}

function brought(loaded: Loaded, moved: number): Shown[] {
  return loaded.notifications.flatMap((row) => {
    const place = placeOf(row, loaded.user)
    return place ? [shown(row, place, { kind: 'kept', moved, heard: 0 })] : []
  })
}

function lowerPart({ askedAt, user, notifications, complete, older }: Loaded) {
  const last = notifications.at(-1)
  const floor = complete || !last ? null : placeOf(last, user)
  const { unseen, unread, expires_ms } = older
  const expiresAt = expires_ms === null ? null : askedAt + Math.ceil(expires_ms)
  return { floor, older: { unseen, unread, expiresAt } satisfies Older }
}

function idOf(heard: Heard): Item['id'][] {
  if (heard.kind === 'row') return [Number(heard.row.id)]
  return heard.kind === 'deleted' ? [heard.id] : []
}

function haveSameCounts(a: Copy, b: Copy, now: number): boolean {
  const [x, y] = [countsOf(a, now), countsOf(b, now)]
  return x.unseen === y.unseen && x.unread === y.unread && x.capped === y.capped
}
