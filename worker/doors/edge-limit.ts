import type { MiddlewareHandler } from 'hono'
import { problem } from '../api/problem.ts'
import type { Env } from '../env.ts'
import { addressOf, isLoopback } from './address.ts'

/**
 * The first limit: of an address, before anything is asked about who comes. The edge counts in each
 * of its places by itself and not exactly, which costs nothing; exact limits are admit.ts's.
 * Without the binding, without an edge, or if it fails, nobody is refused here.
 */
export const edgeLimit: MiddlewareHandler<{ Bindings: Env }> = async (c, next) => {
  const { EDGE_LIMIT } = c.env
  const address = addressOf(c)
  if (!EDGE_LIMIT || address === null || isLoopback(address)) return next()
  const { success } = await EDGE_LIMIT.limit({ key: address }).catch(() => ({ success: true }))
  if (success) return next()
  return problem(c, 'rate_limited', {
    detail: `Too many requests come from your address. Ask again in ${PERIOD_S} s.`,
    headers: { 'retry-after': String(PERIOD_S) },
  })
}

/** As wrangler.toml has it. */
const PERIOD_S = 10
