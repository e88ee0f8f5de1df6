import { z } from 'zod'
import { capturedChange } from './change.ts'

/**
 * The link: one WebSocket, opened by the listener, on which batches travel to
 * the feed and acknowledgements come back. One batch is in flight at a time, so
 * order needs no window and an unanswered batch is simply sent again.
 */

/** At most so many changes in one batch. */
export const MAX_BATCH_CHANGES = 1_000

/** Stop filling a batch at so many bytes of JSON; one larger change travels alone. */
export const MAX_BATCH_BYTES = 1_000_000

/**
 * A change of more bytes than this travels without its images. A value in a
 * Durable Object's SQLite holds 2 MB (2,097,152 bytes).
 */
export const MAX_CHANGE_BYTES = 1_900_000

/** The listener speaks at least this often; the feed calls it absent after PRESENCE_MS. */
export const PULSE_MS = 5_000
export const PRESENCE_MS = 15_000

const count = z.int().nonnegative()
const source = z.uuid()
const term = z.int().positive()

/** How the listener hears of new changes: `polling` means that LISTEN could not be had. */
export const listenerStates = ['awake', 'dozing', 'asleep', 'polling'] as const
export type ListenerState = (typeof listenerStates)[number]

/** What the listener says. `source` names the database, so that no feed mixes two. */
export const toFeed = z.discriminatedUnion('type', [
  z.object({ type: z.literal('open'), source, term, listener: z.string().min(1).max(200) }),
  z.object({
    type: z.literal('batch'),
    seq: count,
    changes: z.array(capturedChange).min(1).max(MAX_BATCH_CHANGES),
  }),
  z.object({
    type: z.literal('pulse'),
    state: z.enum(listenerStates),
    /** Age of the oldest change still in the outbox, in milliseconds; 0 when it is empty. */
    lagMs: z.number().nonnegative(),
  }),
])
export type ToFeed = z.infer<typeof toFeed>

/** What the feed says. */
export const toListener = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('welcome'),
    epoch: z.string(),
    head: count,
    /** It takes the canary's beats out. A feed of before would put them into its log. */
    canary: z.literal(true).optional(),
  }),
  z.object({ type: z.literal('ack'), seq: count, head: count, duplicates: count }),
  /** A later term was seen, here given: who holds the lock may take a term above it. */
  z.object({ type: z.literal('fenced'), term }),
])
export type ToListener = z.infer<typeof toListener>
