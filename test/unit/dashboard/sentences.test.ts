import { describe, expect, test } from 'vitest'
import {
  canaryTimes,
  connectionWord,
  deliveryWord,
  feedWord,
  lagWord,
  listenerWord,
  plural,
  probeSentence,
  subject,
} from '../../../client/dashboard/sentences.ts'
import type { SystemReading, SystemStatus } from '../../../client/dashboard/system-status.ts'
import { troubles } from '../../../client/dashboard/troubles.ts'
import type { ConnectionState, Freshness } from '../../../client/sdk/belfry.ts'
import { closeCodes } from '../../../protocol/close-codes.ts'

const live: ConnectionState = { state: 'live', since: 0 }
const current: Freshness = { state: 'current' }
const lost = { kind: 'closed', code: 1006, name: null, detail: '' } as const

const status: SystemStatus = {
  epoch: 'k3v',
  head: 41,
  tail: 1,
  listener: { present: true, name: 'belfry-1', term: 7, state: 'asleep', since: '2026-11-21' },
  drain: { by: 'listener' },
  lag_ms: 0,
  shards: [],
  sockets: 1,
  consumers: [{ name: 'mail', offset: 41, behind: 0, parked: 0, error: null }],
  mail: { queued: 0, sent: 3, parked: 0, waiting_since: null },
  delivering: true,
  why: null,
  canary: { beat: 812, age_ms: 2_900, to_feed_ms: 12, to_shards_ms: 3 },
}
const NO_LISTENER = 'No listener is connected. Start `npm start`.'
const absent: Partial<SystemStatus> = {
  listener: { present: false },
  drain: { by: 'nobody' },
  lag_ms: null,
  delivering: false,
  why: NO_LISTENER,
}
const reading = (altered: Partial<SystemStatus> = {}): SystemReading => ({
  state: 'read',
  status: { ...status, ...altered },
  atMs: 1_000_000,
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

describe('whether changes arrive, in one word', () => {
  test.each<[string, string, SystemReading]>([
    ['Live', 'idle', { state: 'unknown' }],
    ['Live', 'wait', { state: 'failed', message: 'x' }],
    ['Live', 'good', reading()],
    ['Live', 'wait', reading({ why: 'It polls. Mend it.' })],
    ['Not delivering', 'bad', reading(absent)],
    ['Not delivering', 'bad', reading({ delivering: false, why: 'No canary. Read the log.' })],
  ])('P71 %s, %s', (word, tone, system) =>
    expect(deliveryWord(live, current, system)).toEqual({ word, tone }),
  )

  test('a connection that is lost comes before', () => {
    const waiting = { state: 'waiting', attempt: 1, retryInMs: 10, reason: lost } as const
    expect(deliveryWord(waiting, current, reading())).toEqual({
      word: 'Disconnected',
      tone: 'bad',
    })
  })

  test('P71 the canary is told with its time and its age, which goes on', () => {
    expect(canaryTimes(reading(), 1_000_000)).toEqual({ took: '15 ms', came: '2 s ago' })
    expect(canaryTimes(reading(), 1_004_500)).toEqual({ took: '15 ms', came: '7 s ago' })
    const young = { ...status.canary, age_ms: 10 } as SystemStatus['canary']
    expect(canaryTimes(reading({ canary: young }), 999_000)?.came).toBe('just now')
    const underWay = { ...status.canary, to_shards_ms: null } as SystemStatus['canary']
    expect(canaryTimes(reading({ canary: underWay }), 1_000_000)?.took).toBe('12 ms')
    for (const nothing of [
      reading({ canary: null }),
      reading(absent),
      { state: 'unknown' } as const,
    ])
      expect(canaryTimes(nothing, 1_000_000)).toBeNull()
  })
})

describe('the stations', () => {
  test('P71 none is green while changes do not arrive', () => {
    const broken = reading({ delivering: false, why: 'No canary. Read the log.' })
    const words = [listenerWord(broken), lagWord(broken), feedWord(broken, 41)]
    expect(words).toEqual([
      { word: 'Asleep', tone: 'idle' },
      { word: '0 ms', tone: 'idle' },
      { word: '41', tone: 'bad' },
    ])
    expect(feedWord(reading(), 1_204)).toEqual({ word: '1,204', tone: 'good' })
    expect(feedWord(reading(absent), 41).tone).toBe('idle')
    expect(feedWord({ state: 'unknown' }, 0)).toEqual({ word: '–', tone: 'idle' })
  })

  test('say what the listener does, and that it is missing', () => {
    expect(listenerWord(reading())).toEqual({ word: 'Asleep', tone: 'good' })
    expect(listenerWord(reading(absent))).toEqual({ word: 'Absent', tone: 'bad' })
    const drained = reading({ ...absent, drain: { by: 'feed' }, delivering: true })
    expect(listenerWord(drained)).toEqual({ word: 'Absent', tone: 'wait' })
    expect(lagWord(drained)).toEqual({ word: 'Unknown', tone: 'wait' })
    expect(canaryTimes(drained, 1_000_000)).toBeNull()
    expect(listenerWord({ state: 'unknown' })).toEqual({ word: 'Unknown', tone: 'idle' })
  })

  test('say the lag, unless there is nobody who knows it', () => {
    expect(lagWord(reading())).toEqual({ word: '0 ms', tone: 'good' })
    expect(lagWord(reading({ lag_ms: 9_000 }))).toEqual({ word: '9.0 s', tone: 'wait' })
    expect(lagWord(reading(absent))).toEqual({ word: 'Unknown', tone: 'bad' })
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
          ...absent,
          consumers: [parked],
          mail: { queued: 0, sent: 0, parked: 1, waiting_since: null },
        }),
      ),
    ]
    expect(all).toHaveLength(7)
    for (const { what, advice } of all) {
      expect(what).toMatch(/\S/)
      expect(advice).toMatch(/[a-z].*\.$/i)
    }
  })

  test('what the status says is told once', () => {
    const failing = { name: 'mail', offset: 1, behind: 40, parked: 0, error: 'refused' }
    const why = 'The consumer mail is 40 changes behind. It says: refused. Put it right.'
    expect(
      troubles(live, current, reading({ delivering: false, why, consumers: [failing] })),
    ).toEqual([
      {
        tone: 'bad',
        what: 'The consumer mail is 40 changes behind.',
        advice: 'It says: refused. Put it right.',
      },
    ])
    expect(troubles(live, current, reading({ why: 'It polls. Run `belfry doctor`.' }))).toEqual([
      { tone: 'wait', what: 'It polls.', advice: 'Run belfry doctor.' },
    ])
  })

  test('P38 a page that was too slow is not told that the server is gone', () => {
    const { code } = closeCodes.too_slow
    const reason = { kind: 'closed', code, name: 'too_slow', detail: 'x' } as const
    const waiting = { state: 'waiting', attempt: 1, retryInMs: 10, reason } as const
    const [trouble, ...more] = troubles(waiting, current, reading())
    expect(trouble).toMatchObject({
      tone: 'wait',
      what: 'This page did not keep up with the changes.',
      advice: expect.stringMatching(/^It connects again by itself/),
    })
    expect(more).toEqual([])
  })

  test('a lost connection hides what follows from it', () => {
    const waiting = { state: 'waiting', attempt: 3, retryInMs: 10, reason: lost } as const
    const failed = { state: 'failed', message: 'x' } as const
    expect(what(waiting, current, failed)).toEqual([
      'Not connected. The server cannot be reached, or the connection broke off.',
    ])
  })

  test('tell of mails only once they wait for long, and lead to them', () => {
    const waiting = (forMs: number) =>
      troubles(
        live,
        current,
        reading({
          mail: {
            ...status.mail,
            queued: 2,
            waiting_since: new Date(1_000_000 - forMs).toISOString(),
          },
        }),
      )
    expect(waiting(120_000)).toEqual([])
    expect(waiting(20 * 60_000)).toMatchObject([
      {
        what: 'Mails wait to be sent, the oldest for 20 min.',
        link: { path: '/mail?state=queued%2Csending%2Cfailed' },
      },
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
