import { type Backoff, fullJitter } from '../../protocol/backoff.ts'
import type { Change } from '../../protocol/change.ts'

/**
 * A named reader of the feed with a durable offset of its own.
 *
 * Must hold: it sees every change in order at least once; its offset moves only after it has
 * handled what lies before; its failures hold back no other consumer. A page it fails on is
 * tried again one change at a time, so that only the change at fault is parked. What it lacks
 * itself (Unready) is no change's fault: it waits, and parks nothing.
 */
export type Consumer = {
  name: string
  handle(changes: Change[], handover: Handover): Promise<void>
}

/** `redriven`: a parked change, out of order and perhaps of an earlier life than `epoch`. */
export type Handover = { epoch: string; redriven: boolean }

/** The consumer cannot work yet, whatever the change. */
export class Unready extends Error {
  override name = 'Unready'
}

/**
 * `trouble` is null while all is well. After a page failed, changes go one by one up to
 * `trouble.through`, where that page ended; `attempts` counts the failures of the next of them.
 */
export type ConsumerState = {
  offset: number
  trouble: { through: number; attempts: number; retryAt: number; error: string | null } | null
}

/** `behind`: changes not yet handled. `parked`: changes given up and kept for a person. */
export type ConsumerReport = {
  name: string
  offset: number
  behind: number
  parked: number
  error: string | null
}

export const MAX_ATTEMPTS = 8
const BACKOFF: Backoff = { baseMs: 500, capMs: 60_000 }
const UNREADY_MS = 5_000

/** What was handed over: everything in (offset, through], `count` changes. */
export type Attempt = { through: number; count: number }

/** `random` in [0, 1). */
export type Facts = { error: string; now: number; random: number }

export type Verdict = { kind: 'retry' | 'park'; state: ConsumerState }

export function afterSuccess({ trouble }: ConsumerState, { through }: Attempt): ConsumerState {
  if (trouble === null || through >= trouble.through) return { offset: through, trouble: null }
  return {
    offset: through,
    trouble: { through: trouble.through, attempts: 0, retryAt: 0, error: null },
  }
}

/** It costs the change no attempt. */
export function whileUnready(
  { offset, trouble }: ConsumerState,
  { error, now, random }: Facts,
): ConsumerState {
  const { through, attempts } = trouble ?? { through: offset, attempts: 0 }
  const retryAt = now + UNREADY_MS * (0.5 + random / 2)
  return { offset, trouble: { through, attempts, retryAt, error } }
}

export function afterFailure(
  state: ConsumerState,
  attempt: Attempt,
  { error, now, random }: Facts,
): Verdict {
  const attempts = (state.trouble?.attempts ?? 0) + 1
  if (attempt.count === 1 && attempts >= MAX_ATTEMPTS)
    return { kind: 'park', state: afterSuccess(state, attempt) }
  const retryAt = now + fullJitter(attempts, BACKOFF, random)
  const through = Math.max(state.trouble?.through ?? 0, attempt.through)
  return {
    kind: 'retry',
    state: { offset: state.offset, trouble: { through, attempts, retryAt, error } },
  }
}
