import { NeonDbError } from '@neondatabase/serverless'
import type { Context } from 'hono'
import type { ServedUser } from '../doors/served.ts'
import type { Env } from '../env.ts'
import type { InboxDoor } from '../inbox/door.ts'
import { feedEpoch } from './feed-epoch.ts'
import { problem } from './problem.ts'

/**
 * The object of the user who asks. The door says who that is (doors/guard.ts). Must hold: whatever
 * lies behind /api/me asks only about that user. Of what is another's it is told the same as of
 * what is nobody's.
 */
type Inbox = InboxDoor & Pick<Fetcher, 'fetch'>

/** The object of a user. */
export function inboxOf(env: Env, user: string): Inbox {
  return env.INBOX.getByName(user) as unknown as Inbox
}

const OF_THE_DATABASE = new Set(['NeonDbError', 'DatabaseNotConfigured'])

/**
 * Asks the object of the user who asks, telling it which epoch the feed is in.
 * @throws what the database said to the object, as if it had been said here
 */
export async function askInbox<Answer>(
  c: Context<ServedUser>,
  ask: (inbox: Inbox, feed: string) => Promise<Answer>,
): Promise<Answer> {
  const feed = await feedEpoch(c.env)
  try {
    return await ask(inboxOf(c.env, c.var.user), feed)
  } catch (error) {
    // Between objects an error keeps its name and its words, but not its class.
    const { name, message } = error as Error
    throw OF_THE_DATABASE.has(name) ? new NeonDbError(message) : error
  }
}

/** The token may outlive its user. */
export function noSuchUser(c: Context<ServedUser>) {
  return problem(c, 'not_found', {
    detail: 'The user of this token is not there any more, or not yet. Sign in again.',
  })
}

/** Of nobody's and of another's alike. */
export function noSuchNotification(c: Context<ServedUser>, id: number) {
  return problem(c, 'not_found', { detail: `There is no notification ${id} in your inbox.` })
}
