import type { RefreshedFrame } from '../../protocol/frames.ts'
import type { InboxFrame, InboxMoved } from '../../protocol/inbox-frames.ts'
import type { Counts, Notification } from '../../protocol/notification.ts'
import { type Position, parsePosition } from '../../protocol/position.ts'
import { refreshedFrom } from './session.ts'

/*
 * Reads what the worker says about an inbox, as protocol/inbox-frames.ts and notification.ts have
 * it. By hand, because a page that embeds an inbox is not to load a validator ten times the size
 * of the rest; the tests hold these readers and those schemas equal. Null: it is not that.
 */

type Fields = Readonly<Record<string, unknown>>

export type InboxPage = {
  notifications: Notification[]
  nextCursor: string | null
  counts: Counts
  position: Position
}

/** What came over the socket, read once. */
export type HeardOfInbox = InboxFrame | { type: 'malformed'; detail: string }

export function frameFrom(data: unknown): HeardOfInbox | RefreshedFrame {
  if (typeof data !== 'string') return { type: 'malformed', detail: 'it is not text' }
  const value = jsonFrom(data)
  return (
    refreshedFrom(value) ??
    helloResetOrMoved(value) ?? {
      type: 'malformed',
      detail: `it is none of an inbox: ${data.slice(0, 60)}`,
    }
  )
}

export function pageFrom(answer: unknown): InboxPage | null {
  if (!isFields(answer)) return null
  const { next_cursor: nextCursor } = answer
  const notifications = listFrom(answer.notifications, notificationFrom)
  const counts = countsFrom(answer.counts)
  const position = typeof answer.position === 'string' ? parsePosition(answer.position) : null
  if (!notifications || !counts || !position || !isTextOrNull(nextCursor)) return null
  return { notifications, nextCursor, counts, position }
}

export function notificationFrom(value: unknown): Notification | null {
  if (!isFields(value)) return null
  const { id, category, title, content, link, delivered_at, expires_at } = value
  const { seen, read, archived } = value
  if (!isCount(id) || id === 0 || !isText(category) || !isText(title) || !isText(delivered_at))
    return null
  if (!isFields(content) || !isTextOrNull(link) || !isTextOrNull(expires_at)) return null
  if (typeof seen !== 'boolean' || typeof read !== 'boolean' || typeof archived !== 'boolean')
    return null
  const times = { delivered_at, expires_at }
  return { id, category, title, content, link, ...times, seen, read, archived }
}

function helloResetOrMoved(value: unknown): InboxFrame | null {
  if (!isFields(value)) return null
  const { type, epoch, after, reason, head } = value
  const counts = countsFrom(value.counts)
  if (!counts || !isText(epoch) || epoch.length < 1 || epoch.length > 32) return null
  if (type === 'hello') {
    if (value.protocol !== 1 || !isCount(after)) return null
    const { expires_in_ms } = value
    if (expires_in_ms !== undefined && !isCount(expires_in_ms)) return null
    const ends = expires_in_ms === undefined ? {} : { expires_in_ms }
    return { type, protocol: 1, epoch, after, counts, ...ends }
  }
  if (type === 'reset')
    return isCount(head) && isReason(reason) ? { type, reason, epoch, head, counts } : null
  if (type !== 'notifications' || !isCount(after) || !isCount(value.through)) return null
  const all = allFrom(value.all)
  const notifications = listFrom(value.notifications, notificationFrom)
  const removed = listFrom(value.removed, (id) => (isCount(id) && id > 0 ? id : null))
  if (!all || !notifications || !removed) return null
  return { type, epoch, after, through: value.through, all, notifications, removed, counts }
}

export function countsFrom(value: unknown): Counts | null {
  if (!isFields(value)) return null
  const { unseen, unread, capped } = value
  if (!isCount(unseen) || !isCount(unread) || typeof capped !== 'boolean') return null
  return { unseen, unread, capped }
}

function allFrom(value: unknown): InboxMoved['all'] | null {
  if (!isFields(value)) return null
  const all: InboxMoved['all'] = {}
  for (const mark of ['seen', 'read', 'archived'] as const) {
    const through = value[mark]
    if (isText(through)) all[mark] = through
    else if (through !== undefined) return null
  }
  return all
}

function listFrom<T>(value: unknown, read: (each: unknown) => T | null): T[] | null {
  if (!Array.isArray(value)) return null
  const list: T[] = []
  for (const each of value) {
    const item = read(each)
    if (item === null) return null
    list.push(item)
  }
  return list
}

function jsonFrom(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string => typeof value === 'string'
const isTextOrNull = (value: unknown): value is string | null => value === null || isText(value)
const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0
const isReason = (value: unknown) => value === 'epoch' || value === 'pruned' || value === 'ahead'
