import { type Backoff, fullJitter } from '../../protocol/backoff.ts'
import { shortened } from './history.ts'
import type { Answer } from './outcome.ts'

/**
 * How the courier as a whole stands with its provider: pure.
 *
 * Nothing is sent before `until`. `failures` counts the requests in a row that met a provider in
 * trouble: while there are any, one delivery alone is tried, so that a thousand that are due do
 * not each find out by themselves. `why` is what holds everything up, said once here and not in
 * each row; null while all is well.
 */
export type Pace = { until: number; failures: number; why: string | null }

export const AT_EASE: Pace = { until: 0, failures: 0, why: null }

/** Half-open: so long, at most, until a provider that is well again is noticed. */
const TROUBLE: Backoff = { baseMs: 1_000, capMs: 15 * 60_000 }
const PAUSE_MAX_MS = 60 * 60_000
const ERROR_MAX = 1_000

/** `rested`: nothing is sent before, whatever came of the last request. */
type Moment = { now: number; rested: number; random: number }

export function afterAnswer(pace: Pace, answer: Answer, now: number, random: number): Pace {
  const moment = { now, rested: now + Math.min(answer.pauseMs, PAUSE_MAX_MS), random }
  const hold = answer.outcomes.find((outcome) => outcome.kind === 'hold')
  if (hold) return held(pace, hold.afterMs, hold.error, moment)
  const down = answer.outcomes.find((outcome) => outcome.kind === 'retry' && outcome.down)
  if (down?.kind === 'retry') return troubled(pace, down.afterMs, down.error, moment)
  return { until: moment.rested, failures: 0, why: null }
}

/** @param afterMs null to leave it to a backoff of our own */
export function held(pace: Pace, afterMs: number | null, why: string, moment: Moment): Pace {
  if (afterMs === null) return troubled(pace, null, why, moment)
  return { ...pace, until: later(moment, afterMs), why: shortened(why, ERROR_MAX) }
}

function troubled(pace: Pace, afterMs: number | null, why: string, moment: Moment): Pace {
  const failures = pace.failures + 1
  const waitMs = Math.max(fullJitter(failures, TROUBLE, moment.random), afterMs ?? 0)
  return { until: later(moment, waitMs), failures, why: shortened(why, ERROR_MAX) }
}

function later({ now, rested }: Moment, ms: number): number {
  return Math.max(rested, now + Math.min(ms, PAUSE_MAX_MS))
}
