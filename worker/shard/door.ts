import type { CloseName } from '../../protocol/close-codes.ts'
import { parseScope, SCOPE_HEADER } from '../../protocol/scope.ts'
import { parseSubscription, type Start } from '../../protocol/subscription.ts'
import { isOver, PRINCIPAL_HEADER, parsePrincipal, sessionOf } from '../doors/session.ts'
import type { SubscriberState } from './subscriber.ts'

export type Asked =
  | { ok: true; state: SubscriberState; start: Start }
  | { ok: false; close: CloseName; why: string }

/**
 * What a socket was opened for, by its query, and for whom, by the headers that the worker alone
 * gives it.
 */
export function readAsked(request: Request, now: number): Asked {
  const query = parseSubscription(new URL(request.url).searchParams)
  if (!query.ok) return { ok: false, close: 'bad_request', why: query.detail }
  const asking = parsePrincipal(request.headers.get(PRINCIPAL_HEADER))
  if (asking === null || isOver(asking, now))
    return { ok: false, close: 'unauthorized', why: 'ask for another ticket, or a new token' }
  const scope = parseScope(request.headers.get(SCOPE_HEADER))
  const { acks, deflate, start } = query
  const subscription = { ...query.subscription, scope }
  const state = { subscription, session: sessionOf(asking), acks, deflate, live: false }
  return { ok: true, state, start }
}
