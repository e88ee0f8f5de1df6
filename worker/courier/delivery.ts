import type { DeliveryState } from '../../protocol/delivery-states.ts'

/**
 * A delivery: what one rule owes one recipient for one change. The words here are those of every
 * channel; what a recipient and a body are, only the channel knows.
 *
 *   queued ─▶ sending ─▶ sent ─▶ delivered | bounced | complained   as the provider says later
 *     ▲          ├─────▶ failed      tried again at `next_at`; what it came to may be in doubt
 *     │          ├─────▶ parked      cannot succeed by waiting, or has been tried too often
 *     │          └─────▶ unknown     it may have gone out, and can no longer be repeated safely
 *     ├────────────────▶ suppressed  its recipient wants none, or cannot be reached
 *     ├────────────────▶ cancelled   by a person
 *     └── redrive ────── parked, unknown, suppressed, cancelled or bounced
 */

/** What a consumer of the feed hands over. Rule, change and recipient together name it. */
export type Owed = {
  rule: number
  /** As people know the rule. */
  ruleName: string
  /** The change's UUID. */
  change: string
  /** The row it is about: `orders` and `42`. */
  table: string
  key: string
  /** What the channel sends to: an address, `user:42`, an endpoint's id. */
  recipient: string
  /** JSON text, from which the channel makes what it sends. */
  body: string
}

/** As people read it. Times are ISO 8601 in UTC. */
export type DeliveryReport = {
  id: number
  rule: number
  rule_name: string
  change: string
  table: string
  key: string
  recipient: string
  state: DeliveryState
  attempts: number
  next_at: string | null
  last_error: string | null
  provider_id: string | null
  created_at: string
  /** When the first attempt began. */
  first_at: string | null
  /** When the provider took it. */
  sent_at: string | null
}

/** One thing that happened to a delivery. */
export type DeliveryEvent = {
  at: string
  /** `queued`, `attempt`, `sent`, `failed`, `redriven`, …, or the provider's own word for it. */
  kind: string
  detail: string | null
}

/** A delivery with its whole history, oldest first, and its body as JSON text. */
export type DeliveryStory = DeliveryReport & { history: DeliveryEvent[]; body: string }

/** Which deliveries; what is left out does not matter. */
export type DeliveryFilter = {
  states?: DeliveryState[]
  table?: string
  key?: string
  recipient?: string
  rule?: number
}

/** Newest first; `next` is the cursor of the page that follows, null on the last. */
export type DeliveryPage = { deliveries: DeliveryReport[]; next: number | null }

export type DeliveryCounts = Record<DeliveryState, number>

/** What came of cancelling: `too_late` when it may be on its way. */
export type Cancelled = 'cancelled' | 'too_late' | 'missing'

/** What the doors ask of every courier (courier.ts), over RPC. */
export type CourierDoor = {
  /** Takes what is owed; what it has had is dropped. Durable when it returns. */
  enqueue(owed: Owed[]): Promise<void>
  counts(): Promise<DeliveryCounts>
  list(filter: DeliveryFilter, limit: number, before: number | null): Promise<DeliveryPage>
  story(id: number): Promise<DeliveryStory | null>
  /** How many a redrive of these would try again. */
  countRedrivable(filter: DeliveryFilter): Promise<number>
  /** @returns how many are tried again */
  redrive(filter: DeliveryFilter | { id: number }): Promise<number>
  cancel(id: number): Promise<Cancelled>
}
