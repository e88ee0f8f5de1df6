import { ACK_WITHIN } from '../../protocol/acknowledgement.ts'
import { CANARY_MS } from '../../protocol/canary.ts'
import { HEARTBEAT_MS } from '../../protocol/heartbeat.ts'
import { PULSE_MS } from '../../protocol/link.ts'
import { WINDOW_BYTES } from '../../worker/shard/limits.ts'
import { cloudflare, neon } from './prices.ts'

/**
 * What the worker's code asks of the vendor, in the vendor's units. The rows are held against the
 * code itself in test/worker/bill.test.ts.
 */
export const rows = {
  /** Its UUID in `seen`, and that once more when it is pruned. */
  perChange: 2,
  /** Its row of `batches`, and that once more when it is pruned. */
  perBatch: 2,
  /** The place of a consumer. */
  perConsumerRun: 1,
  /** Where a shard stands, once a second while it tells (worker/shard/standing.ts). */
  perShardSecond: 1,
  /** At most: head, tail, and the batches of a page. */
  readPerCall: 8,
}

/** The consumers run at most so often: CONSUMERS_LAG_MS in worker/feed/feed.ts. */
const CONSUMER_RUNS_PER_SECOND = 20
/** worker/feed/durable-consumers.ts */
export const CONSUMERS = 4
/** SWEEP_MS in worker/feed/feed.ts, BEAT_MS in worker/shard/shard.ts. */
const SWEEP_SECONDS = 60
export const BEAT_SECONDS = ((HEARTBEAT_MS / 1000) * 2) / 3

/** What goes on at a steady pace, whatever it brings. */
export type Pace = {
  seconds: number
  changes: number
  batches: number
  shards: number
  /** Between the feed and the shards. */
  relays?: number
  /** Of all subscribers. */
  acks?: number
}

/** @param calls from object to object, those of heartbeats and of the canary included */
export function unitsOf(pace: Pace, calls: number): Units {
  const { seconds, changes, batches, shards, relays = 0, acks = 0 } = pace
  const canaries = seconds / (CANARY_MS / 1000)
  const messages = batches + canaries + seconds / (PULSE_MS / 1000) + acks
  const alarms = seconds / SWEEP_SECONDS + (seconds / BEAT_SECONDS) * shards
  const consumerRuns = Math.min(batches, seconds * CONSUMER_RUNS_PER_SECOND) * CONSUMERS
  return {
    requests: messages / cloudflare.messagesPerRequest + calls + alarms,
    // Each alarm is set again, which is a row.
    rowsWritten:
      changes * rows.perChange +
      batches * rows.perBatch +
      consumerRuns * rows.perConsumerRun +
      Math.min(batches, seconds) * shards * rows.perShardSecond +
      alarms,
    rowsRead: (calls + consumerRuns) * rows.readPerCall,
    // While changes come, nobody sleeps.
    gbSeconds: seconds * (1 + shards + relays) * cloudflare.gbPerObject,
  }
}

export type Units = { requests: number; rowsWritten: number; rowsRead: number; gbSeconds: number }

/** In US dollars. */
export function cloudflarePrice({ requests, rowsWritten, rowsRead, gbSeconds }: Units): number {
  return (
    (requests * cloudflare.perMillionRequests +
      gbSeconds * cloudflare.perMillionGbSeconds +
      rowsWritten * cloudflare.perMillionRowsWritten +
      rowsRead * cloudflare.perMillionRowsRead) /
    1e6
  )
}

/** A heartbeat reads the feed, and the feed asks each shard at each canary where it stands. */
export function quietCalls({ seconds, shards }: Pick<Pace, 'seconds' | 'shards'>): number {
  return seconds * shards * (1 / BEAT_SECONDS + 1000 / CANARY_MS)
}

/** About what an order takes in a frame. */
export const CHANGE_BYTES = 450

/** How often a subscriber with the SDK acknowledges so many bytes. */
export function acksOf(bytes: number): number {
  return bytes / (WINDOW_BYTES * ACK_WITHIN)
}

/** What was counted while some changes went their way. */
export type Counted = { changes: number; batches: number; seconds: number }

export type Bill = Units & { cloudflare: number; neon: number }

/**
 * A million changes.
 * @param counted at a steady pace, which the million is thought to come at
 * @param shards that hold the subscribers; how many those are costs next to nothing: what goes out
 * to them is free
 */
export function billForAMillion(counted: Counted, shards: number, subscribers: number): Bill {
  const scale = 1e6 / counted.changes
  const [batches, seconds] = [counted.batches * scale, counted.seconds * scale]
  // A push to each shard; who comes opens a socket, and shares what its shard asks of the feed.
  const calls = batches * shards + quietCalls({ seconds, shards }) + subscribers
  const acks = acksOf(1e6 * CHANGE_BYTES) * subscribers
  const units = unitsOf({ seconds, changes: 1e6, batches, shards, acks }, calls)
  return {
    ...units,
    cloudflare: cloudflarePrice(units),
    neon: (seconds / 3600) * neon.computeUnits * neon.perComputeUnitHour,
  }
}
