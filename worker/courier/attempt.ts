import { type Backoff, fullJitter } from '../../protocol/backoff.ts'
import type { DeliveryState } from '../../protocol/delivery-states.ts'
import { shortened, withEntry, withoutLastAttempt } from './history.ts'
import type { Outcome } from './outcome.ts'
import type { Row } from './row.ts'

/**
 * How an attempt changes a delivery: pure, from row to row.
 *
 * Must hold: from the moment before a request leaves until an answer says otherwise the delivery
 * is in doubt. In doubt, nothing but the same request is made, under the same key, and that only
 * for 23 hours: after them it is `unknown`, for a person to look. What shared a request is
 * repeated or given up together, because the request cannot be made without one of them.
 */
export const MAX_ATTEMPTS = 8
/** One hour short of a provider's memory for idempotency keys. */
export const SAFE_TO_REPEAT_MS = 23 * 3_600_000
/** The seven waits sum to 22.75 h at most. */
const BACKOFF: Backoff = { baseMs: 15_000, capMs: 24 * 3_600_000, factor: 4 }
/** So long before the end of those 23 hours the last attempt is made. */
const LAST_CHANCE_MS = 60_000

const ERROR_MAX = 1_000
const DAY_MS = 24 * 3_600_000
const HOUR_MS = 3_600_000
/** Longer than the feed keeps a change, so that none handed over again is taken for new. */
const KEEP_DAYS = 60
/** What waits for a person. */
const KEEP_FOR_A_PERSON_DAYS = 365

export function begun(row: Row, payload: string, batch: string | null, now: number): Row {
  return {
    ...row,
    state: 'sending',
    attempts: row.attempts + 1,
    alone: 1,
    first_at: row.first_at ?? now,
    next_at: null,
    doubt_since: row.doubt_since ?? now,
    batch,
    payload,
    history: withEntry(row.history, 'attempt', now, null),
  }
}

/** `attempts`: the most that anything in the request has had, so that all fare alike. */
export type Facts = { now: number; random: number; attempts: number }

/**
 * @param row as it stands now
 * @param before as it stood before the attempt
 */
export function finished(row: Row, before: Row, outcome: Outcome, facts: Facts): Row {
  // The provider's word came before its answer did, and is the newer of the two.
  if (row.state !== 'sending') return toldMeanwhile(row, before, outcome)
  const wasInDoubt = before.doubt_since !== null
  switch (outcome.kind) {
    case 'sent':
      return {
        ...settled(row, 'sent', null, facts.now),
        provider_id: outcome.providerId,
        sent_at: facts.now,
      }
    case 'refused':
      // In an accepted batch the refusal of one is the answer to the very first request.
      return wasInDoubt && row.batch === null
        ? givenUp(row, `${outcome.error} ${EARLIER}`, facts.now)
        : settled(row, 'parked', outcome.error, facts.now)
    case 'unknown':
      return settled(row, 'unknown', outcome.error, facts.now)
    case 'hold':
      return unmade(row, before)
    case 'apart':
      if (wasInDoubt) return givenUp(row, `${outcome.error} ${EARLIER}`, facts.now)
      if (row.batch === null) return settled(row, 'parked', outcome.error, facts.now)
      return { ...unmade(row, before), alone: 1, last_error: shortened(outcome.error, ERROR_MAX) }
    case 'retry':
      return outcome.inDoubt || wasInDoubt
        ? repeated(row, outcome, facts)
        : { ...triedAgain(row, outcome, facts), alone: before.alone }
  }
}

/** What was under way when the courier stopped. */
export function interrupted(row: Row, error: string, facts: Facts): Row {
  return repeated(row, { afterMs: null, error }, facts)
}

/** Before an attempt: what is not tried at all. */
export function setAside(row: Row, state: 'parked' | 'suppressed', why: string, now: number): Row {
  if (row.doubt_since === null) return settled(row, state, why, now)
  return { ...givenUp(row, `${why} ${EARLIER}`, now), state }
}

export function postponed(row: Row, until: number, why: string): Row {
  return { ...row, next_at: until, last_error: shortened(why, ERROR_MAX) }
}

