import { type Backoff, fullJitter } from '../../protocol/backoff.ts'
import { type CloseName, closeCodes, closeName } from '../../protocol/close-codes.ts'
import { HEARTBEAT_MS } from '../../protocol/heartbeat.ts'
import type { Ending, Loss } from './reasons.ts'
import {
  OPEN,
  prolong,
  type Session,
  type SessionEffect,
  type SessionEvent,
  sessionWakeAt,
} from './session.ts'

/*
 * Law. One socket at most. A socket that is lost is followed by another for
 * ever, with full jitter, unless the server's close code says that no attempt
 * would help. Silence is a loss: a subscription gets a frame at least every
 * HEARTBEAT_MS, so twice that without one means that the way is dead, whatever
 * the operating system believes. Where a socket takes a ticket, one is asked for
 * before every attempt. The session of a live socket is prolonged as session.ts
 * says. The clock and the dice come in with the event.
 */

/** Times are milliseconds since 1970. */
export type Life =
  /** A ticket is asked for; without one by `dropAt` the attempt has failed. */
  | { state: 'asking'; attempt: number; dropAt: number }
  /** A socket is opening; without `hello` by `dropAt` it is lost. */
  | { state: 'connecting'; attempt: number; dropAt: number }
  /** `hello` was heard; without another sign of life by `dropAt` the socket is lost. */
  | {
      state: 'live'
      attempt: number
      since: number
      heardAt: number
      dropAt: number
      session: Session
    }
  | { state: 'waiting'; attempt: number; retryAt: number; retryInMs: number; reason: Loss }
  | { state: 'closed'; reason: Ending }

export type LifeEvent =
  | { type: 'ticket_given' }
  | { type: 'greeted' }
  /** Anything came over the socket. */
  | { type: 'heard' }
  | { type: 'socket_closed'; code: number; detail: string }
  /** The reader gives up the socket, or there is no ticket; not before `retryAfterMs`, if it is set. */
  | { type: 'lost'; reason: Loss; retryAfterMs?: number }
  /** Whoever was to give a ticket says that no attempt would help. */
  | { type: 'denied'; detail: string }
  /** `wakeAt` has come, or a timer was early: the clock decides. */
  | { type: 'woke' }
  /** Is anybody there? Somebody asks, or the network came back. */
  | { type: 'check' }
  /** The page is shown again: timers may have stood still. */
  | { type: 'shown' }
  | { type: 'reconnect_asked' }
  | { type: 'close_asked' }
  | SessionEvent

export type LifeEffect =
  | { do: 'ask' }
  | { do: 'open' }
  | { do: 'drop' }
  | { do: 'ping' }
  | SessionEffect

export type LifeStep = readonly [Life, readonly LifeEffect[]]
/**
 * `asks`: before every attempt a ticket is asked for. `renews`: there is somebody to ask for a new
 * token while a session lasts.
 */
export type Chance = { now: number; random: number; asks: boolean; renews: boolean }

const BACKOFF: Backoff = { baseMs: 250, capMs: 10_000 }
/** From asking for a ticket, which may take a token first, to having it. */
export const ASKING_MS = 15_000
/** From opening a socket to `hello`. */
const GREETING_MS = 10_000
const SILENCE_MS = 2 * HEARTBEAT_MS
/** A check that nothing answers for so long has failed. */
export const CHECK_MS = 5_000
/** A connection that held so long begins its attempts anew. */
const HELD_MS = 5_000
/** A close code has no Retry-After: limits are of ten seconds, and half of that lets half in again. */
const LIMITED_MS = 5_000
/** Whoever asks us to wait longer is not taken at their word. */
const MOST_PATIENCE_MS = 60_000

export function startLife(given: Pick<Chance, 'now' | 'asks'>): LifeStep {
  return begin(1, given)
}

/** @returns when `woke` is due, null for never */
export function wakeAt(life: Life): number | null {
  if (life.state === 'closed') return null
  if (life.state === 'waiting') return life.retryAt
  if (life.state !== 'live') return life.dropAt
  return Math.min(life.dropAt, sessionWakeAt(life.session) ?? Number.POSITIVE_INFINITY)
}

