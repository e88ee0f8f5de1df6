import type { Context, MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import { lacks, type Permission, permissionOf } from './permissions.ts'
import { refuse } from './refuse.ts'
import type { Served, ServedUser } from './served.ts'

/**
 * Middleware of everything, behind identify.ts: whether whoever asks may come to the route that
 * the router has chosen. The table of permissions is authoritative. Where no route is, nothing is
 * behind this door but `not_found`.
 */
export const guard: MiddlewareHandler<ServedUser> = async (c, next) => {
  const { principal, denied } = c.var
  if (denied) return refuse(c, denied.denied, denied.why)
  const asked = askedOf(c)
  if (asked === 'nothing') return next()
  const missing = asked === null ? 'more than anyone has' : lacks(principal, asked)
  if (missing === null) {
    if (principal.user !== null) c.set('user', principal.user)
    return next()
  }
  return principal.kind === 'anyone'
    ? refuse(c, 'unauthorized', `Send the header "Authorization: Bearer …": this needs ${missing}.`)
    : refuse(c, 'forbidden', `This needs ${missing}, which ${principal.name} does not have.`)
}

/**
 * What the route asks for; null if the table does not know it; `nothing`: there is no route, only
 * what stands before all of them.
 */
export function askedOf<E extends Served>(c: Context<E>): Permission | null | 'nothing' {
  const route = matchedRoutes(c).findLast(({ method, path }) => method !== 'ALL' || path !== '/*')
  return route === undefined ? 'nothing' : permissionOf(route.method, route.path)
}
