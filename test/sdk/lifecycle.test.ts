import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  CHECK_MS,
  type Life,
  type LifeEffect,
  type LifeEvent,
  live,
  startLife,
  wakeAt,
} from '../../client/sdk/lifecycle.ts'
import { closeCodes } from '../../protocol/close-codes.ts'
import { HEARTBEAT_MS } from '../../protocol/frames.ts'

const NOW = 1_000_000
const gap = { kind: 'gap', mine: 'a:5', theirs: 'a:9' } as const

/** Each state, with the moments that make a difference. */
const lives = {
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
  greeted: { type: 'greeted' },
  heard: { type: 'heard' },
  'the way broke': { type: 'socket_closed', code: 1006, detail: '' },
  'the server stops': { type: 'socket_closed', code: closeCodes.going_away.code, detail: '' },
  refused: { type: 'socket_closed', code: closeCodes.bad_request.code, detail: 'table: no' },
  'the reader gives up': { type: 'lost', reason: gap },
  woke: { type: 'woke' },
  check: { type: 'check' },
  shown: { type: 'shown' },
  'reconnect asked': { type: 'reconnect_asked' },
  'close asked': { type: 'close_asked' },
} satisfies Record<string, LifeEvent>

const attempt4: Cell = ['connecting 4', 'open']
const afresh: Cell = ['connecting 1', 'drop', 'open']
const over: Cell = ['closed', 'drop']
const wait = (attempt: number): Cell => [`waiting ${attempt}`, 'drop']
const stay = (at: string): Cell => [at]

const table: Record<keyof typeof lives, Record<keyof typeof events, Cell>> = {
  'connecting, third attempt': {
    greeted: ['live'],
    heard: stay('connecting 3'),
    'the way broke': wait(3),
    'the server stops': wait(3),
    refused: over,
    'the reader gives up': wait(3),
    woke: stay('connecting 3'),
    check: stay('connecting 3'),
    shown: stay('connecting 3'),
    'reconnect asked': afresh,
    'close asked': over,
  },
  'connecting, overdue': {
    greeted: ['live'],
    heard: stay('connecting 3'),
    'the way broke': wait(3),
    'the server stops': wait(3),
    refused: over,
    'the reader gives up': wait(3),
    woke: wait(3),
    check: stay('connecting 3'),
    shown: stay('connecting 3'),
    'reconnect asked': afresh,
    'close asked': over,
  },
  // It has not held: its failures go on counting.
  'live, just now': {
    greeted: stay('live'),
    heard: stay('live'),
    'the way broke': wait(3),
    'the server stops': wait(3),
    refused: over,
    'the reader gives up': wait(3),
    woke: stay('live'),
    check: ['live', 'ping'],
    shown: stay('live'),
    'reconnect asked': afresh,
    'close asked': over,
  },
  'live for long': {
    greeted: stay('live'),
    heard: stay('live'),
    'the way broke': wait(1),
    'the server stops': wait(1),
    refused: over,
    'the reader gives up': wait(1),
    woke: stay('live'),
    check: ['live', 'ping'],
    shown: stay('live'),
    'reconnect asked': afresh,
    'close asked': over,
  },
  'live and silent': {
    greeted: stay('live'),
    heard: stay('live'),
    'the way broke': wait(1),
    'the server stops': wait(1),
    refused: over,
    'the reader gives up': wait(1),
    woke: wait(1),
    check: ['live', 'ping'],
    shown: ['live', 'ping'],
    'reconnect asked': afresh,
    'close asked': over,
  },
  'live, a heartbeat late': {
    greeted: stay('live'),
    heard: stay('live'),
    'the way broke': wait(1),
    'the server stops': wait(1),
    refused: over,
    'the reader gives up': wait(1),
    woke: stay('live'),
    check: ['live', 'ping'],
    shown: ['live', 'ping'],
    'reconnect asked': afresh,
    'close asked': over,
  },
  waiting: {
    greeted: stay('waiting 3'),
    heard: stay('waiting 3'),
    'the way broke': stay('waiting 3'),
    'the server stops': stay('waiting 3'),
    refused: stay('waiting 3'),
    'the reader gives up': stay('waiting 3'),
    woke: stay('waiting 3'),
    check: attempt4,
    shown: attempt4,
    'reconnect asked': ['connecting 1', 'open'],
    'close asked': ['closed'],
  },
  'waiting, due': {
    greeted: stay('waiting 3'),
    heard: stay('waiting 3'),
    'the way broke': stay('waiting 3'),
    'the server stops': stay('waiting 3'),
    refused: stay('waiting 3'),
    'the reader gives up': stay('waiting 3'),
    woke: attempt4,
    check: attempt4,
    shown: attempt4,
    'reconnect asked': ['connecting 1', 'open'],
    'close asked': ['closed'],
  },
  closed: {
    greeted: stay('closed'),
    heard: stay('closed'),
    'the way broke': stay('closed'),
    'the server stops': stay('closed'),
    refused: stay('closed'),
    'the reader gives up': stay('closed'),
    woke: stay('closed'),
    check: stay('closed'),
    shown: stay('closed'),
    'reconnect asked': stay('closed'),
    'close asked': stay('closed'),
  },
}

