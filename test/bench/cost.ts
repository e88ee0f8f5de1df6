import { cloudflare, neon } from './prices.ts'

/** What was counted while some changes went their way, and what a million of them would cost. */
export type Counted = { changes: number; batches: number; seconds: number }

export type Bill = {
  requests: number
  rowsWritten: number
  rowsRead: number
  gbSeconds: number
  /** US dollars. */
  cloudflare: number
  neon: number
}

/**
 * The rows that the worker's SQL writes, derived from its statements (worker/feed/log.ts,
 * consumers.ts, shard.ts): for each batch the row of `batches`, the place of one consumer, and
 * the position of each shard; for each change its UUID in `seen`, and again when it is pruned.
 */
const ROWS_PER_CHANGE = 1 + 1
const rowsPerBatch = (shards: number) => 1 + 1 + shards
/** head and tail (twice each), shards' pages, the consumer's page, its place before and after. */
const rowsReadPerBatch = (shards: number) => 8 + 2 * shards
const PULSE_SECONDS = 5
const BEAT_SECONDS = 10
const SWEEP_SECONDS = 60

/**
 * @param counted at a steady pace, which the million is thought to come at
 * @param shards that hold the subscribers; how many those are costs nothing: outgoing frames are free
 */
export function billForAMillion(counted: Counted, shards: number, subscribers: number): Bill {
  const scale = 1e6 / counted.changes
  const batches = counted.batches * scale
  const seconds = counted.seconds * scale
  const messages = batches + seconds / PULSE_SECONDS
  const alarms = seconds / SWEEP_SECONDS + (seconds / BEAT_SECONDS) * shards
  const requests =
    messages / cloudflare.messagesPerRequest +
    // A push to each shard; a heartbeat is an alarm and a read of the feed; who joins, joins once.
    batches * shards +
    alarms +
    (seconds / BEAT_SECONDS) * shards +
    2 * subscribers
  const rowsWritten = batches * rowsPerBatch(shards) + 1e6 * ROWS_PER_CHANGE + alarms
  const rowsRead = batches * rowsReadPerBatch(shards) + 1e6
  const gbSeconds = seconds * (1 + shards) * cloudflare.gbPerObject
  return {
    requests,
    rowsWritten,
    rowsRead,
    gbSeconds,
    cloudflare:
      (requests * cloudflare.perMillionRequests +
        gbSeconds * cloudflare.perMillionGbSeconds +
        rowsWritten * cloudflare.perMillionRowsWritten +
        rowsRead * cloudflare.perMillionRowsRead) /
      1e6,
    neon: (seconds / 3600) * neon.computeUnits * neon.perComputeUnitHour,
  }
}