export function live(life: Life, event: LifeEvent, chance: Chance): LifeStep {
  if (life.state === 'closed') return [life, []]
  const { now } = chance
  const hasSocket = life.state === 'connecting' || life.state === 'live'
  switch (event.type) {
    case 'close_asked':
      return end({ kind: 'asked' }, hasSocket)
    case 'reconnect_asked': {
      const [next, effects] = begin(1, chance)
      return [next, hasSocket ? [{ do: 'drop' }, ...effects] : effects]
    }
    case 'ticket_given':
      return life.state === 'asking' ? open(life.attempt, now) : [life, []]
    case 'greeted':
      if (life.state !== 'connecting') return [life, []]
      return [
        heardNow({ ...life, state: 'live', since: now, heardAt: now, session: OPEN }, now),
        [],
      ]
    case 'heard':
      return [life.state === 'live' ? heardNow(life, now) : life, []]
    case 'lost':
      return life.state === 'waiting'
        ? [life, []]
        : wait(life, event.reason, chance, event.retryAfterMs)
    case 'denied': {
      const { code } = closeCodes.unauthorized
      return end({ kind: 'refused', code, name: 'unauthorized', detail: event.detail }, hasSocket)
    }
    case 'socket_closed': {
      if (!hasSocket) return [life, []]
      const { code, detail } = event
      const name = closeName(code)
      if (name !== null && !closeCodes[name].retry && !mayBeLetIn(name, life, chance))
        return end({ kind: 'refused', code, name, detail }, true)
      const leastMs = name === 'rate_limited' ? LIMITED_MS : 0
      return wait(life, { kind: 'closed', code, name, detail }, chance, leastMs)
    }
    case 'woke':
      if (life.state === 'waiting')
        return now < life.retryAt ? [life, []] : begin(life.attempt + 1, chance)
      if (now >= life.dropAt) return wait(life, overdue(life, now), chance)
      return inSession(life, event, chance)
    case 'session_told':
    case 'token_renewed':
    case 'token_not_renewed':
      return inSession(life, event, chance)
    case 'check':
      return check(life, chance)
    case 'shown':
      return life.state === 'live' && now - life.heardAt <= HEARTBEAT_MS
        ? [life, []]
        : check(life, chance)
  }
}

/**
 * Another token may be good. So may another ticket for the same one, if a session was cut: whoever
 * gives it out knows; but if it was new and is refused, the next will be.
 */
function mayBeLetIn(name: CloseName, life: Life, { asks, renews }: Chance): boolean {
  return name === 'unauthorized' && (renews || (asks && life.state === 'live'))
}

function begin(attempt: number, { now, asks }: Pick<Chance, 'now' | 'asks'>): LifeStep {
  if (!asks) return open(attempt, now)
  return [{ state: 'asking', attempt, dropAt: now + ASKING_MS }, [{ do: 'ask' }]]
}

function open(attempt: number, now: number): LifeStep {
  return [{ state: 'connecting', attempt, dropAt: now + GREETING_MS }, [{ do: 'open' }]]
}

function heardNow(life: Extract<Life, { state: 'live' }>, now: number): Life {
  return { ...life, heardAt: now, dropAt: now + SILENCE_MS }
}

function inSession(life: Life, event: SessionEvent, chance: Chance): LifeStep {
  if (life.state !== 'live') return [life, []]
  const [session, effects] = prolong(life.session, event, chance)
  return [session === life.session ? life : { ...life, session }, effects]
}

/** @param leastMs that a server asked for; those who were told the same do not come back in one moment */
function wait(life: Life, reason: Loss, { now, random }: Chance, leastMs = 0): LifeStep {
  const attempt = failures(life, now)
  const retryInMs = Math.min(leastMs, MOST_PATIENCE_MS) + fullJitter(attempt, BACKOFF, random)
  return [
    { state: 'waiting', attempt, retryAt: now + retryInMs, retryInMs, reason },
    life.state === 'asking' ? [] : [{ do: 'drop' }],
  ]
}

function end(reason: Ending, hasSocket: boolean): LifeStep {
  return [{ state: 'closed', reason }, hasSocket ? [{ do: 'drop' }] : []]
}

/** Waiting ends now; an open socket has CHECK_MS to show that it lives. */
function check(life: Life, chance: Chance): LifeStep {
  if (life.state === 'waiting') return begin(life.attempt + 1, chance)
  if (life.state !== 'live') return [life, []]
  const { now } = chance
  return [{ ...life, dropAt: Math.min(life.dropAt, now + CHECK_MS) }, [{ do: 'ping' }]]
}

function failures(life: Life, now: number): number {
  if (life.state === 'closed') return 1
  return life.state === 'live' && now - life.since >= HELD_MS ? 1 : life.attempt
}

function overdue(life: Life, now: number): Loss {
  if (life.state === 'asking')
    return { kind: 'ticket', detail: `none was given in ${ASKING_MS / 1000} s` }
  return { kind: 'silent', forMs: life.state === 'live' ? now - life.heardAt : GREETING_MS }
}