describe('the life of a connection, state by event', () => {
  for (const [name, life] of Object.entries(lives) as [keyof typeof lives, Life][])
    for (const [what, event] of Object.entries(events) as [keyof typeof events, LifeEvent][])
      it(`${name}: ${what}`, () => {
        const [next, effects] = live(life, event, { now: NOW, random: 0.5 })
        expect([place(next), ...effects.map((effect) => effect.do)]).toEqual(table[name][what])
      })
})

describe('the life of a connection', () => {
  it('waits between nothing and a ceiling that doubles up to ten seconds', () => {
    const waits = Array.from({ length: 9 }, (_, index) => {
      const [next] = live({ state: 'connecting', attempt: index + 1, dropAt: NOW }, events.woke, {
        now: NOW,
        random: 0.999_999,
      })
      return next.state === 'waiting' ? next.retryInMs : null
    })
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000])
    const [now] = live(lives.waiting, events.woke, { now: NOW, random: 0 })
    expect(now).toEqual(lives.waiting)
  })

  it('P35 drops a socket after twice the heartbeat, and no sooner', () => {
    expect(wakeAt(liveSince(NOW, NOW))).toBe(NOW + 2 * HEARTBEAT_MS)
  })

  it('P37 gives a check five seconds, which any frame ends', () => {
    const [checked] = live(liveSince(NOW, NOW), events.check, { now: NOW, random: 0 })
    expect(wakeAt(checked)).toBe(NOW + CHECK_MS)
    const [heard] = live(checked, events.heard, { now: NOW + 10, random: 0 })
    expect(wakeAt(heard)).toBe(NOW + 10 + 2 * HEARTBEAT_MS)
  })

  it('has one socket at most, and one unless it waits or is closed, whatever happens', () => {
    const anything = fc.constantFrom<LifeEvent>(...Object.values(events))
    const history = fc.array(fc.tuple(anything, fc.nat(40_000)), { maxLength: 80 })
    fc.assert(
      fc.property(history, fc.double({ min: 0, max: 0.999, noNaN: true }), (steps, random) => {
        let now = NOW
        let [life, effects] = startLife(now)
        let sockets = follow(0, effects)
        for (const [event, ms] of steps) {
          now += ms
          ;[life, effects] = live(life, event, { now, random })
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
  return life.state === 'connecting' || life.state === 'waiting'
    ? `${life.state} ${life.attempt}`
    : life.state
}

function follow(sockets: number, effects: readonly LifeEffect[]): number {
  for (const effect of effects) {
    if (effect.do === 'open') sockets++
    if (effect.do === 'drop') sockets--
    expect(sockets === 0 || sockets === 1).toBe(true)
  }
  return sockets
}
