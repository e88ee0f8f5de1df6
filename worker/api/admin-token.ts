import type { Context, MiddlewareHandler } from 'hono'
import { timingSafeEqual } from 'hono/utils/buffer'
import type { Env } from '../env.ts'
import { bearerOf } from './bearer.ts'
import { problem } from './problem.ts'

/** Middleware of what only those who run it may do: the bearer token `ADMIN_TOKEN`. */
export const adminOnly: MiddlewareHandler<{ Bindings: Env }> = async (c, next) => {
  if (!c.env.ADMIN_TOKEN)
    return problem(c, 'unauthorized', { detail: 'Set the secret ADMIN_TOKEN first.' })
  return (await hasToken(c, c.env.ADMIN_TOKEN)) ? next() : refuse(c)
}

/** Middleware of what anyone may read who runs it without an `ADMIN_TOKEN`. */
export const adminIfSet: MiddlewareHandler<{ Bindings: Env }> = async (c, next) => {
  const { ADMIN_TOKEN } = c.env
  return !ADMIN_TOKEN || (await hasToken(c, ADMIN_TOKEN)) ? next() : refuse(c)
}

/** Also in the query, as `token`: a browser sends no header with a socket. */
export async function bearsAdminToken(c: Context<{ Bindings: Env }>): Promise<boolean> {
  const { ADMIN_TOKEN } = c.env
  if (!ADMIN_TOKEN) return false
  return (
    (await hasToken(c, ADMIN_TOKEN)) ||
    (await timingSafeEqual(c.req.query('token') ?? '', ADMIN_TOKEN))
  )
}

async function hasToken(c: Context, token: string): Promise<boolean> {
  const given = bearerOf(c)
  return given !== null && (await timingSafeEqual(given, token))
}

function refuse(c: Context) {
  return problem(c, 'unauthorized', {
    detail: 'Send the header "Authorization: Bearer <ADMIN_TOKEN>".',
    headers: { 'www-authenticate': 'Bearer' },
  })
}
