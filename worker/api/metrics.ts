import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { DeliveryCounts } from '../courier/delivery.ts'
import type { Env } from '../env.ts'
import type { FeedStatus } from '../feed/status.ts'
import { EXPOSITION_TYPE, exposition, type Metric } from './exposition.ts'
import { problemResponses } from './problem.ts'
import { handOverRefusals } from './refusal-count.ts'
import { systemState } from './system-state.ts'

/** What `/api/status` says, for Prometheus. */
export const metrics = new OpenAPIHono<{ Bindings: Env }>()

const readMetrics = createRoute({
  method: 'get',
  path: '/metrics',
  tags: ['Status'],
  summary: 'Prometheus’ text format',
  description: 'Counters begin anew when the feed is moved or deployed.',
  responses: {
    200: { description: 'Now', content: { 'text/plain': { schema: z.string() } } },
    ...problemResponses(),
  },
})

metrics.openapi(readMetrics, async (c) => {
  await handOverRefusals(c.env)
  const { feed, counts, waitingSince } = await systemState(c.env)
  const waitingMs = waitingSince === null ? 0 : Date.now() - waitingSince
  return c.text(exposition(metricsOf(feed, { counts, waitingMs })), 200, {
    'content-type': EXPOSITION_TYPE,
  })
})

export function metricsOf(
  feed: FeedStatus,
  mails: { counts: DeliveryCounts; waitingMs: number },
): Metric[] {
  const { canary, listener, drain } = feed
  return [
    gauge('head', 'The newest offset', feed.head),
    gauge('tail', 'The oldest position that can be served', feed.tail),
    gauge('listener_present', '1 while a listener is connected', Number(listener.present)),
    {
      name: 'belfry_drained_by',
      help: 'Who drains the outbox: the listener, the feed in its place, or nobody',
      samples: (['listener', 'feed', 'nobody'] as const).map((by) => ({
        labels: { by },
        value: Number(drain.by === by),
      })),
    },
    gauge(
      'lag_seconds',
      'Age of the oldest change not yet in the feed, as the listener last said',
      listener.present ? listener.lagMs / 1000 : null,
    ),
    gauge('delivering', '1 while changes arrive, as far as was seen', Number(feed.delivering)),
    gauge(
      'canary_age_seconds',
      'Since the last canary reached the feed',
      canary && canary.ageMs / 1000,
    ),
    {
      name: 'belfry_canary_latency_seconds',
      help: 'How long the last canary took: from its row to the feed (across two clocks), and on to the last shard',
      samples: [
        ...sample({ to: 'feed' }, canary && canary.toFeedMs / 1000),
        ...sample({ to: 'shards' }, canary?.toShardsMs != null ? canary.toShardsMs / 1000 : null),
      ],
    },
    {
      name: 'belfry_sockets',
      help: 'Subscribers, by shard',
      samples: feed.shards.map(({ name, sockets }) => ({
        labels: { shard: name },
        value: sockets,
      })),
    },
    {
      name: 'belfry_shard_late',
      help: '1 while a shard does not answer the canary',
      samples: feed.shards.map(({ name }) => ({
        labels: { shard: name },
        value: Number(feed.lateShards.includes(name)),
      })),
    },
    {
      name: 'belfry_consumer_behind',
      help: 'Changes that a consumer has not handled yet',
      samples: feed.consumers.map(({ name, behind }) => ({
        labels: { consumer: name },
        value: behind,
      })),
    },
    {
      name: 'belfry_consumer_parked',
      help: 'Changes that a consumer has given up, kept for a person',
      samples: feed.consumers.map(({ name, parked }) => ({
        labels: { consumer: name },
        value: parked,
      })),
    },
    {
      name: 'belfry_mails',
      help: 'Mails, by state; parked and unknown wait for a person',
      samples: Object.entries(mails.counts).map(([state, value]) => ({ labels: { state }, value })),
    },
    gauge(
      'mail_waiting_seconds',
      'Since the oldest mail that is not sent yet was owed; 0 while none waits',
      mails.waitingMs / 1000,
    ),
    {
      name: 'belfry_refusals_total',
      help: 'What was refused, by door and by the code of its problem or its close',
      samples: feed.refused.map(({ door, code, count }) => ({
        labels: { door, code },
        value: count,
      })),
    },
  ]
}

/** @param value null if nobody knows */
function gauge(name: string, help: string, value: number | null): Metric {
  return { name: `belfry_${name}`, help, samples: sample({}, value) }
}

function sample(labels: { [name: string]: string }, value: number | null) {
  return value === null ? [] : [{ labels, value }]
}
