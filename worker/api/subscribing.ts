import type { Context } from 'hono'
import { SCOPE_HEADER, type Scope } from '../../protocol/scope.ts'
import { parseSubscription, type SubscriptionQuery } from '../../protocol/subscription.ts'
import type { Principal } from '../doors/principal.ts'
import type { Served } from '../doors/served.ts'
import { asciiJson, PRINCIPAL_HEADER, writePrincipal } from '../doors/session.ts'
import type { Env } from '../env.ts'
import { placeSubscriber } from '../placement.ts'
import { streamEvents } from './event-stream.ts'
import { catalogOf } from './isolate-catalog.ts'
import { problem } from './problem.ts'
import { acceptAndClose, isUpgrade } from './refusal.ts'
import { countRefusal } from './refusal-count.ts'

/**
 * A reader of the feed on its way from a door to a shard. What it may hear is the door's to say;
 * what it asks for is read here.
 */

/** Read, and held against what is watched, as far as the database says it in time. */
export async function readQuery<E extends Served>(
  c: Context<E>,
  search: URLSearchParams,
  scope: Scope,
  lastEventId: string | null = null,
): Promise<SubscriptionQuery> {
  const query = parseSubscription(search, lastEventId)
  if (!query.ok) return query
  if (search.toString().length > MAX_QUERY_CHARACTERS)
    return { ok: false, code: 'invalid_query', detail: TOO_LONG }
  const subscription = { ...query.subscription, scope }
  const detail = await catalogOf(c.env).refusal(subscription, (reading) =>
    c.executionCtx.waitUntil(reading),
  )
  if (detail !== null) return { ok: false, code: 'invalid_filter', detail }
  return { ...query, subscription }
}

/** As it is encoded. A socket keeps its address, for which it has 16 KiB with all else. */
const MAX_QUERY_CHARACTERS = 8_192
const TOO_LONG = `The query is longer than ${MAX_QUERY_CHARACTERS} characters: filter on fewer columns.`

/** Answers with a WebSocket; what is refused too, closed. */
export async function subscribeSocket<E extends Served>(
  c: Context<E>,
  search: URLSearchParams,
  scope: Scope,
): Promise<Response> {
  if (!isUpgrade(c.req.raw))
    return problem(c, 'upgrade_required', { headers: { upgrade: 'websocket' } })
  const query = await readQuery(c, search, scope)
  if (!query.ok) {
    countRefusal(c, 'subscriber', 'bad_request')
    return acceptAndClose('bad_request', query.detail)
  }
  return openSubscription(c.env, c.req.raw, search, scope, c.var.principal)
}

/** Answers with server-sent events. */
export async function subscribeStream<E extends Served>(
  c: Context<E>,
  search: URLSearchParams,
  scope: Scope,
): Promise<Response> {
  const query = await readQuery(c, search, scope, c.req.header('last-event-id'))
  if (!query.ok) return problem(c, query.code, { detail: query.detail })
  if (query.start) {
    search.set('after', String(query.start.offset))
    if (query.start.epoch) search.set('epoch', query.start.epoch)
  }
  search.set('acks', '1')
  search.delete('deflate')
  const { webSocket } = await openSubscription(c.env, c.req.raw, search, scope, c.var.principal)
  return webSocket ? streamEvents(webSocket, 'acknowledges') : problem(c, 'internal')
}

/** Hands the socket to a shard near the subscriber. */
function openSubscription(
  env: Env,
  request: Request,
  search: URLSearchParams,
  scope: Scope,
  asking: Principal,
): Promise<Response> {
  const place = {
    continent: request.cf?.continent as string,
    longitude: request.cf?.longitude as string,
  }
  const shards = Number(env.SHARDS_PER_REGION ?? 1)
  const { shard, locationHint } = placeSubscriber(place, shards, Math.random())
  // partyserver lets `_pk` choose the connection's id, and keeps the address with the socket, where
  // no secret belongs. None of the client's headers comes along, and so none can name a scope, or
  // a principal.
  for (const name of ['_pk', 'ticket']) search.delete(name)
  const headers = {
    upgrade: 'websocket',
    [SCOPE_HEADER]: asciiJson(scope),
    [PRINCIPAL_HEADER]: writePrincipal(asking),
  }
  return env.SHARD.getByName(shard, { locationHint }).fetch(
    new Request(`https://shard/?${search}`, { headers }),
  )
}
