import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  CHECK_MS,
  type Life,
  type LifeEffect,
  type LifeEvent,
  live,
  startLife,
  TOKEN_MS,
  wakeAt,
} from '../../client/sdk/lifecycle.ts'
import { closeCodes } from '../../protocol/close-codes.ts'
import { HEARTBEAT_MS } from '../../protocol/heartbeat.ts'

const NOW = 1_000_000
const gap = { kind: 'gap', mine: 'a:5', theirs: 'a:9' } as const

/** Each state, with the moments that make a difference. */
const lives = {
  'asking, third attempt': { state: 'asking', attempt: 3, dropAt: NOW + 2_000 },
  'asking, overdue': { state: 'asking', attempt: 3, dropAt: NOW },
  'connecting, third attempt': { state: 'connecting', attempt: 3, dropAt: NOW + 2_000 },
  'connecting, overdue': { state: 'connecting', attempt: 3, dropAt: NOW },
  'live, just now': liveSince(NOW - 100, NOW - 100),
  'live for long': liveSince(NOW - 60_000, NOW - 1_000),
  'live and silent': liveSince(NOW - 60_000, NOW - 2 * HEARTBEAT_MS),
  'live, a heartbeat late': liveSince(NOW - 60_000, NOW - HEARTBEAT_MS - 1),
  waiting: { state: 'waiting', attempt: 3, retryAt: NOW + 500, retryInMs: 600, reason: gap },
  'waiting, due': { state: 'waiting', attempt: 3, retryAt: NOW, retryInMs: 600, reason: gap },
  closed: { state: 'closed', reason: { kind: 'asked' } },
} satisfies Record<string, Life>

const events = {
  'a token': { type: 'token_given' },
  'no token': { type: 'lost', reason: { kind: 'token', detail: 'offline' } },
  denied: { type: 'denied', detail: 'of nobody' },
  greeted: { type: 'greeted' },
  heard: { type: 'heard' },
  'the way broke': { type: 'socket_closed', code: 1006, detail: '' },
  'the server stops': { type: 'socket_closed', code: closeCodes.going_away.code, detail: '' },
  refused: { type: 'socket_closed', code: closeCodes.bad_request.code, detail: 'table: no' },
  unauthorized: { type: 'socket_closed', code: closeCodes.unauthorized.code, detail: 'too old' },
  'the reader gives up': { type: 'lost', reason: gap },
  woke: { type: 'woke' },
  check: { type: 'check' },
  shown: { type: 'shown' },
  'reconnect asked': { type: 'reconnect_asked' },
  'close asked': { type: 'close_asked' },
} satisfies Record<string, LifeEvent>

type Table = Record<keyof typeof lives, Record<keyof typeof events, Cell>>

/** @param asks whether the caller is asked for a token before every attempt */
function tableOf(asks: boolean): Table {
  const attempt = (number: number): Cell =>
    asks ? [`asking ${number}`, 'ask'] : [`connecting ${number}`, 'open']
  const afresh: Cell = asks ? ['asking 1', 'drop', 'ask'] : ['connecting 1', 'drop', 'open']
  const over: Cell = ['closed', 'drop']
  const wait = (number: number): Cell => [`waiting ${number}`, 'drop']
  const stay = (at: string): Cell => [at]

  const asking: Table['asking, overdue'] = {
    'a token': ['connecting 3', 'open'],
    'no token': ['waiting 3'],
    denied: ['closed'],
    greeted: stay('asking 3'),
    heard: stay('asking 3'),
    'the way broke': stay('asking 3'),
    'the server stops': stay('asking 3'),
    refused: stay('asking 3'),
    unauthorized: stay('asking 3'),
    'the reader gives up': ['waiting 3'],
    woke: ['waiting 3'],
    check: stay('asking 3'),
    shown: stay('asking 3'),
    'reconnect asked': attempt(1),
    'close asked': ['closed'],
  }
  const connecting: Table['connecting, overdue'] = {
    'a token': stay('connecting 3'),
    'no token': wait(3),
    denied: over,
    greeted: ['live'],
    heard: stay('connecting 3'),
    'the way broke': wait(3),
    'the server stops': wait(3),
    refused: over,
    unauthorized: asks ? wait(3) : over,
    'the reader gives up': wait(3),
    woke: wait(3),
    check: stay('connecting 3'),
    shown: stay('connecting 3'),
    'reconnect asked': afresh,
    'close asked': over,
  }
  /** @param next the attempt that counts: after one that has held, the first */
  const alive = (next: number): Table['live for long'] => ({
    'a token': stay('live'),
    'no token': wait(next),
    denied: over,
    greeted: stay('live'),
    heard: stay('live'),
    'the way broke': wait(next),
    'the server stops': wait(next),
    refused: over,
    unauthorized: asks ? wait(next) : over,
    'the reader gives up': wait(next),
    woke: stay('live'),
    check: ['live', 'ping'],
    shown: stay('live'),
    'reconnect asked': afresh,
    'close asked': over,
  })
  const waiting: Table['waiting'] = {
    'a token': stay('waiting 3'),
    'no token': stay('waiting 3'),
    denied: ['closed'],
    greeted: stay('waiting 3'),
    heard: stay('waiting 3'),
    'the way broke': stay('waiting 3'),
    'the server stops': stay('waiting 3'),
    refused: stay('waiting 3'),
    unauthorized: stay('waiting 3'),
    'the reader gives up': stay('waiting 3'),
    woke: stay('waiting 3'),
    check: attempt(4),
    shown: attempt(4),
    'reconnect asked': attempt(1),
    'close asked': ['closed'],
  }
  return {
    'asking, third attempt': { ...asking, woke: stay('asking 3') },
    'asking, overdue': asking,
    'connecting, third attempt': { ...connecting, woke: stay('connecting 3') },
    'connecting, overdue': connecting,
    // It has not held: its failures go on counting.
    'live, just now': alive(3),
    'live for long': alive(1),
    'live and silent': { ...alive(1), woke: wait(1), shown: ['live', 'ping'] },
    'live, a heartbeat late': { ...alive(1), shown: ['live', 'ping'] },
    waiting,
    'waiting, due': { ...waiting, woke: attempt(4) },
    closed: {
      'a token': stay('closed'),
      'no token': stay('closed'),
      denied: stay('closed'),
      greeted: stay('closed'),
      heard: stay('closed'),
      'the way broke': stay('closed'),
      'the server stops': stay('closed'),
      refused: stay('closed'),
      unauthorized: stay('closed'),
      'the reader gives up': stay('closed'),
      woke: stay('closed'),
      check: stay('closed'),
      shown: stay('closed'),
      'reconnect asked': stay('closed'),
      'close asked': stay('closed'),
    },
  }
}

