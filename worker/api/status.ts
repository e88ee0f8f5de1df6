import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { listenerStates } from '../../protocol/link.ts'
import type { DeliveryCounts } from '../courier/delivery.ts'
import type { Env } from '../env.ts'
import type { DrainReport, FeedStatus, ListenerReport } from '../feed/status.ts'
import { summaryOf } from '../mail/summary.ts'
import { systemState } from './system-state.ts'

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
    drain: z
      .discriminatedUnion('by', [
        z.object({ by: z.literal('listener') }),
        z.object({ by: z.literal('feed'), since: z.iso.datetime(), last_at: z.iso.datetime() }),
        z.object({
          by: z.literal('nobody'),
          since: z.iso.datetime(),
          error: z.string().nullable().openapi({
            description: 'Why the feed cannot; null in the first 15 s of a listener’s silence',
          }),
        }),
      ])
      .openapi({
        description: 'Who takes changes out of Postgres: the listener, or in its place the feed',
      }),
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
    mail: z.object({
      queued: z.int().openapi({ description: 'Not sent yet: queued, sending, or tried again' }),
      sent: z.int().openapi({ description: 'Taken by Resend, whatever became of them there' }),
      parked: z.int().openapi({ description: 'Given up and kept for a person, `unknown` too' }),
      unknown: z.int().openapi({ description: 'Those of the parked that may have gone out' }),
      waiting_since: z.iso.datetime().nullable().openapi({
        description: 'When the oldest of the queued was owed; null while none is',
      }),
    }),
    delivering: z.boolean().openapi({
      description: 'Changes arrive: seen, by a canary that goes the way of any change every 5 s',
    }),
    why: z.string().nullable().openapi({
      description: 'Why they do not, or only slowly, and what to do; null when all is well',
    }),
    canary: z
      .object({
        beat: z.int(),
        at: z.string().openapi({ description: 'When its row was written, by Postgres’ clock' }),
        age_ms: z.number().openapi({ description: 'Since it reached the feed' }),
        to_feed_ms: z.number().openapi({
          description: 'From Postgres’ clock to the worker’s: as wrong as the two differ',
        }),
        to_shards_ms: z.number().nullable().openapi({
          description:
            'From the feed until the last shard stood where the feed did; null until then',
        }),
        late_shards: z.array(z.string()).openapi({ description: 'Those that do not answer' }),
      })
      .nullable()
      .openapi({ description: 'The last one; null until one has come since the feed awoke' }),
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
  const { feed, counts, waitingSince } = await systemState(c.env)
  const { epoch, head, tail, shards, consumers } = feed
  const sockets = shards.reduce((sum, shard) => sum + shard.sockets, 0)
  const { listener, lag_ms } = sayListener(feed.listener)
  const drain = sayDrain(feed.drain)
  const mail = sayMail(counts, waitingSince)
  const way = { epoch, head, tail, listener, drain, lag_ms, sockets, shards, consumers, mail }
  const { delivering, why } = feed
  return c.json({ ...way, delivering, why, canary: sayCanary(feed) }, 200)
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

function sayMail(counts: DeliveryCounts, waitingSince: number | null) {
  return {
    ...summaryOf(counts),
    unknown: counts.unknown,
    waiting_since: waitingSince === null ? null : new Date(waitingSince).toISOString(),
  }
}

function sayListener(report: ListenerReport) {
  if (!report.present) return { listener: { present: false as const }, lag_ms: null }
  const { present, name, term, state, since, lagMs } = report
  return { listener: { present, name, term, state, since }, lag_ms: lagMs }
}

function sayCanary({ canary, lateShards: late_shards }: FeedStatus) {
  if (canary === null) return null
  const { beat, at, ageMs: age_ms, toFeedMs: to_feed_ms, toShardsMs: to_shards_ms } = canary
  return { beat, at, age_ms, to_feed_ms, to_shards_ms, late_shards }
}

function sayDrain(drain: DrainReport) {
  if (drain.by !== 'feed') return drain
  const { by, since, lastAt: last_at } = drain
  return { by, since, last_at }
}
