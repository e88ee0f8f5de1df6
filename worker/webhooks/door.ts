import type { CourierDoor, DeliveryCounts } from '../courier/delivery.ts'
import type { Endpoint } from './endpoint.ts'
import type { Health } from './health.ts'

/** What the API and the feed ask of an endpoint's object, over RPC, beside every courier's. */
export type SenderDoor = CourierDoor & {
  /** @returns its first secret, for the only time */
  register(endpoint: Endpoint): Promise<string>
  /** Where the endpoint is now; what is not newer is dropped. */
  configure(endpoint: Endpoint): Promise<void>
  /** Also one that switched itself off. */
  switchOn(): Promise<void>
  /** The one before is in force for another day. null: the endpoint was deleted just now. */
  rotate(): Promise<{ secret: string; previousUntil: number } | null>
  /** @returns what it is sent as, its `webhook-id` */
  sendTest(endpoint: string): Promise<string>
  condition(): Promise<SenderCondition>
  isOff(): Promise<boolean>
  /** The endpoint was deleted: nothing of it stays. */
  forget(): Promise<void>
}

/** How an endpoint fares. Times are ms since 1970. */
export type SenderCondition = {
  health: Health
  counts: DeliveryCounts
  /** When something is tried next; null while nothing waits. */
  nextAt: number | null
  /** Until when the secret before the newest signs too. */
  previousUntil: number | null
}
