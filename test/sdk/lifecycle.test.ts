import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ASKING_MS,
  CHECK_MS,
  type Life,
  type LifeEffect,
  type LifeEvent,
  live,
  startLife,
  wakeAt,
} from '../../client/sdk/lifecycle.ts'
import { closeCodes } from '../../protocol/close-codes.ts'
import { HEARTBEAT_MS } from '../../protocol/heartbeat.ts'
import { chance, events, liveSince, lives, NOW, withTickets } from './lives.ts'

type Row = Record<keyof typeof events, Cell>
type Table = Record<keyof typeof lives, Row>

/** @param asks whether a ticket is asked for, `renews` whether a new token is */
function tableOf(asks: boolean, renews: boolean): Table {
  const attempt = (number: number): Cell =>
    asks ? [`asking ${number}`, 'ask'] : [`connecting ${number}`, 'open']
  const afresh: Cell = asks ? ['asking 1', 'drop', 'ask'] : ['connecting 1', 'drop', 'open']
  const over: Cell = ['closed', 'drop']
  const wait = (number: number): Cell => [`waiting ${number}`, 'drop']
  const all = (at: string): Row =>
    Object.fromEntries<Cell>(Object.keys(events).map((event) => [event, [at]])) as Row

  const asking: Row = {
    ...all('asking 3'),
    'a ticket': ['connecting 3', 'open'],
    'no ticket': ['waiting 3'],
    'no ticket for 7 s': ['waiting 3'],
    denied: ['closed'],
    'the reader gives up': ['waiting 3'],
    woke: ['waiting 3'],
    'reconnect asked': attempt(1),
    'close asked': ['closed'],
  }
  const broken = (next: number) => ({
    'no ticket': wait(next),
    'no ticket for 7 s': wait(next),
    denied: over,
    'the way broke': wait(next),
    'the server stops': wait(next),
    refused: over,
    'a foreign page': over,
    unauthorized: renews ? wait(next) : over,
    'the reader gives up': wait(next),
    'reconnect asked': afresh,
    'close asked': over,
  })
  const connecting: Row = {
    ...all('connecting 3'),
    ...broken(3),
    greeted: ['live'],
    woke: wait(3),
  }
  /** @param next the attempt that counts: after one that has held, the first */
  const alive = (next: number, at = 'live'): Row => ({
    ...all(at),
    ...broken(next),
    unauthorized: asks ? wait(next) : over,
    'told that it ends': [renews ? 'live, resting 0' : 'live'],
    'told that it does not end': ['live'],
    check: [at, 'ping'],
  })
  const waiting: Row = {
    ...all('waiting 3'),
    denied: ['closed'],
    check: attempt(4),
    shown: attempt(4),
    'reconnect asked': attempt(1),
    'close asked': ['closed'],
  }
  const [resting, renewing] = [alive(1, 'live, resting 2'), alive(1, 'live, asking 2')]
  const refreshing = alive(1, 'live, refreshing 2')
  const inTime = {
    'a new token': ['live, refreshing 2', 'refresh'],
    'no new token': ['live, resting 3'],
  } satisfies Partial<Row>
  return {
    'asking, third attempt': { ...asking, woke: ['asking 3'] },
    'asking, overdue': asking,
    'connecting, third attempt': { ...connecting, woke: ['connecting 3'] },
    'connecting, overdue': connecting,
    // It has not held: its failures go on counting.
    'live, just now': alive(3),
    'live for long': alive(1),
    'live and silent': { ...alive(1), woke: wait(1), shown: ['live', 'ping'] },
    'live, a heartbeat late': { ...alive(1), shown: ['live', 'ping'] },
    'live, its session resting': resting,
    'live, its session due': { ...resting, woke: ['live, asking 2', 'renew'] },
    'live, asking for a token': { ...renewing, ...inTime },
    'live, asking in vain': { ...renewing, ...inTime, woke: ['live, resting 3'] },
    'live, refreshing': refreshing,
    'live, refreshing in vain': { ...refreshing, woke: ['live, resting 3'] },
    waiting,
    'waiting, due': { ...waiting, woke: attempt(4) },
    closed: all('closed'),
  }
}

