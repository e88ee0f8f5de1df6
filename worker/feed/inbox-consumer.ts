import type { Change, Row } from '../../protocol/change.ts'
import { cutsOf } from '../doors/revoked-in.ts'
import type { Consumer } from './consumer.ts'
import { eachInbox } from './each-inbox.ts'
import { userOfPrincipal } from './revoking.ts'
import { type Inboxes, type Missed, tellInbox } from './tell-inbox.ts'

/**
 * Hands the changes of `notifications` and `users`, and the revocations of a user, to the inbox of
 * each, as far as it needs to hear them: who has never read it has no copy, and needs to know only when something is scheduled.
 *
 * Must hold: what one inbox is told stays in the order of the log. Inboxes do not wait for each
 * other, and no more than a few are told at a time (each-inbox.ts). Nobody waits for one that fails, this
 * consumer included: it is told later that it missed something (tell-inbox.ts). Twice is once,
 * as rows have versions. A TRUNCATE names nobody, so everyone who reads hears of it.
 */
export function inboxConsumer({ inboxes, missed, readers }: InboxWorld): Consumer {
  return {
    name: 'inbox',
    async handle(changes, { epoch }) {
      for (const told of partsOf(changes, readers)) await tell(inboxes, missed, told, epoch)
      for (const { table, op, old } of changes)
        if (table === 'users' && op === 'delete') readers.forget(String(old?.id))
    },
  }
}

export type InboxWorld = { inboxes: Inboxes; missed: Missed; readers: InboxReaders }

/**
 * Users who have read their inbox. Only their objects keep a copy, so only they need to hear what is
 * delivered: in a shop with 100,000 users, most of whom never look, a word to all wakes few objects.
 *
 * Must hold: an object is a reader here before it fills its copy from Postgres. So what the feed's
 * consumer passed while it was none was committed before, and is in what it read.
 */
export type InboxReaders = {
  has(user: string): boolean
  add(user: string): void
  forget(user: string): void
  all(): Iterable<string>
}

/** User's id → what is theirs, in the order of the log. */
type Told = Map<string, Change[]>

/** A truncate stands by itself, so that nobody hears of it before what was written before it. */
function partsOf(changes: readonly Change[], readers: InboxReaders): Told[] {
  const parts: Told[] = [new Map()]
  for (const change of changes) {
    if (change.table === 'revocations') {
      for (const { principal } of cutsOf([change])) {
        const user = userOfPrincipal(principal)
        if (user !== null && readers.has(user)) add(parts.at(-1), user, change)
      }
      continue
    }
    if (change.table !== 'notifications' && change.table !== 'users') continue
    if (change.op === 'truncate')
      parts.push(new Map(Array.from(readers.all(), (user) => [user, [change]])), new Map())
    else
      for (const [user, theirs] of shares(change))
        if (concerns(user, theirs, readers)) add(parts.at(-1), user, theirs)
  }
  return parts
}

function add(told: Told | undefined, user: string, change: Change): void {
  const before = told?.get(user)
  if (before) before.push(change)
  else told?.set(user, [change])
}

function concerns(
  user: string,
  { table, op, new: row, old }: Change,
  readers: InboxReaders,
): boolean {
  if (table === 'notifications') return row?.state === 'scheduled' || readers.has(user)
  const hasNews = MARKS_FOR_ALL.some((column) => row?.[column] !== old?.[column])
  return (op === 'delete' || (op === 'update' && hasNews)) && readers.has(user)
}

/** All that an inbox keeps of its user's row. */
const MARKS_FOR_ALL = ['last_opened_at', 'all_read_at', 'all_archived_at']

/** Whose a change is. To whom a row no longer belongs, it is deleted; whose it becomes, inserted. */
function shares(change: Change): [user: string, theirs: Change][] {
  const [was, is] = [userOf(change.table, change.old), userOf(change.table, change.new)]
  if (was === is || change.op !== 'update') {
    const user = is ?? was
    if (user === null) throw new Error(unreadable(change))
    return [[user, change]]
  }
  return [
    ...(was === null ? [] : [[was, { ...change, op: 'delete', new: null }] as [string, Change]]),
    ...(is === null ? [] : [[is, { ...change, op: 'insert', old: null }] as [string, Change]]),
  ]
}

function userOf(table: string, row: Row | null): string | null {
  const id = table === 'users' ? row?.id : row?.user_id
  return typeof id === 'number' || typeof id === 'string' ? String(id) : null
}

async function tell(inboxes: Inboxes, missed: Missed, told: Told, epoch: string): Promise<void> {
  const before = missed.users
  await eachInbox([...told.keys()], (user) => {
    const changes = told.get(user) ?? []
    return tellInbox(inboxes, missed, user, { changes, epoch, hasMissed: before.has(user) })
  })
}

function unreadable({ table, key }: Change): string {
  return `The row ${JSON.stringify(key)} of ${table} does not say whose it is, so no inbox was told.`
}