export function isOverdue({ doubt_since }: Row, now: number): boolean {
  return doubt_since !== null && now >= doubt_since + SAFE_TO_REPEAT_MS
}

/** 23 hours are over. */
export function overdue(row: Row, now: number): Row {
  if (row.state !== 'queued' && row.state !== 'failed' && row.state !== 'parked')
    return released(row)
  const unknown = settled(row, 'unknown', `${TOO_LATE} The last: ${row.last_error ?? 'none'}`, now)
  // One of a batch may have been what failed it each time: tried again, it drags no other along.
  return { ...unknown, alone: row.batch === null ? 0 : 1 }
}

/** Its request is settled for all who shared it. */
export function released(row: Row): Row {
  return { ...row, batch: null, payload: null, doubt_since: null, alone: 0 }
}

/** @param error null if all is well */
export function settled(row: Row, state: DeliveryState, error: string | null, now: number): Row {
  return {
    ...released(row),
    state,
    next_at: null,
    forget_at: forgetAt(state, now),
    last_error: error === null ? null : shortened(error, ERROR_MAX),
    history: withEntry(row.history, state, now, error),
  }
}

/** To the whole hour, so that forgetting wakes the courier once an hour at most. */
export function forgetAt(state: DeliveryState, now: number): number {
  const days = state === 'parked' || state === 'unknown' ? KEEP_FOR_A_PERSON_DAYS : KEEP_DAYS
  return Math.ceil((now + days * DAY_MS) / HOUR_MS) * HOUR_MS
}

const EARLIER = 'An earlier attempt may have gone out.'
const TOO_LATE =
  'It may have gone out, and after 23 hours it can no longer be repeated without risk of a second one: look at the provider whether it did, and redrive it if not.'

/** Parked in doubt: a redrive within the 23 hours makes the same request. */
function givenUp(row: Row, error: string, now: number): Row {
  const { payload, batch, doubt_since, alone } = row
  return { ...settled(row, 'parked', error, now), payload, batch, doubt_since, alone }
}

function repeated(
  row: Row,
  { error, afterMs }: { error: string; afterMs: number | null },
  { now, random, attempts }: Facts,
): Row {
  if (attempts >= MAX_ATTEMPTS)
    return givenUp(
      row,
      `Given up after ${attempts} attempts, and it may have gone out. The last: ${error}`,
      now,
    )
  const nextAt = now + waitMs(attempts, afterMs, random)
  const lastAt = (row.doubt_since ?? now) + SAFE_TO_REPEAT_MS - LAST_CHANCE_MS
  return failed(row, Math.max(now, Math.min(nextAt, lastAt)), error, now)
}

function triedAgain(
  row: Row,
  { error, afterMs }: { error: string; afterMs: number | null },
  { now, random, attempts }: Facts,
): Row {
  if (attempts >= MAX_ATTEMPTS)
    return settled(row, 'parked', `Given up after ${attempts} attempts. The last: ${error}`, now)
  const { payload } = row
  return failed({ ...released(row), payload }, now + waitMs(attempts, afterMs, random), error, now)
}

function failed(row: Row, nextAt: number, error: string, now: number): Row {
  return {
    ...row,
    state: 'failed',
    next_at: nextAt,
    last_error: shortened(error, ERROR_MAX),
    history: withEntry(row.history, 'failed', now, error),
  }
}

function waitMs(attempts: number, afterMs: number | null, random: number): number {
  return Math.max(fullJitter(attempts, BACKOFF, random), Math.min(afterMs ?? 0, DAY_MS))
}

/** Nothing went out, and nobody is at fault: as it was, but for what is frozen. */
function unmade(row: Row, before: Row): Row {
  const { state, attempts, alone, first_at, next_at, doubt_since, batch, last_error } = before
  return {
    ...row,
    ...{ state, attempts, alone, first_at, next_at, doubt_since, batch, last_error },
    history: withoutLastAttempt(row.history),
  }
}

function toldMeanwhile(row: Row, before: Row, outcome: Outcome): Row {
  if (row.round !== before.round || outcome.kind !== 'sent') return row
  return { ...released(row), provider_id: row.provider_id ?? outcome.providerId }
}
