import type { Context } from 'hono'
import type { CloseName } from '../../protocol/close-codes.ts'
import type { ProblemCode } from '../../protocol/problems.ts'
import { problem } from '../api/problem.ts'
import { acceptAndClose, isUpgrade } from '../api/refusal.ts'
import { countRefusal } from '../api/refusal-count.ts'
import type { Served } from './served.ts'

/** Says no before any route is reached: to a socket by its close, to others by a problem. */
export function refuse<E extends Served>(c: Context<E>, code: Refusal, detail: string) {
  if (isUpgrade(c.req.raw)) {
    const name = closeOf[code]
    countRefusal(c, 'subscriber', name)
    return acceptAndClose(name, detail)
  }
  const headers = code === 'unauthorized' ? { 'www-authenticate': 'Bearer' } : {}
  return problem(c, code, { detail, headers })
}

/** Only what may pass by itself is worth coming back for. */
const closeOf = {
  unauthorized: 'unauthorized',
  forbidden: 'unauthorized',
  not_configured: 'unauthorized',
  sign_in_unavailable: 'failed',
  database_unavailable: 'failed',
} as const satisfies Partial<Record<ProblemCode, CloseName>>
type Refusal = keyof typeof closeOf
