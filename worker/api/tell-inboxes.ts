import type { Context } from 'hono'
import type { Row } from '../../protocol/change.ts'
import { requestIdOf } from '../doors/request-id.ts'
import type { InboxDoor } from '../inbox/door.ts'
import type { DatabaseEnv } from './database.ts'
import type { CursorSecrets } from './opaque.ts'

/** As much of the bindings as writers need. */
export type WriterEnv = DatabaseEnv &
  CursorSecrets & {
    INBOX: { getByName(user: string): Pick<InboxDoor, 'tell'> }
  }

/** Of more rows than these, those who write them leave word to the feed. */
export const MOST_TOLD = 50

/**
 * Hands rows that were just written to the inboxes of their users, so that those hear at once. The
 * feed brings the same: what is not told here, or fails, is told by it.
 * @param rows as a change carries them
 */
export function tellInboxes(c: Context<{ Bindings: WriterEnv }>, rows: Rows | Promise<Rows>): void {
  c.executionCtx.waitUntil(tell(c, rows))
}

type Rows = { notifications?: readonly Row[]; users?: readonly Row[] }

async function tell(c: Context<{ Bindings: WriterEnv }>, rows: Rows | Promise<Rows>) {
  try {
    const told = shares(await rows)
    await Promise.all(told.map(({ id, ...theirs }) => c.env.INBOX.getByName(id).tell(theirs)))
  } catch (error) {
    console.warn(
      JSON.stringify({
        message: 'an inbox was not told at once',
        request_id: requestIdOf(c),
        error: String(error),
      }),
    )
  }
}

/** What is whose. */
function shares(rows: Rows): { id: string; notifications: Row[]; user: Row | null }[] {
  const notifications = Object.groupBy(rows.notifications ?? [], (row) => String(row.user_id))
  const users = new Map((rows.users ?? []).map((row) => [String(row.id), row]))
  const ids = new Set([...Object.keys(notifications), ...users.keys()])
  return Array.from(ids, (id) => ({
    id,
    notifications: notifications[id] ?? [],
    user: users.get(id) ?? null,
  }))
}
