import { type Backoff, fullJitter } from '../../protocol/backoff.ts'
import type { Change } from '../../protocol/change.ts'

/**
 * A named reader of the feed with a durable offset of its own.
 *
 * Must hold: it sees every change in order at least once; its offset moves only after it has
 * handled what lies before; its failures hold back no other consumer. A page it fails on is
 * tried again one change at a time, so that only the change at fault is parked.
 */
export type Consumer = {
  name: string
  handle(changes: Change[]): Promise<void>
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

/** What was handed over: everything in (offset, through], `count` changes. */
export type Attempt = { through: number; count: number }

export type Verdict = { kind: 'retry' | 'park'; state: ConsumerState }

export function afterSuccess({ trouble }: ConsumerState, { through }: Attempt): ConsumerState {
  if (trouble === null || through >= trouble.through) return { offset: through, trouble: null }
  return {
    offset: through,
    trouble: { through: trouble.through, attempts: 0, retryAt: 0, error: null },
  }
}

/** @param random in [0, 1) */
export function afterFailure(
  state: ConsumerState,
  attempt: Attempt,
  { error, now, random }: { error: string; now: number; random: number },
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
