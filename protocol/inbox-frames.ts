import { z } from 'zod'
import { resetReasons } from './frames.ts'
import { counts, notification } from './notification.ts'

/**
 * What is said over the sockets of an inbox. Positions are the inbox's own: its epoch begins when
 * its object begins anew, its offset moves with everything that moves it. A reader checks one thing,
 * `after` = its own position, as in the feed.
 *
 * An inbox is silent while nothing moves in it, so that its object can sleep: who wants to know that
 * the connection lives says `ping`, and hears `pong`.
 */
const epoch = z.string().min(1).max(32)
const offset = z.int().nonnegative()

export const inboxHello = z.object({
  type: z.literal('hello'),
  protocol: z.literal(1),
  epoch,
  after: offset,
  counts,
  /** If the session ends by itself, as in the feed. */
  expires_in_ms: z.int().nonnegative().optional(),
})

/**
 * What became of the inbox in (after, through]. First `all`: whatever was delivered at or before
 * that time bears that mark now. Then `notifications`, each as it is now, new or moved, in no
 * order; then `removed`, which are no more, or expired.
 */
export const inboxMoved = z.object({
  type: z.literal('notifications'),
  epoch,
  after: offset,
  through: offset,
  all: z.object({
    seen: z.string().optional(),
    read: z.string().optional(),
    archived: z.string().optional(),
  }),
  notifications: z.array(notification),
  removed: z.array(z.int().positive()),
  counts,
})

/** Read the list again, then go on from `head`, where this subscription now stands. */
export const inboxReset = z.object({
  type: z.literal('reset'),
  reason: z.enum(resetReasons),
  epoch,
  head: offset,
  counts,
})

export const inboxFrame = z.discriminatedUnion('type', [inboxHello, inboxMoved, inboxReset])

export type InboxHello = z.infer<typeof inboxHello>
export type InboxMoved = z.infer<typeof inboxMoved>
export type InboxReset = z.infer<typeof inboxReset>
export type InboxFrame = z.infer<typeof inboxFrame>
