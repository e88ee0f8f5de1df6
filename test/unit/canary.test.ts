import { describe, expect, test } from 'vitest'
import type { CapturedChange } from '../../protocol/change.ts'
import { Canary, READER_LATE_MS, sortOut } from '../../worker/feed/canary.ts'

const T = Date.parse('2026-11-21T08:00:00.000Z')
const at = (ms: number) => new Date(T + ms).toISOString()
const beat = (number: number, writtenMs = number * 5_000) => ({ beat: number, at: at(writtenMs) })

function captured(given: Partial<CapturedChange>): CapturedChange {
  const row = { only_one: true, beat: 7 }
  return {
    id: '0f0e0d0c-0b0a-4900-8807-060504030201',
    table: 'belfry.canary',
    op: 'update',
    key: { only_one: true },
    new: row,
    old: row,
    at: at(0),
    ...given,
  }
}

describe('sorting out', () => {
  test('P70 beats are taken out, everything else stays in its order', () => {
    const [first, second] = [captured({ table: 'orders' }), captured({ table: 'canary' })]
    expect(sortOut([first, captured({}), second])).toEqual({
      changes: [first, second],
      beats: [{ beat: 7, at: at(0) }],
    })
  })

  test('P70 what a person writes into the canary’s table is taken out too, and is no beat', () => {
    const odd = [
      captured({ op: 'delete', new: null }),
      captured({ op: 'truncate', key: null, new: null, old: null }),
      captured({ new: { only_one: true, beat: '9007199254740993' } }),
      captured({ new: { only_one: true } }),
      captured({ at: 'yesterday, about noon' }),
      captured({ new: null, oversize: true }),
    ]
    expect(sortOut(odd)).toEqual({ changes: [], beats: [] })
  })

  test('a batch without a beat is not copied', () => {
    const batch = [captured({ table: 'orders' })]
    expect(sortOut(batch).changes).toBe(batch)
  })
})

describe('the last beat', () => {
  test('nothing is known before the first', () => {
    expect(new Canary().report(T)).toBeNull()
  })

  test('its times are told: the age from when it came, the rest from step to step', () => {
    const canary = new Canary()
    canary.heard(beat(1, 0), T + 12)
    canary.ask(['a', 'b'], 3, T + 12)
    canary.answered('a', T + 12, T + 15)
    expect(canary.report(T + 20)).toMatchObject({ toFeedMs: 12, toShardsMs: null })
    canary.answered('b', T + 12, T + 19)
    expect(canary.report(T + 1_012)).toEqual({
      beat: 1,
      at: at(0),
      ageMs: 1_000,
      toFeedMs: 12,
      toShardsMs: 7,
    })
  })

  test('a clock of Postgres that is ahead makes no time negative', () => {
    const canary = new Canary()
    canary.heard(beat(1, 60_000), T)
    expect(canary.report(T)).toMatchObject({ ageMs: 0, toFeedMs: 0 })
  })

  test('without shards it has reached them all', () => {
    const canary = new Canary()
    canary.heard(beat(1), T)
    canary.ask([], 0, T)
    expect(canary.report(T)).toMatchObject({ toShardsMs: 0 })
  })

  test.each([
    ['the same again', beat(5), false],
    ['an older one', beat(4), false],
    ['the next', beat(6), true],
    ['one after a crash that forgot the row’s last update', beat(5, 26_000), true],
    ['one after the row was deleted', beat(1, 30_000), true],
    ['one after the clock was set back', beat(6, -3_600_000), true],
  ])('%s', (_, next, isNew) => {
    const canary = new Canary()
    canary.heard(beat(5), T)
    expect(canary.heard(next, T + 1)).toBe(isNew)
    expect(canary.report(T + 1)?.beat).toBe(isNew ? next.beat : 5)
  })
})

describe('who is late', () => {
  /** Asked every 5 s; `reached` says who answers at which time. */
  function run(seconds: number, reached: (shard: string, second: number) => boolean) {
    const canary = new Canary()
    for (let second = 0; second <= seconds; second += 5) {
      const now = T + second * 1_000
      canary.heard(beat(second), now)
      canary.ask(['a', 'b'], second, now)
      for (const shard of ['a', 'b'])
        if (reached(shard, second)) canary.answered(shard, now, now + 1)
    }
    return canary
  }

  test('P71 a shard that is silent is late 10 s after the first question it left open', () => {
    const canary = run(30, (shard, second) => shard === 'a' || second < 20)
    const firstOpenAt = T + 20_000
    expect(canary.lateShards(firstOpenAt + READER_LATE_MS)).toEqual([])
    expect(canary.lateShards(firstOpenAt + READER_LATE_MS + 1)).toEqual(['b'])
    expect(canary.report(T + 30_500)).toMatchObject({ toShardsMs: null })
  })

  test('a shard that misses one question and answers the next is not late', () => {
    const canary = run(30, (_, second) => second !== 20)
    expect(canary.lateShards(T + 34_000)).toEqual([])
  })

  test('a late answer to an earlier question leaves the newest one open', () => {
    const canary = run(5, (shard, second) => shard === 'a' || second < 0)
    canary.answered('b', T, T + 5_500)
    expect(canary.lateShards(T + 5_000 + READER_LATE_MS)).toEqual([])
    expect(canary.lateShards(T + 5_000 + READER_LATE_MS + 1)).toEqual(['b'])
  })

  test('a shard without sockets owes no answer', () => {
    const canary = run(30, (shard) => shard === 'a')
    canary.ask(['a'], 0, T + 35_000)
    canary.answered('b', T + 35_000, T + 35_001)
    expect(canary.lateShards(T + 60_000)).toEqual(['a'])
  })

  test('P71 a consumer must have come, 10 s after a question, where the feed stood then', () => {
    const canary = run(30, () => true)
    expect(canary.dueHead(T + 30_000)).toBe(15)
    expect(canary.dueHead(T + 30_001)).toBe(20)
    expect(canary.dueHead(T + 60_000)).toBe(30)
  })

  test('a new life forgets all of it', () => {
    const canary = run(30, () => false)
    canary.restart()
    expect(canary.report(T + 60_000)).toBeNull()
    expect(canary.lateShards(T + 60_000)).toEqual([])
    expect(canary.dueHead(T + 60_000)).toBe(0)
    expect(canary.heard(beat(1), T + 60_000)).toBe(true)
  })
})
