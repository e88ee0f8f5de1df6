import { describe, expect, test } from 'vitest'
import { CANARY_LATE_MS } from '../../protocol/canary.ts'
import { type Facts, judge } from '../../worker/feed/delivering.ts'

const T = Date.parse('2026-11-21T08:00:00.000Z')
const since = new Date(T - 3_600_000).toISOString()

const listener = {
  present: true,
  name: 'host-1',
  term: 4,
  state: 'asleep',
  since,
  lagMs: 0,
} as const
const canary = { beat: 1, at: since, ageMs: 3_000, toFeedMs: 12, toShardsMs: 3 }
const mail = { name: 'mail', offset: 57, behind: 0, parked: 0, error: null, late: false }

const well: Facts = {
  now: T,
  awakeSince: T - 3_600_000,
  listener,
  drain: { by: 'listener' },
  canary,
  lateShards: [],
  consumers: [mail],
}
const absent = { listener: { present: false } as const }
const drains = { by: 'feed', since, lastAt: new Date(T - 20_000).toISOString() } as const

type Case = [name: string, altered: Partial<Facts>, why: RegExp]

describe('P71 changes do not arrive', () => {
  const cases: Case[] = [
    [
      'nobody drains',
      { ...absent, drain: { by: 'nobody', since, error: null } },
      /^No listener is connected\. .* none is lost\. Start the listener/,
    ],
    [
      'nor can the feed',
      { ...absent, drain: { by: 'nobody', since, error: 'DATABASE_URL is not set' } },
      /^No listener is connected, and the feed cannot .*: DATABASE_URL is not set\. /,
    ],
    [
      'the feed drains no more',
      { ...absent, drain: { by: 'feed', since, lastAt: new Date(T - 20_001).toISOString() } },
      /^No listener is connected, and the feed has not read the outbox in its place for 20 s\. Start/,
    ],
    ['a listener has just gone', { ...absent }, /^No listener is connected\./],
    [
      'no beat for 15 s',
      { canary: { ...canary, ageMs: CANARY_LATE_MS + 1 } },
      /no canary has come for 15 s\. Read its log/,
    ],
    [
      'no beat, and changes wait',
      { canary: { ...canary, ageMs: 20_000 }, listener: { ...listener, lagMs: 42_000 } },
      /^The oldest change has waited 42 s in Postgres/,
    ],
    [
      'no beat yet, the feed just awake',
      { canary: null, awakeSince: T - 2_000 },
      /^The way is not proven yet/,
    ],
    [
      'no beat yet, the listener just there',
      { canary: null, listener: { ...listener, since: new Date(T - 2_000).toISOString() } },
      /^The way is not proven yet/,
    ],
    ['no beat ever', { canary: null }, /no canary has come in 3600 s\. Migrate its database/],
    [
      'a shard that does not answer',
      { lateShards: ['weur-0'] },
      /^The shard weur-0 does not answer, so its/,
    ],
    [
      'three of them',
      { lateShards: ['weur-0', 'enam-0', 'apac-1'] },
      /^The shard weur-0 does not answer, nor 2 others, so its/,
    ],
    [
      'a consumer that is late',
      { consumers: [mail, { ...mail, name: 'inbox', behind: 1, late: true }] },
      /^The consumer inbox is 1 change behind\. Read the worker’s log\.$/,
    ],
    [
      'a consumer that fails',
      { consumers: [{ ...mail, behind: 3, error: 'no such table', late: true }] },
      /^The consumer mail is 3 changes behind\. It says: no such table\. /,
    ],
    [
      'a shard that is late while the feed drains',
      { ...absent, drain: drains, lateShards: ['weur-0'] },
      /^The shard weur-0/,
    ],
  ]
  test.each(cases)('%s', (_, altered, why) => {
    expect(judge({ ...well, ...altered })).toEqual({
      delivering: false,
      why: expect.stringMatching(why),
    })
  })
})

describe('P71 changes arrive', () => {
  test('and all is well', () => {
    expect(judge(well)).toEqual({ delivering: true, why: null })
    const onTheEdge = { ...canary, ageMs: CANARY_LATE_MS, toShardsMs: null }
    expect(judge({ ...well, canary: onTheEdge })).toEqual({ delivering: true, why: null })
  })

  const cases: Case[] = [
    [
      'late, because the feed drains',
      { ...absent, drain: drains, canary: null },
      /the feed reads the outbox itself, every 5 to 15 s.* Start the listener/,
    ],
    ['late, by polling', { listener: { ...listener, state: 'polling' } }, /it polls/],
    [
      'late, by the canary’s own time',
      { canary: { ...canary, toFeedMs: 4_900 } },
      /^The last canary took 4\.9 s\. .*belfry doctor/,
    ],
    [
      'but a consumer has given one up',
      { consumers: [{ ...mail, parked: 1 }] },
      /^The consumer mail has given up 1 change\. `belfry parked list`/,
    ],
  ]
  test.each(cases)('%s', (_, altered, why) => {
    expect(judge({ ...well, ...altered })).toEqual({
      delivering: true,
      why: expect.stringMatching(why),
    })
  })
})

test('each says what is the case, and then what to do', () => {
  const facts: Partial<Facts>[] = [
    { ...absent, drain: { by: 'nobody', since, error: 'boom' } },
    { canary: null },
    { lateShards: ['a'] },
    { consumers: [{ ...mail, late: true, error: 'boom!' }] },
    { consumers: [{ ...mail, parked: 2 }] },
  ]
  for (const altered of facts)
    expect(judge({ ...well, ...altered }).why).toMatch(/^[A-Z].*[^.!][.!] ['A-Z`].*[^.!][.]$/)
})