describe.each([
  ['open to anyone', false, false],
  ['with tickets for one text', true, false],
  ['with tickets, and a token that is asked for', true, true],
])('the life of a connection, state by event, %s', (_, asks, renews) => {
  const table = tableOf(asks, renews)
  for (const [name, life] of Object.entries(lives) as [keyof typeof lives, Life][])
    for (const [what, event] of Object.entries(events) as [keyof typeof events, LifeEvent][])
      it(`${name}: ${what}`, () => {
        const [next, effects] = live(life, event, {
          now: NOW,
          random: 0.5,
          asks,
          renews,
        })
        expect([place(next), ...effects.map((effect) => effect.do)]).toEqual(table[name][what])
      })
})

describe('the life of a connection', () => {
  it('waits between nothing and a ceiling that doubles up to ten seconds', () => {
    const waits = Array.from({ length: 9 }, (_, index) => {
      const life: Life = { state: 'connecting', attempt: index + 1, dropAt: NOW }
      const [next] = live(life, events.woke, { ...chance, random: 0.999_999 })
      return next.state === 'waiting' ? next.retryInMs : null
    })
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000])
    const [now] = live(lives.waiting, events.woke, chance)
    expect(now).toEqual(lives.waiting)
  })

  it('P101 waits as long as it was asked to, and then as after any loss', () => {
    const [life] = live(lives['asking, third attempt'], events['no ticket for 7 s'], withTickets)
    expect(life).toMatchObject({ state: 'waiting', retryInMs: 7_000 + 500 })
    const limited = {
      type: 'socket_closed',
      code: closeCodes.rate_limited.code,
      detail: '',
    } as const
    const [closed] = live(lives['live for long'], limited, withTickets)
    expect(closed).toMatchObject({ state: 'waiting', retryInMs: 5_000 + 125 })
  })

  it('P35 drops a socket after twice the heartbeat, and no sooner', () => {
    expect(wakeAt(liveSince(NOW, NOW))).toBe(NOW + 2 * HEARTBEAT_MS)
  })

  it('P37 gives a check five seconds, which any frame ends', () => {
    const [checked] = live(liveSince(NOW, NOW), events.check, chance)
    expect(wakeAt(checked)).toBe(NOW + CHECK_MS)
    const [heard] = live(checked, events.heard, { ...chance, now: NOW + 10 })
    expect(wakeAt(heard)).toBe(NOW + 10 + 2 * HEARTBEAT_MS)
  })

  it('gives a ticket fifteen seconds, and says so when there is none', () => {
    const [asking, effects] = startLife({ now: NOW, asks: true })
    expect([asking, effects]).toEqual([
      { state: 'asking', attempt: 1, dropAt: NOW + ASKING_MS },
      [{ do: 'ask' }],
    ])
    expect(wakeAt(asking)).toBe(NOW + 15_000)
    const [late] = live(asking, events.woke, { ...withTickets, now: NOW + ASKING_MS })
    expect(late).toMatchObject({
      state: 'waiting',
      attempt: 1,
      retryInMs: 125,
      reason: { kind: 'ticket', detail: 'none was given in 15 s' },
    })
  })

  it('has one socket at most, and one unless it asks, waits or is closed, whatever happens', () => {
    const anything = fc.constantFrom<LifeEvent>(...Object.values(events))
    const history = fc.array(fc.tuple(anything, fc.nat(40_000)), { maxLength: 80 })
    const dice = fc.double({ min: 0, max: 0.999, noNaN: true })
    fc.assert(
      fc.property(history, dice, fc.boolean(), fc.boolean(), (steps, random, asks, renews) => {
        let now = NOW
        let [life, effects] = startLife({ now, asks })
        let sockets = follow(0, effects)
        for (const [event, ms] of steps) {
          now += ms
          ;[life, effects] = live(life, event, { now, random, asks, renews })
          sockets = follow(sockets, effects)
          expect(sockets).toBe(life.state === 'connecting' || life.state === 'live' ? 1 : 0)
          expect(wakeAt(life) === null).toBe(life.state === 'closed')
        }
      }),
    )
  })
})

type Cell = [at: string, ...effects: LifeEffect['do'][]]

function place(life: Life): string {
  if (life.state === 'closed') return life.state
  if (life.state !== 'live') return `${life.state} ${life.attempt}`
  const { session } = life
  return session.state === 'open' ? 'live' : `live, ${session.state} ${session.failures}`
}

function follow(sockets: number, effects: readonly LifeEffect[]): number {
  for (const effect of effects) {
    if (effect.do === 'open') sockets++
    if (effect.do === 'drop') sockets--
    expect(sockets === 0 || sockets === 1).toBe(true)
  }
  return sockets
}
