import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Change } from '../../protocol/change.ts'
import { heardBy, type Subscription } from '../../protocol/subscription.ts'
import { readerScope } from '../doors/reader-scope.ts'
import type { Served } from '../doors/served.ts'
import type { Feed } from '../feed/feed.ts'
import { describedChange } from './described-change.ts'
import { problem, problemResponses } from './problem.ts'
import { readQuery, subscribeSocket, subscribeStream } from './subscribing.ts'

/** The three doors to the feed. They take the same query and speak of the same positions. */
export const changes = new OpenAPIHono<Served>()

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
    'Any other query name is a column that must equal its text in the new row or in the old: `?status=filled`. Belfry’s own tables are told only to whoever has the scope `admin`.',
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
  const query = await readQuery(c, search, readerScope(c.var.principal))
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
    responses: {
      [path.endsWith('ws') ? 101 : 200]: { description: 'The subscription begins' },
      ...problemResponses('invalid_filter', 'invalid_position'),
    },
  })

changes.get('/api/changes/ws', async (c) =>
  subscribeSocket(c, new URL(c.req.url).searchParams, readerScope(c.var.principal)),
)

changes.get('/api/changes/stream', async (c) =>
  subscribeStream(c, new URL(c.req.url).searchParams, readerScope(c.var.principal)),
)

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
      const heard = heardBy(subscription, change)
      if (heard) found.push(heard)
      if (found.length === limit) break
    }
    if (found.length === limit || through >= read.head)
      return { epoch: read.epoch, head: read.head, after: from.after, through, changes: found }
  }
}
