import type { InboxFrame, InboxHello, InboxMoved, InboxReset } from '../../protocol/inbox-frames.ts'
import { columnsOf, marks } from '../../protocol/notification.ts'
import type { Position } from '../../protocol/position.ts'
import { type Copy, countsOf, isExpired, notificationIn } from './copy.ts'

/**
 * What a reader is told, from the copy as it is now: pure. Nothing of what was told is kept but
 * when each thing last moved, so one who was away for long is told as little as one who was not.
 */

/** @returns the frames after which the reader stands where the copy does; none if it does already */
export function framesSince(copy: Copy, from: Position, now: number): InboxFrame[] {
  const { epoch, offset, tail } = copy
  if (from.epoch !== epoch) return [reset(copy, 'epoch', now)]
  if (from.offset > offset) return [reset(copy, 'ahead', now)]
  if (from.offset === offset) return []
  if (from.offset < tail) return [reset(copy, 'pruned', now)]
  return [movedSince(copy, from.offset, now)]
}

/** @param expires_in_ms null for a session that does not end by itself */
export function hello(
  copy: Copy,
  after: number,
  expires_in_ms: number | null,
  now: number,
): InboxHello {
  const { epoch } = copy
  const ends = expires_in_ms === null ? {} : { expires_in_ms }
  return { type: 'hello', protocol: 1, epoch, after, counts: countsOf(copy, now), ...ends }
}

function movedSince(copy: Copy, after: number, now: number): InboxMoved {
  const { epoch, offset: through, user } = copy
  const notifications: InboxMoved['notifications'] = []
  const removed: number[] = []
  for (const item of copy.items.values()) {
    if (item.moved <= after) continue
    if (item.kind === 'gone' || isExpired(item, now)) removed.push(item.id)
    else notifications.push(notificationIn(item, copy))
  }
  const all = Object.fromEntries(
    marks.flatMap((mark) => (copy.all[mark] > after ? [[mark, user[columnsOf[mark].all]]] : [])),
  )
  const counts = countsOf(copy, now)
  return { type: 'notifications', epoch, after, through, all, notifications, removed, counts }
}

function reset(copy: Copy, reason: InboxReset['reason'], now: number): InboxReset {
  const { epoch, offset: head } = copy
  return { type: 'reset', reason, epoch, head, counts: countsOf(copy, now) }
}
