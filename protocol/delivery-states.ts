/** In the order in which a delivery lives, and then where it may have stopped. */
export const deliveryStates = [
  'queued',
  'sending',
  'failed',
  'sent',
  'delivered',
  'bounced',
  'complained',
  'suppressed',
  'cancelled',
  'unknown',
  'parked',
] as const
export type DeliveryState = (typeof deliveryStates)[number]

/** Those that a person may have tried again. */
export const redrivable = [
  'parked',
  'unknown',
  'suppressed',
  'cancelled',
  'bounced',
] as const satisfies DeliveryState[]

export function isRedrivable(state: DeliveryState): boolean {
  return redrivable.some((each) => each === state)
}
