import type { Outcome } from '../courier/outcome.ts'
import type { HealthEvent } from './health.ts'

/**
 * What an endpoint's reply means, decided by its status and its `retry-after`: pure.
 *
 * Must hold: 2xx is a success and nothing else is, also not a redirect, which could lead anywhere.
 * Nothing is ever in doubt: whoever is sent the same message twice knows it by its `webhook-id`,
 * so that it may be repeated at any time. Also what costs no attempt (429, or a time to come back
 * at) is a failure to the endpoint's health: one that only ever says "later" is down as well.
 */
export type Reply =
  | {
      kind: 'answer'
      status: number
      retryAfter: string | null
      location: string | null
      text: string
    }
  /** No answer at all, and why. */
  | { kind: 'none'; error: string }

export type Judgement = { outcome: Outcome; event: HealthEvent }

export function judge(reply: Reply, now: number): Judgement {
  if (reply.kind === 'none') return retry(`The endpoint did not answer: ${reply.error}`, true)
  const { status, retryAfter, location, text } = reply
  if (status >= 200 && status < 300)
    return { outcome: { kind: 'sent', providerId: null }, event: { kind: 'succeeded' } }
  const error = `The endpoint answered ${status}${text === '' ? '' : `: ${text}`}`
  if (status === 410) return { outcome: { kind: 'refused', error }, event: { kind: 'gone', error } }
  const afterMs = waitMs(retryAfter, now)
  if (status === 429 || (status === 503 && afterMs !== null))
    return { outcome: { kind: 'hold', afterMs, error }, event: { kind: 'failed', error } }
  if (status >= 300 && status < 400)
    return retry(
      `${error}${location === null ? '' : ` to ${location}`}. Redirects are not followed: register the address it leads to.`,
      true,
    )
  return retry(error, !OF_THIS_MESSAGE.has(status))
}

/**
 * What holds for the endpoint after several requests that were made together. One success says
 * that it is not down, whatever became of the others.
 */
export function judgeTogether(judgements: readonly Judgement[]): {
  outcomes: Outcome[]
  event: HealthEvent
} {
  const events = judgements.map(({ event }) => event)
  const event =
    events.find(({ kind }) => kind === 'gone') ??
    events.find(({ kind }) => kind === 'succeeded') ??
    (events.at(-1) as HealthEvent)
  const outcomes = judgements.map(({ outcome }) =>
    outcome.kind === 'retry' && event.kind === 'succeeded' ? { ...outcome, down: false } : outcome,
  )
  return { outcomes, event }
}

/** Refusals of what was sent, which say nothing of the next message. */
const OF_THIS_MESSAGE = new Set([400, 409, 413, 415, 422])

function retry(error: string, down: boolean): Judgement {
  return {
    outcome: { kind: 'retry', inDoubt: false, down, afterMs: null, error },
    event: { kind: 'failed', error },
  }
}

/** "At once" is no time to come back at: it would be asked again and again. */
const LATER_MS = 5_000

/** `retry-after`, in seconds or as a date; null if there is none that can be read. */
function waitMs(retryAfter: string | null, now: number): number | null {
  if (retryAfter === null) return null
  const ms = /^\d{1,9}$/.test(retryAfter)
    ? Number(retryAfter) * 1_000
    : Date.parse(retryAfter) - now
  return ms >= 0 ? Math.max(ms, LATER_MS) : null
}
