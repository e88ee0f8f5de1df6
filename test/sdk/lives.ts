import type { Chance, Life, LifeEvent } from '../../client/sdk/lifecycle.ts'
import { OPEN, type Session } from '../../client/sdk/session.ts'
import { closeCodes } from '../../protocol/close-codes.ts'
import { HEARTBEAT_MS } from '../../protocol/heartbeat.ts'

export const NOW = 1_000_000
const gap = { kind: 'gap', mine: 'a:5', theirs: 'a:9' } as const

/** Each state, with the moments that make a difference. */
export const lives = {
  'asking, third attempt': { state: 'asking', attempt: 3, dropAt: NOW + 2_000 },
  'asking, overdue': { state: 'asking', attempt: 3, dropAt: NOW },
  'connecting, third attempt': { state: 'connecting', attempt: 3, dropAt: NOW + 2_000 },
  'connecting, overdue': { state: 'connecting', attempt: 3, dropAt: NOW },
  'live, just now': liveSince(NOW - 100, NOW - 100),
  'live for long': liveSince(NOW - 60_000, NOW - 1_000),
  'live and silent': liveSince(NOW - 60_000, NOW - 2 * HEARTBEAT_MS),
  'live, a heartbeat late': liveSince(NOW - 60_000, NOW - HEARTBEAT_MS - 1),
  'live, its session resting': inSession({ state: 'resting', failures: 2, askAt: NOW + 1 }),
  'live, its session due': inSession({ state: 'resting', failures: 2, askAt: NOW }),
  'live, asking for a token': inSession({ state: 'asking', failures: 2, giveUpAt: NOW + 1 }),
  'live, asking in vain': inSession({ state: 'asking', failures: 2, giveUpAt: NOW }),
  'live, refreshing': inSession({ state: 'refreshing', failures: 2, giveUpAt: NOW + 1 }),
  'live, refreshing in vain': inSession({ state: 'refreshing', failures: 2, giveUpAt: NOW }),
  waiting: { state: 'waiting', attempt: 3, retryAt: NOW + 500, retryInMs: 600, reason: gap },
  'waiting, due': { state: 'waiting', attempt: 3, retryAt: NOW, retryInMs: 600, reason: gap },
  closed: { state: 'closed', reason: { kind: 'asked' } },
} satisfies Record<string, Life>

export const events = {
  'a ticket': { type: 'ticket_given' },
  'no ticket': { type: 'lost', reason: { kind: 'token', detail: 'offline' } },
  'no ticket for 7 s': {
    type: 'lost',
    reason: { kind: 'ticket', detail: 'too many' },
    retryAfterMs: 7_000,
  },
  denied: { type: 'denied', detail: 'of nobody' },
  greeted: { type: 'greeted' },
  heard: { type: 'heard' },
  'the way broke': { type: 'socket_closed', code: 1006, detail: '' },
  'the server stops': { type: 'socket_closed', code: closeCodes.going_away.code, detail: '' },
  refused: { type: 'socket_closed', code: closeCodes.bad_request.code, detail: 'table: no' },
  'a foreign page': { type: 'socket_closed', code: closeCodes.origin_refused.code, detail: '' },
  'told that it ends': { type: 'session_told', expiresInMs: 60_000 },
  'told that it does not end': { type: 'session_told', expiresInMs: null },
  'a new token': { type: 'token_renewed' },
  'no new token': { type: 'token_not_renewed' },
  unauthorized: { type: 'socket_closed', code: closeCodes.unauthorized.code, detail: 'too old' },
  'the reader gives up': { type: 'lost', reason: gap },
  woke: { type: 'woke' },
  check: { type: 'check' },
  shown: { type: 'shown' },
  'reconnect asked': { type: 'reconnect_asked' },
  'close asked': { type: 'close_asked' },
} satisfies Record<string, LifeEvent>

/** Open to anyone. */
export const chance: Chance = { now: NOW, random: 0, asks: false, renews: false }
export const withTickets: Chance = { now: NOW, random: 0.5, asks: true, renews: true }

export function liveSince(since: number, heardAt: number): Extract<Life, { state: 'live' }> {
  const dropAt = heardAt + 2 * HEARTBEAT_MS
  return { state: 'live', attempt: 3, since, heardAt, dropAt, session: OPEN }
}

function inSession(session: Session): Life {
  return { ...liveSince(NOW - 60_000, NOW - 1_000), session }
}

export function sessionOf(life: Life): Session['state'] | null {
  return life.state === 'live' ? life.session.state : null
}
