import type { Context, MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import { problem } from '../api/problem.ts'
import { acceptAndClose, isUpgrade } from '../api/refusal.ts'
import { countRefusal } from '../api/refusal-count.ts'
import type { Env } from '../env.ts'

/**
 * Whose pages may ask.
 *
 * The setting ALLOWED_ORIGINS is authoritative; the worker's own pages may always. Must hold: a
 * page of anyone else opens no socket, writes nothing, and reads nothing, whatever its visitor has.
 * What is not sent by a page names no origin, and needs none.
 */
export const origins: MiddlewareHandler<{ Bindings: Env }> = async (c, next) => {
  const origin = c.req.header('origin')
  if (origin === undefined || isOwn(c, origin) || ASKED_BY_ANY_PAGE.test(c.req.path)) return next()
  if (allowedOf(c.env).has(origin)) return forAllowed(c, next)
  if (isUpgrade(c.req.raw)) {
    countRefusal(c, 'subscriber', 'origin_refused')
    return acceptAndClose('origin_refused', detailFor(origin))
  }
  return c.req.method === 'GET' || c.req.method === 'HEAD'
    ? next()
    : problem(c, 'origin_refused', { detail: detailFor(origin) })
}

/** A mail's page, whose form names no origin; the token in its address is what it needs. */
const ASKED_BY_ANY_PAGE = /^\/api\/unsubscribe\//

/** No cookie says who asks, so a page can do no more than the credential it has. */
const forAllowed = cors({
  origin: (origin) => origin,
  allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  allowHeaders: ['authorization', 'content-type', 'idempotency-key', 'if-match', 'last-event-id'],
  exposeHeaders: [
    ...['etag', 'location', 'retry-after', 'www-authenticate', 'x-request-id'],
    ...['ratelimit', 'ratelimit-policy'],
  ],
  maxAge: 7_200,
})

function isOwn({ env, req }: Context<{ Bindings: Env }>, origin: string): boolean {
  return origin === new URL(req.url).origin || origin === originOf(env.PUBLIC_URL ?? '')
}

function detailFor(origin: string): string {
  return `Pages of ${origin.slice(0, 60)} are not let in. Add it to ALLOWED_ORIGINS if they are to be.`
}

/** By the setting's text; a worker has one. */
const read = new Map<string, ReadonlySet<string>>()

function allowedOf({ ALLOWED_ORIGINS = '' }: Env): ReadonlySet<string> {
  const known = read.get(ALLOWED_ORIGINS)
  if (known) return known
  const { origins: allowed, mistakes } = readOrigins(ALLOWED_ORIGINS)
  for (const mistake of mistakes)
    console.error(
      JSON.stringify({
        message:
          'ALLOWED_ORIGINS lets nobody in by this: name origins, such as https://shop.example',
        mistake,
      }),
    )
  read.set(ALLOWED_ORIGINS, allowed)
  return allowed
}

/** @param setting origins, separated by commas; what is none, such as `*`, is a mistake */
export function readOrigins(setting: string): { origins: ReadonlySet<string>; mistakes: string[] } {
  const given = setting
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
  const isOrigin = (each: string) => /^https?:[^*]+$/.test(each) && originOf(each) === each
  return {
    origins: new Set(given.filter(isOrigin)),
    mistakes: given.filter((each) => !isOrigin(each)),
  }
}

function originOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).origin : null
}
