import { z } from 'zod'
import { change } from './change.ts'

/** The version of what is said over the sockets; it grows when an old reader would misread. */
export const PROTOCOL = 1

const epoch = z.string().min(1).max(32)
const offset = z.int().nonnegative()

/**
 * The first frame: the position from which nothing will be missed. `window`, in bytes, stands in it
 * for a subscriber that acknowledges: see acknowledgement.ts. `expires_in_ms`, if its session ends by
 * itself: then the socket is cut, unless `refresh <token>` was said and answered by `refreshed`.
 */
export const helloFrame = z.object({
  type: z.literal('hello'),
  protocol: z.literal(PROTOCOL),
  epoch,
  after: offset,
  window: z.int().positive().optional(),
  expires_in_ms: z.int().nonnegative().optional(),
})

/**
 * Of everything in (after, through], these match your subscription. With no
 * changes it is a heartbeat, or says that what lay between did not match.
 */
export const changesFrame = z.object({
  type: z.literal('changes'),
  epoch,
  after: offset,
  through: offset,
  changes: z.array(change),
})

export const resetReasons = ['epoch', 'pruned', 'ahead'] as const
export type ResetReason = (typeof resetReasons)[number]

/**
 * Your position cannot be served any more: read a snapshot, then go on from
 * `head`, where this subscription now stands.
 *
 * - `epoch`: the feed began a new life.
 * - `pruned`: the log does not reach back that far.
 * - `ahead`: the feed has not come that far.
 */
export const resetFrame = z.object({
  type: z.literal('reset'),
  reason: z.enum(resetReasons),
  epoch,
  head: offset,
})

/**
 * The answer to `refresh <token>` (session.ts), over the sockets of inboxes and of mails too. It has
 * no place among the frames of the feed, and no position.
 */
export const refreshedFrame = z.object({
  type: z.literal('refreshed'),
  expires_in_ms: z.int().nonnegative().nullable(),
})

export const frame = z.discriminatedUnion('type', [helloFrame, changesFrame, resetFrame])

export type HelloFrame = z.infer<typeof helloFrame>
export type ChangesFrame = z.infer<typeof changesFrame>
export type ResetFrame = z.infer<typeof resetFrame>
export type RefreshedFrame = z.infer<typeof refreshedFrame>
export type Frame = z.infer<typeof frame>
