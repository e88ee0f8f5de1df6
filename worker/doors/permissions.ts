import { isAdmin, mayWriteOrders, type Principal, readableTables } from './principal.ts'

/**
 * What each route asks of whoever comes.
 *
 * This table is authoritative, for the guard and for the documents alike. It speaks of routes as
 * they are registered, so that what is looked up here is what the router has chosen, however an
 * address is spelled. Must hold: the first line that fits decides; a route that none fits is
 * refused to all, and a test holds the table against the routes that there are.
 *
 * | permission     | opens to                                                    |
 * |----------------|-------------------------------------------------------------|
 * | `open`         | everyone; whatever proof is needed the route asks for itself |
 * | `user`         | a user of ours, for what is theirs                          |
 * | `orders:read`  | whoever may read the table `orders`                         |
 * | `orders:write` | that scope                                                  |
 * | `some`         | whoever may read a table at least                           |
 * | `any`          | whoever has a scope at all                                  |
 * | `admin`        | that scope                                                  |
 */
export type Permission = 'open' | 'user' | 'orders:read' | 'orders:write' | 'some' | 'any' | 'admin'

/** A method or `*`; a path as it is registered, or what it begins with and `*`. */
const table: readonly [method: string, path: string, permission: Permission][] = [
  ['GET', '/healthz', 'open'],
  ['GET', '/openapi.json', 'open'],
  ['GET', '/link', 'open'],
  ['POST', '/webhooks/resend', 'open'],
  ['*', '/api/unsubscribe/*', 'open'],
  ['*', '/api/me', 'user'],
  ['*', '/api/me/*', 'user'],
  ['GET', '/api/orders', 'orders:read'],
  ['GET', '/api/orders/:id', 'orders:read'],
  ['GET', '/api/orders/:id/life', 'admin'],
  ['POST', '/api/orders', 'orders:write'],
  ['PUT', '/api/orders/:id', 'orders:write'],
  ['PATCH', '/api/orders/:id', 'orders:write'],
  ['DELETE', '/api/orders/:id', 'orders:write'],
  ['GET', '/api/changes', 'some'],
  ['GET', '/api/changes/ws', 'some'],
  ['GET', '/api/changes/stream', 'some'],
  ['GET', '/api/tables', 'some'],
  ['GET', '/api/tables/:table/rows', 'some'],
  ['POST', '/api/tickets', 'some'],
  ['GET', '/api/status', 'any'],
  ['GET', '/metrics', 'any'],
  ['*', '/api/admin/*', 'admin'],
  ['*', '/api/audit', 'admin'],
  ['*', '/api/emails', 'admin'],
  ['*', '/api/emails/*', 'admin'],
  ['*', '/api/keys', 'admin'],
  ['*', '/api/keys/*', 'admin'],
  ['*', '/api/mail-rules', 'admin'],
  ['*', '/api/mail-rules/*', 'admin'],
  ['*', '/api/mail-suppressions', 'admin'],
  ['*', '/api/mail-suppressions/*', 'admin'],
  ['*', '/api/mail-templates', 'admin'],
  ['*', '/api/mail-templates/*', 'admin'],
  ['*', '/api/notification-categories', 'admin'],
  ['*', '/api/notification-categories/*', 'admin'],
  ['*', '/api/notification-rules', 'admin'],
  ['*', '/api/notification-rules/*', 'admin'],
  ['*', '/api/notifications', 'admin'],
  ['*', '/api/notifications/*', 'admin'],
  ['*', '/api/revocations', 'admin'],
  ['*', '/api/users', 'admin'],
  ['*', '/api/users/*', 'admin'],
  ['*', '/api/webhooks', 'admin'],
  ['*', '/api/webhooks/*', 'admin'],
]

/**
 * @param path as it is registered: `/api/orders/:id`
 * @returns null if the table does not know it
 */
export function permissionOf(method: string, path: string): Permission | null {
  const line = table.find(
    ([ofMethod, ofPath]) => (ofMethod === '*' || ofMethod === method) && isOf(path, ofPath),
  )
  return line?.[2] ?? null
}

/** What it lacks, as a refusal names it; null if it may pass. */
export function lacks(principal: Principal, permission: Permission): string | null {
  return has(principal, permission) ? null : wantedFor[permission]
}

function has(principal: Principal, permission: Permission): boolean {
  switch (permission) {
    case 'open':
      return true
    case 'user':
      return principal.user !== null
    case 'orders:read':
      return readsOrders(principal)
    case 'orders:write':
      return mayWriteOrders(principal)
    case 'some':
      return readsSome(principal)
    case 'any':
      return principal.scopes.length > 0
    case 'admin':
      return isAdmin(principal)
  }
}

/** As people are told. */
export const wantedFor: Readonly<Record<Permission, string>> = {
  open: 'no credentials',
  user: 'the token of a user',
  'orders:read': 'the scope "orders:read"',
  'orders:write': 'the scope "orders:write"',
  some: 'a scope to read a table, such as "orders:read"',
  any: 'a scope, such as "orders:read"',
  admin: 'the scope "admin"',
}

function readsOrders(principal: Principal): boolean {
  const tables = readableTables(principal)
  return tables === 'every' || tables.has('orders')
}

function readsSome(principal: Principal): boolean {
  const tables = readableTables(principal)
  return tables === 'every' || tables.size > 0
}

function isOf(path: string, pattern: string): boolean {
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern
}
