/**
 * Whether an endpoint is sent anything. It is switched off by a day of failures without one
 * success, by its own word that it is gone (410), or by a person; and on by a person only.
 *
 * Must hold: whatever switches it off, what it owes is parked with that reason and kept, and a
 * person is told once for each time it was switched off by itself. A single failure after a long
 * silence does not, however long ago the last success was: one learns nothing from silence.
 */
export type Health =
  | { kind: 'on'; failing: Failing | null; lastSuccessAt: number | null }
  | {
      kind: 'off'
      reason: OffReason
      at: number
      failing: Failing | null
      lastSuccessAt: number | null
    }

/** Failures since the last success. Times are ms since 1970. */
export type Failing = { since: number; failures: number; lastError: string }

export const offReasons = ['failing', 'gone', 'by_hand'] as const
export type OffReason = (typeof offReasons)[number]

export type HealthEvent =
  | { kind: 'succeeded' }
  | { kind: 'failed'; error: string }
  | { kind: 'gone'; error: string }
  /** It has another address. */
  | { kind: 'moved' }
  | { kind: 'switched_off' }
  | { kind: 'switched_on' }

export const OFF_AFTER_MS = 24 * 3_600_000
const OFF_AFTER_FAILURES = 5

export const WELL: Health = { kind: 'on', failing: null, lastSuccessAt: null }

export function afterEvent(health: Health, event: HealthEvent, now: number): Health {
  switch (event.kind) {
    case 'succeeded':
      return { ...health, failing: null, lastSuccessAt: now }
    case 'failed': {
      const failing = oneMore(health.failing, event.error, now)
      const isDead = now - failing.since >= OFF_AFTER_MS && failing.failures >= OFF_AFTER_FAILURES
      return isDead ? switchOff({ ...health, failing }, 'failing', now) : { ...health, failing }
    }
    case 'gone':
      return switchOff(
        { ...health, failing: oneMore(health.failing, event.error, now) },
        'gone',
        now,
      )
    case 'moved':
      // What was at the old address says nothing of the new one.
      return health.kind === 'on' ? { ...health, failing: null } : health
    case 'switched_off':
      return switchOff(health, 'by_hand', now)
    case 'switched_on':
      // A day to show itself well again.
      return health.kind === 'on' ? health : { ...WELL, lastSuccessAt: health.lastSuccessAt }
  }
}

/** Why nothing is sent, for `last_error` of what is parked; null while it is on. */
export function whyOff(health: Health): string | null {
  if (health.kind === 'on') return null
  const again = 'Switch it on again, then redrive what is parked.'
  switch (health.reason) {
    case 'failing':
      return `The endpoint was switched off after a day of failures without one success. ${again}`
    case 'gone':
      return `The endpoint answered 410, which says that it is gone, and was switched off. ${again}`
    case 'by_hand':
      return `The endpoint is switched off. ${again}`
  }
}

/** The first reason stays, unless a person says that it shall be off. */
function switchOff(health: Health, reason: OffReason, now: number): Health {
  if (health.kind === 'off' && reason !== 'by_hand') return health
  const { failing, lastSuccessAt } = health
  const at = health.kind === 'off' ? health.at : now
  return { kind: 'off', reason, at, failing, lastSuccessAt }
}

function oneMore(failing: Failing | null, lastError: string, now: number): Failing {
  return { since: failing?.since ?? now, failures: (failing?.failures ?? 0) + 1, lastError }
}
