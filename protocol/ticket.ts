import { z } from 'zod'

/**
 * A ticket opens one socket, once, within 30 s: a browser can send no header with a socket, and a
 * token does not belong in an address, which is logged. `POST /api/me/tickets` gives one out.
 */
export const topics = ['notifications', 'orders'] as const
export type Topic = (typeof topics)[number]
export const TICKET_MS = 30_000

export const ticketRequest = z.strictObject({ topic: z.enum(topics) })
export const ticketAnswer = z.object({ ticket: z.string(), expires_in_ms: z.int() })

/** `<user>.<random>`: whose it is says which object knows it. */
export function userOfTicket(ticket: string): string | null {
  return /^([1-9]\d{0,18})\.[A-Za-z0-9_-]{22,64}$/.exec(ticket)?.[1] ?? null
}
