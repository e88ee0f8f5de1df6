import { NeonDbError } from '@neondatabase/serverless'
import type { Context, MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import { type Topic, userOfTicket } from '../../protocol/ticket.ts'
import type { Env } from '../env.ts'
import type { InboxDoor } from '../inbox/door.ts'
import { feedEpoch } from './feed-epoch.ts'
import { problem } from './problem.ts'
import { acceptAndClose, isUpgrade } from './refusal.ts'
import { countRefusal } from './refusal-count.ts'
import { unsealTicket } from './ticket-seal.ts'
import { type Asker, askerOf } from './user-token.ts'

/**
 * The door of everything under /api/me.
 *
 * A token is authoritative on who asks (user-token.ts), and of a ticket the object of the user whom
 * it names. Must hold: nothing else that is sent says who asks, and whatever lies behind this door
 * asks only about that user. Of what is another's it is told the same as of what is nobody's.
 * On failure nobody is let in: a ticket that could not be asked about is used up, or is still good.
 *
 * `user`: the id, as text.
 */
export type MeEnv = { Bindings: Env; Variables: { user: string } }

/** What a ticket opens too. */
const topicOf: Readonly<Record<string, Topic>> = {
  '/api/me/notifications/ws': 'notifications',
  '/api/me/notifications/stream': 'notifications',
  '/api/me/orders/ws': 'orders',
  '/api/me/orders/stream': 'orders',
}

/**
 * Middleware of everything under /api/me, before all others: an inbox may stand in any page. No
 * cookie says who asks, so a page can do no more than the token it has.
 */
export const anyOrigin = cors({
  origin: '*',
  allowMethods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
  allowHeaders: ['authorization', 'content-type', 'last-event-id'],
  maxAge: 86_400,
})

/** Middleware of everything under /api/me. */
export const usersOnly: MiddlewareHandler<MeEnv> = async (c, next) => {
  const asker = await byTokenOrTicket(c)
  switch (asker.kind) {
    case 'user':
      c.set('user', asker.id)
      c.header('cache-control', 'no-store')
      return next()
    case 'nobody':
      return refuse(c, 'unauthorized', asker.why)
    case 'not_configured':
      return refuse(c, 'not_configured', 'Users cannot be let in: set the secret AUTH_SECRET.')
  }
}

/** A token goes before a ticket, which then stays good. */
async function byTokenOrTicket(c: Context<MeEnv>): Promise<Asker> {
  const topic = topicOf[c.req.path]
  const ticket = c.req.query('ticket')
  if (topic === undefined || ticket === undefined || c.req.header('authorization') !== undefined)
    return askerOf(c)
  if (!c.env.AUTH_SECRET) return { kind: 'not_configured' }
  const ours = userOfTicket(ticket) === null ? null : await unsealTicket(c.env, ticket)
  const id = ours && userOfTicket(ours)
  // Nobody learns whether there is such a user, or whether the ticket was good once.
  return ours && id && (await inboxOf(c.env, id).redeemTicket(ours, topic))
    ? { kind: 'user', id }
    : { kind: 'nobody', why: 'The ticket is not good for this: ask for another one.' }
}

function refuse(c: Context<MeEnv>, code: 'unauthorized' | 'not_configured', detail: string) {
  if (isUpgrade(c.req.raw)) {
    countRefusal(c, 'subscriber', 'unauthorized')
    return acceptAndClose('unauthorized', detail)
  }
  const headers = code === 'unauthorized' ? { 'www-authenticate': 'Bearer' } : {}
  return problem(c, code, { detail, headers })
}

const OF_THE_DATABASE = new Set(['NeonDbError', 'DatabaseNotConfigured'])

type Inbox = InboxDoor & Pick<Fetcher, 'fetch'>

/** The object of a user. */
export function inboxOf(env: Env, user: string): Inbox {
  return env.INBOX.getByName(user) as unknown as Inbox
}

/**
 * Asks the object of the user who asks, telling it which epoch the feed is in.
 * @throws what the database said to the object, as if it had been said here
 */
export async function askInbox<Answer>(
  c: Context<MeEnv>,
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
export function noSuchUser(c: Context<MeEnv>) {
  return problem(c, 'not_found', {
    detail: 'The user of this token is not there any more, or not yet. Sign in again.',
  })
}

/** Of nobody's and of another's alike. */
export function noSuchNotification(c: Context<MeEnv>, id: number) {
  return problem(c, 'not_found', { detail: `There is no notification ${id} in your inbox.` })
}
