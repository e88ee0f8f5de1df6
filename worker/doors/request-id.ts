import type { Context, MiddlewareHandler } from 'hono'

/**
 * The id of a request: ours, never one that the caller sent, so that two requests never share one.
 * It stands in the answer, in the problem, in each line of the log, and in the audit of what the
 * request wrote.
 */
const HEADER = 'x-request-id'

/** For `app.use`, before all others. */
export const requestId: MiddlewareHandler = async (c, next) => {
  const id = crypto.randomUUID()
  c.set('requestId', id)
  await next()
  c.header(HEADER, id)
}

/** @returns undefined where no request id was given out: in an app of a test's own */
export function requestIdOf(c: Context): string | undefined {
  return c.get('requestId')
}
