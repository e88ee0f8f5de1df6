import { describe, expect, test } from 'vitest'
import {
  connectionWord,
  lagWord,
  listenerWord,
  plural,
  probeSentence,
  subject,
} from '../../../client/dashboard/sentences.ts'
import type { SystemReading, SystemStatus } from '../../../client/dashboard/system-status.ts'
import { troubles } from '../../../client/dashboard/troubles.ts'
import type { ConnectionState } from '../../../client/sdk/connect.ts'
import type { Freshness } from '../../../client/sdk/live.ts'

const live: ConnectionState = { state: 'live', since: 0 }
const current: Freshness = { state: 'current' }
const lost = { kind: 'closed', code: 1006, name: null, detail: '' } as const

const status: SystemStatus = {
  epoch: 'k3v',
  head: 41,
  tail: 1,
  listener: { present: true, name: 'belfry-1', term: 7, state: 'asleep', since: '2026-11-21' },
  lag_ms: 0,
  shards: [],
  sockets: 1,
  consumers: [{ name: 'mail', offset: 41, behind: 0, parked: 0, error: null }],
  mail: { queued: 0, sent: 3, parked: 0 },
}
const reading = (altered: Partial<SystemStatus> = {}): SystemReading => ({
  state: 'read',
  status: { ...status, ...altered },
})

describe('the connection in one word', () => {
  test.each<[string, string, ConnectionState, Freshness]>([
    ['Connecting', 'wait', { state: 'connecting', attempt: 1 }, { state: 'loading' }],
    ['Reconnecting', 'wait', { state: 'connecting', attempt: 2 }, current],
    ['Disconnected', 'bad', { state: 'waiting', attempt: 1, retryInMs: 10, reason: lost }, current],
    ['Closed', 'bad', { state: 'closed', reason: { kind: 'asked' } }, current],
    ['Reading orders', 'wait', live, { state: 'loading' }],
    ['Reading again', 'wait', live, { state: 'reloading', because: 'pruned' }],
    ['Out of date', 'bad', live, { state: 'failing', attempt: 1, retryInMs: 9, error: null }],
    ['Live', 'good', live, current],
  ])('%s, %s', (word, tone, connection, freshness) =>
    expect(connectionWord(connection, freshness)).toEqual({ word, tone }),
  )
})

describe('the stations', () => {
  test('say what the listener does, and that it is missing', () => {
    expect(listenerWord(reading())).toEqual({ word: 'Asleep', tone: 'good' })
    expect(listenerWord(reading({ listener: { present: false } }))).toEqual({
      word: 'Absent',
      tone: 'bad',
    })
    expect(listenerWord({ state: 'unknown' })).toEqual({ word: 'Unknown', tone: 'idle' })
  })

  test('say the lag, unless there is nobody who knows it', () => {
    expect(lagWord(reading())).toEqual({ word: '0 ms', tone: 'good' })
    expect(lagWord(reading({ lag_ms: 9_000 }))).toEqual({ word: '9.0 s', tone: 'wait' })
    expect(lagWord(reading({ listener: { present: false } })).word).toBe('Unknown')
  })
})

describe('troubles', () => {
  const what = (connection: ConnectionState, freshness: Freshness, system: SystemReading) =>
    troubles(connection, freshness, system).map((trouble) => trouble.what)

  test('there are none when all is well, nor at the first try', () => {
    expect(troubles(live, current, reading())).toEqual([])
    const first = { state: 'connecting', attempt: 1 } as const
    expect(troubles(first, { state: 'loading' }, { state: 'unknown' })).toEqual([])
  })

  test('every one says what to do next', () => {
    const parked = { name: 'mail', offset: 1, behind: 40, parked: 2, error: 'refused' }
    const all = [
      ...troubles(
        { state: 'waiting', attempt: 1, retryInMs: 10, reason: lost },
        { state: 'failing', attempt: 1, retryInMs: 900, error: new Error('No.') },
        reading(),
      ),
      ...troubles({ state: 'closed', reason: { kind: 'asked' } }, current, reading()),
      ...troubles(live, current, { state: 'failed', message: 'The server answered 500.' }),
      ...troubles(
        live,
        current,
        reading({
          listener: { present: false },
          consumers: [parked],
          mail: { queued: 0, sent: 0, parked: 1 },
        }),
      ),
    ]
    expect(all).toHaveLength(7)
    for (const { what, advice } of all) {
      expect(what).toMatch(/\S/)
      expect(advice).toMatch(/[a-z].*\.$/i)
    }
  })

  test('a lost connection hides what follows from it', () => {
    const waiting = { state: 'waiting', attempt: 3, retryInMs: 10, reason: lost } as const
    const failed = { state: 'failed', message: 'x' } as const
    expect(what(waiting, current, failed)).toEqual([
      'Not connected. The server cannot be reached, or the connection broke off.',
    ])
  })
})

describe('sentences', () => {
  test('a test of the connection names both ways', () => {
    expect(probeSentence({ state: 'never' })).toBe('')
    expect(
      probeSentence({
        state: 'done',
        socket: { ok: true, ms: 3.2 },
        http: { ok: false, message: 'The server cannot be reached' },
      }),
    ).toBe('Socket 3 ms · HTTP failed: The server cannot be reached')
  })

  test('a change is named by its key and its customer, or by its table', () => {
    const at = { id: '', at: '', offset: 1, op: 'insert', old: null } as const
    const orders = { ...at, table: 'orders', key: { id: 7 }, new: { customer_name: 'Ada' } }
    expect(subject(orders)).toEqual({ id: '#7', name: 'Ada' })
    const parts = { ...at, table: 'parts', key: { a: 1, b: 'x' }, new: { n: 1 } }
    expect(subject(parts)).toEqual({ id: '#1, x', name: 'parts' })
    expect(subject({ ...parts, key: null, new: null })).toEqual({ id: '', name: 'parts' })
  })

  test('one is one', () => {
    expect(plural(1, 'order', 'orders')).toBe('1 order')
    expect(plural(1_200, 'order', 'orders')).toBe('1,200 orders')
  })
})