describe.each([
  ['without a token, or with one text', false],
  ['with a token that is asked for', true],
])('the life of a connection, state by event, %s', (_, asks) => {
  const table = tableOf(asks)
  for (const [name, life] of Object.entries(lives) as [keyof typeof lives, Life][])
    for (const [what, event] of Object.entries(events) as [keyof typeof events, LifeEvent][])
      it(`${name}: ${what}`, () => {
        const [next, effects] = live(life, event, { now: NOW, random: 0.5, asks })
        expect([place(next), ...effects.map((effect) => effect.do)]).toEqual(table[name][what])
      })
})

describe('the life of a connection', () => {
  it('waits between nothing and a ceiling that doubles up to ten seconds', () => {
    const waits = Array.from({ length: 9 }, (_, index) => {
      const [next] = live({ state: 'connecting', attempt: index + 1, dropAt: NOW }, events.woke, {
        now: NOW,
        random: 0.999_999,
        asks: false,
      })
      return next.state === 'waiting' ? next.retryInMs : null
    })
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000])
    const [now] = live(lives.waiting, events.woke, { now: NOW, random: 0, asks: false })
    expect(now).toEqual(lives.waiting)
  })

  it('P35 drops a socket after twice the heartbeat, and no sooner', () => {
    expect(wakeAt(liveSince(NOW, NOW))).toBe(NOW + 2 * HEARTBEAT_MS)
  })

  it('P37 gives a check five seconds, which any frame ends', () => {
    const [checked] = live(liveSince(NOW, NOW), events.check, { now: NOW, random: 0, asks: false })
    expect(wakeAt(checked)).toBe(NOW + CHECK_MS)
    const [heard] = live(checked, events.heard, { now: NOW + 10, random: 0, asks: false })
    expect(wakeAt(heard)).toBe(NOW + 10 + 2 * HEARTBEAT_MS)
  })

  it('gives a token ten seconds, and says so when there is none', () => {
    const [asking, effects] = startLife({ now: NOW, asks: true })
    expect([asking, effects]).toEqual([
      { state: 'asking', attempt: 1, dropAt: NOW + TOKEN_MS },
      [{ do: 'ask' }],
    ])
    expect(wakeAt(asking)).toBe(NOW + 10_000)
    const [late] = live(asking, events.woke, { now: NOW + TOKEN_MS, random: 0.5, asks: true })
    expect(late).toMatchObject({
      state: 'waiting',
      attempt: 1,
      retryInMs: 125,
      reason: { kind: 'token', detail: 'none was given in 10 s' },
    })
  })

  it('has one socket at most, and one unless it asks, waits or is closed, whatever happens', () => {
    const anything = fc.constantFrom<LifeEvent>(...Object.values(events))
    const history = fc.array(fc.tuple(anything, fc.nat(40_000)), { maxLength: 80 })
    const chance = fc.double({ min: 0, max: 0.999, noNaN: true })
    fc.assert(
      fc.property(history, chance, fc.boolean(), (steps, random, asks) => {
        let now = NOW
        let [life, effects] = startLife({ now, asks })
        let sockets = follow(0, effects)
        for (const [event, ms] of steps) {
          now += ms
          ;[life, effects] = live(life, event, { now, random, asks })
          sockets = follow(sockets, effects)
          expect(sockets).toBe(life.state === 'connecting' || life.state === 'live' ? 1 : 0)
          expect(wakeAt(life) === null).toBe(life.state === 'closed')
        }
      }),
    )
  })
})

type Cell = [at: string, ...effects: LifeEffect['do'][]]

function liveSince(since: number, heardAt: number): Life {
  return { state: 'live', attempt: 3, since, heardAt, dropAt: heardAt + 2 * HEARTBEAT_MS }
}

function place(life: Life): string {
  return life.state === 'live' || life.state === 'closed'
    ? life.state
    : `${life.state} ${life.attempt}`
}

function follow(sockets: number, effects: readonly LifeEffect[]): number {
  for (const effect of effects) {
    if (effect.do === 'open') sockets++
    if (effect.do === 'drop') sockets--
    expect(sockets === 0 || sockets === 1).toBe(true)
  }
  return sockets
}
