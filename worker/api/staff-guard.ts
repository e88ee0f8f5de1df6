import type { MiddlewareHandler } from 'hono'
import type { Env } from '../env.ts'
import { bearerOf } from './bearer.ts'
import { problem } from './problem.ts'
import { acceptAndClose, isUpgrade } from './refusal.ts'
import { countRefusal } from './refusal-count.ts'
import { isUserToken } from './user-token.ts'

/** What anyone may ask for, with whatever credentials. */
const OPEN = /^\/(?:api\/(?:me|unsubscribe)(?:\/|$)|webhooks\/|link$|healthz$|openapi\.json$)/

const DETAIL = 'This is the token of a user, which opens /api/me and nothing else.'

/**
 * Middleware of everything: whoever comes as a user is let in at /api/me, and nowhere else, even
 * where no credentials are asked for. A token that has expired is a user's all the same.
 */
export const usersKeepOut: MiddlewareHandler<{ Bindings: Env }> = async (c, next) => {
  if (OPEN.test(c.req.path)) return next()
  const given = [bearerOf(c), c.req.query('token')]
  for (const token of given) {
    if (!token || !(await isUserToken(c.env, token))) continue
    if (!isUpgrade(c.req.raw)) return problem(c, 'forbidden', { detail: DETAIL })
    countRefusal(c, 'subscriber', 'unauthorized')
    return acceptAndClose('unauthorized', DETAIL)
  }
  return next()
}
