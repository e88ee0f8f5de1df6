import type { MiddlewareHandler } from 'hono'

/**
 * What every answer of the worker forbids a browser, unless the route says otherwise. Pages come
 * from the assets, which have headers of their own: client/public/_headers.
 */
export const securityHeaders: MiddlewareHandler = async (c, next) => {
  await next()
  if (c.res.status === 101) return
  const { protocol, pathname } = new URL(c.req.url)
  const unlessSet: Record<string, string> = {
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'cross-origin-resource-policy': 'same-origin',
    ...(protocol === 'https:' ? { 'strict-transport-security': 'max-age=31536000' } : {}),
    // Which pages may read it: origins.ts.
    vary: 'origin',
    ...(pathname.startsWith('/api/') ? { 'cache-control': 'no-store' } : {}),
  }
  for (const [name, value] of Object.entries(unlessSet))
    if (!c.res.headers.has(name)) c.header(name, value)
}
