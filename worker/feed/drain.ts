import { type Backoff, fullJitter } from '../../protocol/backoff.ts'
import { PRESENCE_MS } from '../../protocol/link.ts'

/**
 * Who drains the outbox: the listener, the feed in its place, or nobody.
 *
 * Authoritative on whether the feed looks for itself, and when. While a listener was heard within
 * PRESENCE_MS it does not so much as ask. After that it looks every LOOK_MS while it finds
 * something, every IDLE_LOOK_MS when it does not, and stops before its next batch once a listener
 * is heard again.
 *
 * Must hold, and why nothing is doubled or out of order whoever appends, at any concurrency: a look
 * that sees a row's change sees every earlier change of that row too, unless that one was deleted,
 * which happens only after it was appended (P2). What two bring, the log drops by UUID (P20). Four
 * things would break this, and drainer.ts sees to them:
 *   - a delete before the append is on disk;
 *   - what was read in one life of the feed and appended in the next, after later changes;
 *   - a log that has forgotten the UUID: it is not pruned between a look and its append, and a
 *     listener whose place the feed takes loses its term, so that it looks anew when it returns;
 *   - another feed that drains the same outbox: claim.ts.
 * The bell is left as it is: a listener that froze and thaws believes what it set.
 *
 * On failure the outbox keeps everything; the feed tries again with backoff and says why.
 */
export type DrainState =
  | { by: 'listener' }
  /** `error` is null while the silence is too short; after that, why the feed cannot do it. */
  | { by: 'nobody'; since: number; dueAt: number; failures: number; error: string | null }
  /** `idle` counts the looks in a row that found nothing. */
  | { by: 'feed'; since: number; dueAt: number; lastAt: number; idle: number }

/** At a sweep's pace: each look is a request to the database. */
export const LOOK_MS = 5_000
/** 5,760 looks a day. Rarer would not spare the database's sleep (Neon's begins after 5 minutes). */
export const IDLE_LOOK_MS = 15_000
const BACKOFF: Backoff = { baseMs: LOOK_MS, capMs: 60_000 }

/** What silence means to a feed that has heard of no listener since `now`. */
export function silentSince(now: number): DrainState {
  return { by: 'nobody', since: now, dueAt: now + PRESENCE_MS, failures: 0, error: null }
}

/** @param heardAt when a listener was last heard on a link that is open; null without one */
export function observe(state: DrainState, heardAt: number | null, now: number): DrainState {
  if (heardAt !== null && now - heardAt <= PRESENCE_MS) return { by: 'listener' }
  return state.by === 'listener' ? silentSince(heardAt ?? now) : state
}

/** A link has closed: of its listener it is known until when it spoke. */
export function afterLink(
  state: DrainState,
  spokeAt: number,
  heardAt: number | null,
  now: number,
): DrainState {
  const seen = observe(state, heardAt, now)
  if (seen.by === 'listener') return seen
  return state.by === 'listener' || now - spokeAt <= PRESENCE_MS ? silentSince(spokeAt) : state
}

/** When the feed must look at its links or the outbox again. */
export function nextAt(state: DrainState, heardAt: number | null, now: number): number {
  if (state.by !== 'listener') return state.dueAt
  return (heardAt ?? now) + PRESENCE_MS + 1
}

/** @param more there are rows that did not fit the batch */
export function afterLook(
  state: DrainState,
  { found, more, now }: { found: number; more: boolean; now: number },
): DrainState {
  if (state.by === 'listener') return state
  const idle = found > 0 ? 0 : 1 + (state.by === 'feed' ? state.idle : 0)
  const waitMs = more ? 0 : Math.min(IDLE_LOOK_MS, LOOK_MS * Math.max(1, idle))
  const since = state.by === 'feed' ? state.since : now
  return { by: 'feed', since, dueAt: now + waitMs, lastAt: now, idle }
}

/** @param random in [0, 1) */
export function afterFailure(
  state: DrainState,
  { error, now, random }: { error: string; now: number; random: number },
): DrainState {
  if (state.by === 'listener') return state
  const failures = 1 + (state.by === 'nobody' ? state.failures : 0)
  const since = state.by === 'nobody' ? state.since : now
  const dueAt = now + fullJitter(failures, BACKOFF, random)
  return { by: 'nobody', since, dueAt, failures, error }
}
