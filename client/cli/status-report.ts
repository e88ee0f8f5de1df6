import { z } from 'zod'
import { listenerStates } from '../../protocol/link.ts'
import { askFor } from './admin.ts'
import type { Terminal } from './terminal.ts'

const count = z.number()

/** What `/api/status` says. */
const statusReport = z.object({
  epoch: z.string(),
  head: count,
  tail: count,
  listener: z.discriminatedUnion('present', [
    z.object({ present: z.literal(false) }),
    z.object({
      present: z.literal(true),
      name: z.string(),
      term: count,
      state: z.enum(listenerStates),
      since: z.string(),
    }),
  ]),
  /** Who takes changes out of Postgres. */
  drain: z.discriminatedUnion('by', [
    z.object({ by: z.literal('listener') }),
    z.object({ by: z.literal('feed'), since: z.string(), last_at: z.string() }),
    z.object({ by: z.literal('nobody'), since: z.string(), error: z.string().nullable() }),
  ]),
  /** null while no listener can say. */
  lag_ms: count.nullable(),
  sockets: count,
  shards: z.array(z.object({ name: z.string(), sockets: count })),
  consumers: z.array(
    z.object({
      name: z.string(),
      offset: count,
      behind: count,
      parked: count,
      error: z.string().nullable(),
    }),
  ),
  mail: z.object({
    queued: count,
    sent: count,
    /** Given up, the unknown among them. */
    parked: count,
    /** They may have gone out; a worker of an earlier version does not say. */
    unknown: count.default(0),
    waiting_since: z.string().nullable().default(null),
  }),
  delivering: z.boolean(),
  /** Why changes do not arrive, or only slowly, and what to do; null when all is well. */
  why: z.string().nullable(),
  /** The last that came since the feed awoke. */
  canary: z
    .object({
      beat: count,
      at: z.string(),
      age_ms: count,
      to_feed_ms: count,
      to_shards_ms: count.nullable(),
      late_shards: z.array(z.string()),
    })
    .nullable(),
})
export type StatusReport = z.infer<typeof statusReport>

/** @throws Failure */
export function readStatus(terminal: Terminal): Promise<StatusReport> {
  return askFor('any', terminal, '/api/status', statusReport)
}

/** `the last canary came 3.0 s ago: 12 ms to the feed, 3 ms on to the shards` */
export function canaryText({ canary }: StatusReport): string {
  if (canary === null) return 'no canary has come yet'
  const { age_ms: age, to_feed_ms: toFeed, to_shards_ms: toShards } = canary
  const on =
    toShards === null ? 'not at every shard yet' : `${Math.round(toShards)} ms on to the shards`
  return `the last canary came ${(age / 1000).toFixed(1)} s ago: ${Math.round(toFeed)} ms to the feed, ${on}`
}

export const listenerMeanings = {
  awake: 'awake, draining in a loop',
  dozing: 'about to sleep',
  asleep: 'asleep, writers ring',
  polling: 'polling: LISTEN could not be had',
} as const
