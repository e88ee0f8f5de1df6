import { type Backoff, fullJitter } from '../../protocol/backoff.ts'
import { closeCodes, closeName } from '../../protocol/close-codes.ts'
import { HEARTBEAT_MS } from '../../protocol/heartbeat.ts'
import type { Ending, Loss } from './reasons.ts'

/*
 * Law. One socket at most. A socket that is lost is followed by another for
 * ever, with full jitter, unless the server's close code says that no attempt
 * would help. Silence is a loss: a subscription gets a frame at least every
 * HEARTBEAT_MS, so twice that without one means that the way is dead, whatever
 * the operating system believes. Where the caller gives a new token for every
 * attempt, it is asked first, and a token that is refused is one more loss: the
 * next may be good. The clock and the dice come in with the event.
 */

/** Times are milliseconds since 1970. */
export type Life =
  /** The caller is asked for a token; without one by `dropAt` the attempt has failed. */
  | { state: 'asking'; attempt: number; dropAt: number }
  /** A socket is opening; without `hello` by `dropAt` it is lost. */
  | { state: 'connecting'; attempt: number; dropAt: number }
  /** `hello` was heard; without another sign of life by `dropAt` the socket is lost. */
  | { state: 'live'; attempt: number; since: number; heardAt: number; dropAt: number }
  | { state: 'waiting'; attempt: number; retryAt: number; retryInMs: number; reason: Loss }
  | { state: 'closed'; reason: Ending }

export type LifeEvent =
  | { type: 'token_given' }
  | { type: 'greeted' }
  /** Anything came over the socket. */
  | { type: 'heard' }
  | { type: 'socket_closed'; code: number; detail: string }
  /** The reader gives up the socket, or there is no token. */
  | { type: 'lost'; reason: Loss }
  /** Whoever was to give a token says that no attempt would help. */
  | { type: 'denied'; detail: string }
  /** `wakeAt` has come, or a timer was early: the clock decides. */
  | { type: 'woke' }
  /** Is anybody there? Somebody asks, or the network came back. */
  | { type: 'check' }
  /** The page is shown again: timers may have stood still. */
  | { type: 'shown' }
  | { type: 'reconnect_asked' }
  | { type: 'close_asked' }

export type LifeEffect = { do: 'ask' } | { do: 'open' } | { do: 'drop' } | { do: 'ping' }

export type LifeStep = readonly [Life, readonly LifeEffect[]]
/** `asks`: the caller is asked for a token before every attempt. */
export type Chance = { now: number; random: number; asks: boolean }

const BACKOFF: Backoff = { baseMs: 250, capMs: 10_000 }
/** From asking for a token to having it. */
export const TOKEN_MS = 10_000
/** From opening a socket to `hello`. */
const GREETING_MS = 10_000
const SILENCE_MS = 2 * HEARTBEAT_MS
/** A check that nothing answers for so long has failed. */
export const CHECK_MS = 5_000
/** A connection that held so long begins its attempts anew. */
const HELD_MS = 5_000

export function startLife(given: Omit<Chance, 'random'>): LifeStep {
  return begin(1, given)
}

/** @returns when `woke` is due, null for never */
export function wakeAt(life: Life): number | null {
  if (life.state === 'closed') return null
  return life.state === 'waiting' ? life.retryAt : life.dropAt
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
    case 'token_given':
      return life.state === 'asking' ? open(life.attempt, now) : [life, []]
    case 'greeted':
      if (life.state !== 'connecting') return [life, []]
      return [alive(life.attempt, now, now), []]
    case 'heard':
      return [life.state === 'live' ? alive(life.attempt, life.since, now) : life, []]
    case 'lost':
      return life.state === 'waiting' ? [life, []] : wait(life, event.reason, chance)
    case 'denied': {
      const { code } = closeCodes.unauthorized
      return end({ kind: 'refused', code, name: 'unauthorized', detail: event.detail }, hasSocket)
    }
    case 'socket_closed': {
      if (!hasSocket) return [life, []]
      const { code, detail } = event
      const name = closeName(code)
      if (name !== null && !closeCodes[name].retry && !(name === 'unauthorized' && chance.asks))
        return end({ kind: 'refused', code, name, detail }, true)
      return wait(life, { kind: 'closed', code, name, detail }, chance)
    }
    case 'woke':
      if (life.state === 'waiting')
        return now < life.retryAt ? [life, []] : begin(life.attempt + 1, chance)
      return now < life.dropAt ? [life, []] : wait(life, overdue(life, now), chance)
    case 'check':
      return check(life, chance)
    case 'shown':
      return life.state === 'live' && now - life.heardAt <= HEARTBEAT_MS
        ? [life, []]
        : check(life, chance)
  }
}

function begin(attempt: number, { now, asks }: Omit<Chance, 'random'>): LifeStep {
  if (!asks) return open(attempt, now)
  return [{ state: 'asking', attempt, dropAt: now + TOKEN_MS }, [{ do: 'ask' }]]
}

function open(attempt: number, now: number): LifeStep {
  return [{ state: 'connecting', attempt, dropAt: now + GREETING_MS }, [{ do: 'open' }]]
}

function alive(attempt: number, since: number, heardAt: number): Life {
  return { state: 'live', attempt, since, heardAt, dropAt: heardAt + SILENCE_MS }
}

function wait(life: Life, reason: Loss, { now, random }: Chance): LifeStep {
  const attempt = failures(life, now)
  const retryInMs = fullJitter(attempt, BACKOFF, random)
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
    return { kind: 'token', detail: `none was given in ${TOKEN_MS / 1000} s` }
  return { kind: 'silent', forMs: life.state === 'live' ? now - life.heardAt : GREETING_MS }
}
