/**
 * What the vendors ask, in US dollars, as read in November 2026. Allowances that a plan includes
 * are left out: they are an account's, and other work may have used them up.
 */
export const cloudflare = {
  source: 'https://developers.cloudflare.com/durable-objects/platform/pricing/ (Workers Paid)',
  readOn: '2026-11-21',
  /** HTTP requests, RPC calls, alarms; incoming WebSocket messages count 20 : 1, outgoing none. */
  perMillionRequests: 0.15,
  messagesPerRequest: 20,
  /** An object is billed as 128 MB while it runs or cannot hibernate. */
  perMillionGbSeconds: 12.5,
  gbPerObject: 0.128,
  perMillionRowsWritten: 1,
  perMillionRowsRead: 0.001,
} as const

export const neon = {
  source: 'https://neon.com/faqs/managed-postgres-options-ten-databases-cost (Launch plan)',
  readOn: '2026-11-21',
  perComputeUnitHour: 0.106,
  /** The smallest: 1 GB of memory. */
  computeUnits: 0.25,
} as const
