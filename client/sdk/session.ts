import { type Backoff, fullJitter } from '../../protocol/backoff.ts'
import type { RefreshedFrame } from '../../protocol/frames.ts'

/*
 * Law. The server is authoritative: it says in how many milliseconds the session of a socket ends,
 * and then cuts the socket with 4401. A new token is asked for in time, one at a time, and sent over
 * the same socket; what fails is tried again, with full jitter, while the session lasts. Nothing
 * here ends a connection: a session that could not be prolonged is cut by the server, and the next
 * attempt begins another.
 */

/** Times are milliseconds since 1970. */
export type Session =
  /** It has no end that we know, or there is nobody to ask for another token. */
  | { state: 'open' }
  | { state: 'resting'; failures: number; askAt: number }
  /** The caller is asked for a new token; without one by `giveUpAt` it was in vain. */
  | { state: 'asking'; failures: number; giveUpAt: number }
  /** It was sent; without an answer by `giveUpAt` it was in vain. */
  | { state: 'refreshing'; failures: number; giveUpAt: number }

export type SessionEvent =
  /** The server says when it ends; null: not by itself. */
  | { type: 'session_told'; expiresInMs: number | null }
  | { type: 'token_renewed' }
  | { type: 'token_not_renewed' }
  | { type: 'woke' }

export type SessionEffect =
  /** Ask for a new token. */
  | { do: 'renew' }
  /** Send it. */
  | { do: 'refresh' }

export type SessionStep = readonly [Session, readonly SessionEffect[]]

export const OPEN: Session = { state: 'open' }

/** From asking the caller for a token to having it. */
export const TOKEN_MS = 10_000

/** Whoever is asked for a token has said by then that there is none. */
const TOKEN_WITHIN_MS = TOKEN_MS + 1_000
/** What was sent has been answered by then. */
export const ANSWER_WITHIN_MS = 5_000
const BACKOFF: Backoff = { baseMs: 250, capMs: 10_000 }
/** So much of what is left passes first. */
const RESTS = 0.8
/** But a new token is asked for so long before the end: the server has to hear of it. */
const SPARE_MS = 10_000
/** And never sooner than this after the server has said when it ends. */
const LEAST_REST_MS = 1_000

/** @param renews whether there is somebody to ask for another token */
export function prolong(
  session: Session,
  event: SessionEvent,
  { now, random, renews }: { now: number; random: number; renews: boolean },
): SessionStep {
  switch (event.type) {
    case 'session_told':
      if (event.expiresInMs === null || !renews) return [OPEN, []]
      return [{ state: 'resting', failures: 0, askAt: now + restOf(event.expiresInMs) }, []]
    case 'token_renewed':
      if (session.state !== 'asking') return [session, []]
      return [
        { ...session, state: 'refreshing', giveUpAt: now + ANSWER_WITHIN_MS },
        [{ do: 'refresh' }],
      ]
    case 'token_not_renewed':
      return [session.state === 'asking' ? again(session.failures + 1) : session, []]
    case 'woke': {
      if (now < (sessionWakeAt(session) ?? Number.POSITIVE_INFINITY)) return [session, []]
      if (session.state === 'open') return [session, []]
      if (session.state !== 'resting') return [again(session.failures + 1), []]
      const { failures } = session
      return [{ state: 'asking', failures, giveUpAt: now + TOKEN_WITHIN_MS }, [{ do: 'renew' }]]
    }
  }

  function again(failures: number): Session {
    return { state: 'resting', failures, askAt: now + fullJitter(failures, BACKOFF, random) }
  }
}

/** @returns when `woke` is due, null for never */
export function sessionWakeAt(session: Session): number | null {
  if (session.state === 'open') return null
  return session.state === 'resting' ? session.askAt : session.giveUpAt
}

/** Of less than 20 s half is left for asking. */
function restOf(leftMs: number): number {
  const restMs = Math.min(leftMs * RESTS, Math.max(leftMs - SPARE_MS, leftMs / 2))
  return Math.max(LEAST_REST_MS, restMs)
}

/**
 * Reads the answer to a new token, as protocol/frames.ts has it; by hand, for the reason that
 * inbox-wire.ts gives.
 * @returns null if it is another frame
 */
export function refreshedFrom(value: unknown): RefreshedFrame | null {
  if (typeof value !== 'object' || value === null) return null
  const { type, expires_in_ms: ms } = value as Readonly<Record<string, unknown>>
  if (type !== 'refreshed') return null
  if (ms === null) return { type, expires_in_ms: null }
  return Number.isSafeInteger(ms) && Number(ms) >= 0 ? { type, expires_in_ms: Number(ms) } : null
}
