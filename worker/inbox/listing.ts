import { micros } from '../../protocol/instant.ts'
import type { Notification } from '../../protocol/notification.ts'
import { byPlace, type Copy, keptIn, notificationIn } from './copy.ts'
import type { Listing, PageRequest } from './door.ts'

/** @returns null if older ones may belong to it, which only Postgres knows */
export function pageOf(
  copy: Copy,
  { listing, category, before, limit }: PageRequest,
  now: number,
): { notifications: Notification[]; isLast: boolean } | null {
  const place = before && { at: micros(before.delivered_at) ?? 0, id: before.id }
  const found: Notification[] = []
  for (const item of keptIn(copy, now)) {
    if (place && byPlace(item, place) >= 0) continue
    const notification = notificationIn(item, copy)
    if (category !== null && notification.category !== category) continue
    if (isListed[listing](notification)) found.push(notification)
    if (found.length > limit) break
  }
  const isMore = found.length > limit
  if (copy.floor !== null && found.length < limit) return null
  return { notifications: found.slice(0, limit), isLast: copy.floor === null && !isMore }
}

const isListed: Record<Listing, (notification: Notification) => boolean> = {
  active: ({ archived }) => !archived,
  unread: ({ archived, read }) => !archived && !read,
  archived: ({ archived }) => archived,
  all: () => true,
}
