import { isRedrivable } from '../../protocol/delivery-states.ts'
import { SAFE_TO_REPEAT_MS, settled } from './attempt.ts'
import type { Cancelled } from './delivery.ts'
import { withEntry } from './history.ts'
import type { Row } from './row.ts'

/**
 * What a person may do to a delivery: pure.
 *
 * Must hold: a redrive of what may have gone out makes the same request while that is safe, and
 * is a new round only afterwards. What may be on its way cannot be cancelled, because nobody
 * could say any more whether it went out.
 */

/** @returns null if there is nothing to try again */
export function redriven(row: Row, now: number): Row | null {
  const { state, doubt_since, payload, batch } = row
  if (!isRedrivable(state)) return null
  const again = {
    state: 'queued' as const,
    attempts: 0,
    next_at: now,
    forget_at: null,
    last_error: null,
    history: withEntry(row.history, 'redriven', now, null),
  }
  if (doubt_since !== null && payload !== null && now < doubt_since + SAFE_TO_REPEAT_MS)
    return { ...row, ...again }
  // Another that shares its request is still in doubt, and the request needs this one's payload.
  if (batch !== null && doubt_since === null) return null
  return {
    ...row,
    ...again,
    round: row.round + 1,
    alone: row.doubt_since === null ? row.alone : 0,
    first_at: null,
    doubt_since: null,
    batch: null,
    payload: null,
    provider_id: null,
    word: null,
    sent_at: null,
  }
}

export function cancelled(row: Row, now: number): { outcome: Cancelled; row: Row } {
  const waits = row.state === 'queued' || row.state === 'failed'
  if (!waits || row.doubt_since !== null) return { outcome: 'too_late', row }
  return { outcome: 'cancelled', row: settled(row, 'cancelled', null, now) }
}
