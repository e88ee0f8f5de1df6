import type { ListenerState } from '../../protocol/link.ts'
import type { ConsumerReport } from './consumers.ts'

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

export type FeedStatus = {
  epoch: string
  head: number
  tail: number
  listener: ListenerReport
  shards: { name: string; sockets: number }[]
  consumers: ConsumerReport[]
}
