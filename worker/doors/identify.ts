import type { Context, MiddlewareHandler } from 'hono'
import type { Topic } from '../../protocol/ticket.ts'
import type { Env } from '../env.ts'
import { anyoneOf, nobody } from './anyone.ts'
import { bearerOf } from './bearer.ts'
import { type Denied, keyringUnknown, verifyCredential } from './credential.ts'
import { askedOf } from './guard.ts'
import { KeyringUnknown } from './keyring-book.ts'
import type { Principal } from './principal.ts'
import type { Served } from './served.ts'
import { redeemTicket } from './tickets.ts'

/**
 * Middleware of everything: finds out who asks.
 *
 * Must hold: what is given and is not good is refused by the guard, wherever it is sent to, and never
 * taken for nothing given; until then it is counted as what its address asks. A credential in the header goes before a ticket, which then stays good.
 * What is open to everyone reads headers of its own.
 */
export const identify: MiddlewareHandler<Served> = async (c, next) => {
  const asker = askedOf(c) === 'open' ? anyoneOf(c.env) : await askerOf(c)
  if ('denied' in asker) {
    c.set('denied', asker)
    c.set('principal', nobody)
  } else c.set('principal', asker)
  return next()
}

async function askerOf(c: Context<Served>): Promise<Principal | Denied> {
  const authorization = c.req.header('authorization')
  if (authorization !== undefined) {
    const credential = bearerOf(authorization)
    return credential === null ? unreadable : verifyCredential(c.env, credential)
  }
  const topic = topicOf[c.req.path]
  const ticket = c.req.query('ticket')
  if (topic === undefined || ticket === undefined) return anyoneOf(c.env)
  return byTicket(c.env, ticket, topic)
}

/** What a ticket opens. */
const topicOf: Readonly<Record<string, Topic>> = {
  '/api/me/notifications/ws': 'notifications',
  '/api/me/notifications/stream': 'notifications',
  '/api/me/orders/ws': 'orders',
  '/api/me/orders/stream': 'orders',
  '/api/changes/ws': 'changes',
  '/api/changes/stream': 'changes',
  '/api/emails/live': 'mails',
}

const unreadable: Denied = {
  denied: 'unauthorized',
  why: 'The header must be "Authorization: Bearer <token or key>".',
}

/** Nobody learns whether it was good once, or for something else. */
const spent: Denied = {
  denied: 'unauthorized',
  why: 'The ticket is not good for this: ask for another one.',
}

async function byTicket(env: Env, ticket: string, topic: Topic): Promise<Principal | Denied> {
  try {
    return (await redeemTicket(env, ticket, topic)) ?? spent
  } catch (error) {
    if (error instanceof KeyringUnknown) return keyringUnknown
    throw error
  }
}
