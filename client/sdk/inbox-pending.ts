import type { InboxMoved } from '../../protocol/inbox-frames.ts'
import type { Counts, Mark, Notification } from '../../protocol/notification.ts'

/*
 * Marks that this page has made and the inbox has not yet told of. They are shown at once, on top of
 * what is held. Law: one stands until it is both answered and told of by a frame, or refused. Either
 * may come first, and another's mark may come between them: what is told after the answer decides.
 */
export type Pending = {
  readonly mark: Mark
  readonly to: boolean
  /** Of what was held then. */
  readonly ids: ReadonlySet<number>
  /** It was asked for everything in the inbox. */
  readonly isAll: boolean
  isAnswered: boolean
  isTold: boolean
}

type Notifications = ReadonlyMap<number, Notification>

export function withPending(held: Notifications, pending: readonly Pending[]): Notifications {
  if (pending.length === 0) return held
  const shown = new Map(held)
  for (const { mark, to, ids } of pending) {
    for (const id of ids) {
      const one = shown.get(id)
      if (one) shown.set(id, { ...one, [mark]: to })
    }
  }
  return shown
}

/** After a frame: what it settled. Call it once the frame is held. */
export function settle(
  held: Notifications,
  pending: readonly Pending[],
  frame: InboxMoved,
): Pending[] {
  const told = new Set([...frame.notifications.map(({ id }) => id), ...frame.removed])
  for (const each of pending) {
    const isMentioned =
      frame.all[each.mark] !== undefined || [...each.ids].some((id) => told.has(id))
    // The answer to a mark of all brought the counts: any frame after it is as new.
    if (each.isAnswered ? isMentioned || each.isAll : isMentioned && isSo(held, each))
      each.isTold = true
  }
  return unsettled(pending)
}

/** After an answer: one that a frame has told of already is over. */
export function unsettled(pending: readonly Pending[]): Pending[] {
  return pending.filter(({ isAnswered, isTold }) => !(isAnswered && isTold))
}

/** The counts as they will be. */
export function countsWith(
  counts: Counts,
  held: Notifications,
  shown: Notifications,
  pending: readonly Pending[],
): Counts {
  let { unseen, unread } = counts
  for (const { mark, to, isAll, isTold, isAnswered } of pending) {
    if (!isAll || !to || isTold || isAnswered) continue
    if (mark !== 'read') unseen = 0
    if (mark !== 'seen') unread = 0
    if (unseen === 0 && unread === 0) return { unseen, unread, capped: false }
  }
  for (const [id, was] of held) {
    const is = shown.get(id) ?? was
    if (is === was) continue
    unseen += isUnseen(is) - isUnseen(was)
    unread += isUnread(is) - isUnread(was)
  }
  return { ...counts, unseen: Math.max(0, unseen), unread: Math.max(0, unread) }
}

function isSo(held: Notifications, { mark, to, ids }: Pending): boolean {
  return [...ids].every((id) => (held.get(id)?.[mark] ?? to) === to)
}

const isUnseen = ({ seen, archived }: Notification) => Number(!seen && !archived)
const isUnread = ({ read, archived }: Notification) => Number(!read && !archived)
