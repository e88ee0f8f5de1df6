import type { Change, Row } from '../../protocol/change.ts'
import { micros } from '../../protocol/instant.ts'
import { isMarked, marks } from '../../protocol/notification.ts'
import { type Copy, type Item, isExpired, isOlder, placeIfAny, placeOf, shown } from './copy.ts'
import { Draft } from './draft.ts'

/**
 * What a change does to the copy: pure.
 *
 * The newer version wins, whichever way it came, and whatever was heard of the feed after an offset
 * wins over what was heard up to it. So what is heard again, or late, changes nothing.
 */
export type Heard =
  /** `arrives`: with this it came into the inbox. `offset` of the feed, 0 if it came another way. */
  | { kind: 'row'; row: Row; offset: number; arrives: boolean }
  /** `row` as it was; null if that is not known. */
  | { kind: 'deleted'; id: number; row: Row | null; offset: number }
  | { kind: 'user'; row: Row }
  /** Something moved that this cannot name. */
  | { kind: 'unknown' }

/** `late`: the ids of what was never shown, though the list was opened since its delivery. */
export type Step = { copy: Copy; late: number[] }

/** @param now in ms since 1970 */
export function hear(before: Copy, heard: readonly Heard[], now: number): Step {
  const draft = new Draft(before)
  draft.expire(now)
  const late: number[] = []
  for (const each of heard) hearOne(draft, each, now, late)
  return { copy: draft.finish(now), late }
}

function hearOne(draft: Draft, heard: Heard, now: number, late: number[]): void {
  switch (heard.kind) {
    case 'row':
      return hearRow(draft, heard, now, late)
    case 'deleted':
      return hearDeleted(draft, heard)
    case 'user':
      if (Number(heard.row.version) > Number(draft.user.version)) draft.putUser(heard.row)
      return
    case 'unknown':
      draft.isStale = true
      draft.moveAll()
  }
}

function hearRow(
  draft: Draft,
  { row, offset, arrives }: Extract<Heard, { kind: 'row' }>,
  now: number,
  late: number[],
): void {
  const gone = { id: Number(row.id), version: Number(row.version), heard: offset }
  const before = draft.items.get(gone.id)
  if (before && isKnown(before, gone.version, offset)) return
  const place = placeOf(row, draft.user)
  const stands = place !== null && !isExpired(shown(row, place, NEW), now)
  if (stands) {
    if (!before && arrives && wasNeverShown(row, draft.user)) late.push(gone.id)
    draft.put(row, place, offset)
    return
  }
  const was = placeIfAny(row)
  const isOld = before ? before.kind === 'stray' : was !== null && isOlder(was, draft)
  if (isOld) draft.isStale = true
  // What was delivered with this, and does not stand, never did.
  if (before ? before.kind !== 'gone' : was !== null && !arrives) draft.remove(gone)
}

const NEW = { kind: 'kept', moved: 0, heard: 0 } as const

function hearDeleted(draft: Draft, { id, row, offset }: Extract<Heard, { kind: 'deleted' }>): void {
  const before = draft.items.get(id)
  if (before && offset <= before.heard) return
  // Of what was never delivered nothing is remembered.
  if (!before && row?.delivered_at === null) return
  const was = row && placeIfAny(row)
  const isOld = before ? before.kind === 'stray' : was === null || isOlder(was, draft)
  if (isOld && draft.floor !== null) draft.isStale = true
  draft.remove({ id, version: Number(row?.version ?? 0), heard: offset })
}

/** Whether nothing newer is told of it here. */
function isKnown(before: Item, version: number, offset: number): boolean {
  if (before.heard > 0 && offset > 0) {
    if (offset <= before.heard) return true
    // Deleted as far as the feed went then: whoever bears the id now is another.
    if (before.kind === 'gone') return false
  }
  return version <= before.version
}

/**
 * It was delivered before the list was last opened, and comes only now. What was imported with its
 * own time of delivery is taken as it is.
 */
function wasNeverShown(row: Row, user: Row): boolean {
  const deliveredAt = micros(row.delivered_at)
  const openedAt = micros(user.last_opened_at)
  if (deliveredAt === null || openedAt === null || deliveredAt > openedAt) return false
  if (deliveredAt < (micros(row.created_at) ?? 0)) return false
  return isMarked('seen', row, user) && BY_HAND.every((column) => row[column] == null)
}

const BY_HAND = [
  ...marks.map((mark) => `${mark}_at`),
  ...['unseen_at', 'unread_at', 'unarchived_at'],
]

/** What the changes of a user's notifications and of their row say, oldest first. */
export function heardIn(changes: readonly Change[]): Heard[] {
  return changes.flatMap((change): Heard[] => {
    const { table, op, offset } = change
    if (op === 'truncate' || change.oversize) return [{ kind: 'unknown' }]
    const row = change.new
    if (table === 'users') return row ? [{ kind: 'user', row }] : []
    const id = Number(change.key?.id)
    if (row === null) return [{ kind: 'deleted', id, row: change.old, offset }]
    const wasDelivered = op !== 'insert' && change.old?.state !== 'scheduled'
    const arrives = row.state === 'delivered' && !wasDelivered
    return [{ kind: 'row', row, offset, arrives }]
  })
}

/** @param arrives whether they were delivered just now */
export function rowsAsHeard(rows: readonly Row[], arrives: boolean): Heard[] {
  return rows.map((row) => ({ kind: 'row', row, offset: 0, arrives }))
}

/** What somebody has just written: what is new came into the inbox with it. */
export function writtenAsHeard(rows: { notifications: Row[]; user: Row | null }): Heard[] {
  const heard = rows.notifications.flatMap((row) => rowsAsHeard([row], Number(row.version) === 1))
  return rows.user ? [...heard, { kind: 'user', row: rows.user }] : heard
}

/** Where a change may be before the floor, of which a load under way may know it or not. */
export function concernsOlder(copy: Pick<Copy, 'user' | 'floor'>, heard: Heard): boolean {
  if (heard.kind === 'unknown') return true
  if (heard.kind === 'user') return false
  const place = heard.row && placeIfAny(heard.row)
  return heard.row === null || (place !== null && isOlder(place, copy))
}
