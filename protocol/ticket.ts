import { z } from 'zod'

/**
 * A ticket opens one socket, once, within 30 s: a browser can send no header with a socket, and a
 * token does not belong in an address, which is logged. What it says is for the worker alone.
 */
export const userTopics = ['notifications', 'orders'] as const
export const staffTopics = ['changes', 'mails'] as const
export type UserTopic = (typeof userTopics)[number]
export type StaffTopic = (typeof staffTopics)[number]
export type Topic = UserTopic | StaffTopic
export const TICKET_MS = 30_000

/** `POST /api/me/tickets`: a user, for their own sockets. */
export const ticketRequest = z.strictObject({ topic: z.enum(userTopics) })
/** `POST /api/tickets`: whoever may read the feed, or look after the mails. */
export const staffTicketRequest = z.strictObject({ topic: z.enum(staffTopics) })
export const ticketAnswer = z.object({ ticket: z.string(), expires_in_ms: z.int() })
