import type { ListenerState } from '../../protocol/link.ts'
import type { ConsumerReport } from './consumer.ts'
import type { ProofReport } from './delivering.ts'
import type { Refused } from './refusals.ts'

export type ListenerReport =
  | { present: false }
  | {
      present: true
      name: string
      term: number
      state: ListenerState
      /** ISO 8601 */
      since: string
      /** Age of the oldest change in the outbox, as the listener last said. */
      lagMs: number
    }

/** Who drains the outbox, and since when (ISO 8601). */
export type DrainReport =
  | { by: 'listener' }
  /** `lastAt`: when it last looked. */
  | { by: 'feed'; since: string; lastAt: string }
  /** `error`: why the feed cannot do it; null while it waits whether a listener comes back. */
  | { by: 'nobody'; since: string; error: string | null }

export type FeedStatus = {
  epoch: string
  head: number
  tail: number
  listener: ListenerReport
  drain: DrainReport
  shards: { name: string; sockets: number }[]
  consumers: ConsumerReport[]
  refused: Refused[]
} & ProofReport
