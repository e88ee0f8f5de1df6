import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { listenerStates } from '../../protocol/link.ts'
import type { Env } from '../env.ts'
import type { FeedStatus, ListenerReport } from '../feed/status.ts'
import type { MailSummary } from '../mail/mailer.ts'

/** How the way of a change is doing. */
export const status = new OpenAPIHono<{ Bindings: Env }>()

const report = z
  .object({
    epoch: z.string(),
    head: z.int().openapi({ description: 'The newest offset' }),
    tail: z.int().openapi({ description: 'The oldest position that can be served' }),
    listener: z.discriminatedUnion('present', [
      z.object({ present: z.literal(false) }),
      z.object({
        present: z.literal(true),
        name: z.string(),
        term: z.int(),
        state: z.enum(listenerStates),
        since: z.iso.datetime(),
      }),
    ]),
    lag_ms: z.number().nullable().openapi({
      description: 'Age of the oldest change not yet in the feed; null while no listener can say',
    }),
    sockets: z.int(),
    shards: z.array(z.object({ name: z.string(), sockets: z.int() })),
    consumers: z.array(
      z.object({
        name: z.string(),
        offset: z.int(),
        behind: z.int(),
        parked: z.int(),
        error: z.string().nullable(),
      }),
    ),
    mail: z.object({ queued: z.int(), sent: z.int(), parked: z.int() }),
  })
  .openapi('Status')

const readStatus = createRoute({
  method: 'get',
  path: '/api/status',
  tags: ['Status'],
  summary: 'Head, listener, lag, shards, consumers and mail',
  responses: { 200: { description: 'Now', content: { 'application/json': { schema: report } } } },
})

status.openapi(readStatus, async (c) => {
  const [feed, mail]: [FeedStatus, MailSummary] = await Promise.all([
    c.env.FEED.getByName('main').status(),
    c.env.MAILER.getByName('main').summary(),
  ])
  const { epoch, head, tail, shards, consumers } = feed
  const sockets = shards.reduce((sum, shard) => sum + shard.sockets, 0)
  const { listener, lag_ms } = sayListener(feed.listener)
  return c.json({ epoch, head, tail, listener, lag_ms, sockets, shards, consumers, mail }, 200)
})

status.openapi(
  createRoute({
    method: 'get',
    path: '/healthz',
    tags: ['Status'],
    summary: 'The worker answers',
    responses: {
      200: {
        description: 'It does',
        content: { 'application/json': { schema: z.object({ ok: z.literal(true) }) } },
      },
    },
  }),
  (c) => c.json({ ok: true as const }, 200),
)

function sayListener(report: ListenerReport) {
  if (!report.present) return { listener: { present: false as const }, lag_ms: null }
  const { present, name, term, state, since, lagMs } = report
  return { listener: { present, name, term, state, since }, lag_ms: lagMs }
}
