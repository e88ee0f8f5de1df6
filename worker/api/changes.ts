import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { Change } from '../../protocol/change.ts'
import {
  matches,
  parseSubscription,
  type Subscription,
  type SubscriptionQuery,
} from '../../protocol/subscription.ts'
import type { Env } from '../env.ts'
import type { Feed } from '../feed/feed.ts'
import { placeSubscriber } from '../placement.ts'
import { describedChange } from './described-change.ts'
import { streamEvents } from './event-stream.ts'
import { catalogOf } from './isolate-catalog.ts'
import { problem, problemResponses } from './problem.ts'
import { acceptAndClose, isUpgrade } from './refusal.ts'
import { countRefusal } from './refusal-count.ts'

/** The three doors to the feed. They take the same query and speak of the same positions. */
export const changes = new OpenAPIHono<{ Bindings: Env }>()

const MAX_LIMIT = 1_000

const changesQuery = z.object({
  table: z
    .string()
    .optional()
    .openapi({ description: 'Only this table, which must be watched', example: 'orders' }),
  op: z
    .string()
    .optional()
    .openapi({ description: 'Only these, separated by commas', example: 'insert,update' }),
  after: z
    .string()
    .optional()
    .openapi({ description: 'Everything after this offset', example: '41' }),
  epoch: z
    .string()
    .optional()
    .openapi({ description: 'The epoch `after` belongs to; else the current one' }),
})

const changesPage = z
  .object({
    epoch: z.string(),
    head: z.int().openapi({ description: 'The newest offset of the feed' }),
    after: z.int(),
    through: z
      .int()
      .openapi({ description: 'Of everything in (after, through], these match. Go on from here.' }),
    changes: z.array(describedChange.openapi('Change')),
  })
  .openapi('ChangesPage')

const page = createRoute({
  method: 'get',
  path: '/api/changes',
  tags: ['Changes'],
  summary: 'Read the feed',
  description:
    'Any other query name is a column that must equal its text in the new row or in the old: `?status=filled`.',
  request: {
    query: changesQuery.extend({
      limit: z
        .string()
        .optional()
        .openapi({ description: '1 to 1,000; 100 if not given', example: '100' }),
    }),
  },
  responses: {
    200: { description: 'A page', content: { 'application/json': { schema: changesPage } } },
    ...problemResponses('invalid_filter', 'invalid_position', 'invalid_query', 'reset'),
  },
})

// Described to readers of the documents, but read by the same parser as at the other two doors.
changes.openAPIRegistry.registerPath(page)
changes.get(page.path, async (c) => {
  const search = new URL(c.req.url).searchParams
  const query = await readQuery(c, search)
  if (!query.ok) return problem(c, query.code, { detail: query.detail })
  const [limit = '100', ...more] = search.getAll('limit')
  const isInRange = /^\d{1,4}$/.test(limit) && Number(limit) >= 1 && Number(limit) <= MAX_LIMIT
  if (!isInRange || more.length > 0)
    return problem(c, 'invalid_query', {
      detail: `limit: a whole number from 1 to ${MAX_LIMIT}, once`,
    })

  const feed = c.env.FEED.getByName('main')
  const after = query.start?.offset ?? (await feed.oldest())
  const read = await readMatching(
    feed,
    query.subscription,
    { epoch: query.start?.epoch ?? null, after },
    Number(limit),
  )
  if ('reset' in read) {
    const { reset, epoch, head } = read
    const detail = `${reset}: read a snapshot, then go on from epoch ${epoch}, offset ${head}`
    return problem(c, 'reset', { detail, extensions: { reason: reset, epoch, head } })
  }
  return c.json(read, 200)
})

for (const [path, summary, speaks] of [
  [
    '/api/changes/ws',
    'Follow the feed over WebSocket',
    'Frames `hello`, `changes` and `reset`, as PROTOCOL.md has them. With `acks=1` the reader says how far it has come (P38), and is waited for; with `deflate=1` large frames are binary, as raw DEFLATE (P45).',
  ],
  [
    '/api/changes/stream',
    'Follow the feed as server-sent events',
    'The same frames as `data:`, the position as `id:`; `Last-Event-ID` resumes.',
  ],
] as const)
  changes.openAPIRegistry.registerPath({
    method: 'get',
    path,
    tags: ['Changes'],
    summary,
    description: speaks,
    request: { query: changesQuery },
    responses: { [path.endsWith('ws') ? 101 : 200]: { description: 'The subscription begins' } },
  })

changes.get('/api/changes/ws', async (c) => {
  if (!isUpgrade(c.req.raw))
    return problem(c, 'upgrade_required', { headers: { upgrade: 'websocket' } })
  const search = new URL(c.req.url).searchParams
  const query = await readQuery(c, search)
  if (!query.ok) {
    countRefusal(c, 'subscriber', 'bad_request')
    return acceptAndClose('bad_request', query.detail)
  }
  return openSubscription(c.env, c.req.raw, search)
})

changes.get('/api/changes/stream', async (c) => {
  const search = new URL(c.req.url).searchParams
  const query = await readQuery(c, search, c.req.header('last-event-id'))
  if (!query.ok) return problem(c, query.code, { detail: query.detail })
  if (query.start) {
    search.set('after', String(query.start.offset))
    if (query.start.epoch) search.set('epoch', query.start.epoch)
  }
  search.set('acks', '1')
  search.delete('deflate')
  const { webSocket } = await openSubscription(c.env, c.req.raw, search)
  return webSocket ? streamEvents(webSocket) : problem(c, 'internal')
})

/** Read, and held against what is watched, as far as the database says it in time. */
async function readQuery(
  c: Context<{ Bindings: Env }>,
  search: URLSearchParams,
  lastEventId: string | null = null,
): Promise<SubscriptionQuery> {
  const query = parseSubscription(search, lastEventId)
  if (!query.ok) return query
  const detail = await catalogOf(c.env).refusal(query.subscription, (reading) =>
    c.executionCtx.waitUntil(reading),
  )
  return detail === null ? query : { ok: false, code: 'invalid_filter', detail }
}

/** Hands the socket to a shard near the subscriber. */
function openSubscription(env: Env, request: Request, search: URLSearchParams): Promise<Response> {
  const place = {
    continent: request.cf?.continent as string,
    longitude: request.cf?.longitude as string,
  }
  const shards = Number(env.SHARDS_PER_REGION ?? 1)
  const { shard, locationHint } = placeSubscriber(place, shards, Math.random())
  // partyserver lets `_pk` choose the connection's id, and keeps the address with the socket, where
  // no secret belongs. No header of the client's is needed.
  for (const name of ['_pk', 'token', 'ticket']) search.delete(name)
  const address = `https://shard/?${search}`
  return env.SHARD.getByName(shard, { locationHint }).fetch(
    new Request(address, { headers: { upgrade: 'websocket' } }),
  )
}

async function readMatching(
  feed: DurableObjectStub<Feed>,
  subscription: Subscription,
  from: { epoch: string | null; after: number },
  limit: number,
) {
  const found: Change[] = []
  let through = from.after
  for (;;) {
    const read = await feed.read(from.epoch, through)
    if (read.reset) return { reset: read.reset, epoch: read.epoch, head: read.head }
    const page = JSON.parse(read.changes) as Change[]
    for (const change of page) {
      through = change.offset
      if (matches(subscription, change)) found.push(change)
      if (found.length === limit) break
    }
    if (found.length === limit || through >= read.head)
      return { epoch: read.epoch, head: read.head, after: from.after, through, changes: found }
  }
}
