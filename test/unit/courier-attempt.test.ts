import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  begun,
  finished,
  interrupted,
  MAX_ATTEMPTS,
  overdue,
  SAFE_TO_REPEAT_MS,
  setAside,
} from '../../worker/courier/attempt.ts'
import type { Outcome } from '../../worker/courier/outcome.ts'
import type { Row } from '../../worker/courier/row.ts'
import { HOUR_MS, NOW, waiting } from './courier-row.ts'

const facts = { now: NOW + 1_000, random: 0.5, attempts: 1 }
const doubt = { state: 'failed', attempts: 2, alone: 1, first_at: 0, payload: 'P' } as const

const retry = { kind: 'retry', down: false, afterMs: null, error: 'E' } as const
const outcomes: Record<string, Outcome> = {
  sent: { kind: 'sent', providerId: 're_1' },
  refused: { kind: 'refused', error: 'E' },
  inDoubt: { ...retry, inDoubt: true },
  notInDoubt: { ...retry, inDoubt: false },
  hold: { kind: 'hold', afterMs: 1, error: 'E' },
  apart: { kind: 'apart', error: 'E' },
  unknown: { kind: 'unknown', error: 'E' },
}

/** Where the delivery stood: never tried, or in doubt; by itself, or in a batch. */
const stands: Record<string, { row: Row; batch: string | null }> = {
  fresh: { row: waiting(), batch: null },
  freshInBatch: { row: waiting(), batch: 'batch/1' },
  doubt: { row: waiting({ ...doubt, doubt_since: NOW - HOUR_MS }), batch: null },
  doubtInBatch: {
    row: waiting({ ...doubt, doubt_since: NOW - HOUR_MS, batch: 'batch/1' }),
    batch: 'batch/1',
  },
}

/** state, attempts, whether in doubt, whether the request is kept, whether it goes alone. */
type Cell = [Row['state'], number, 'doubt' | 'clear', 'kept' | 'let go', 'alone' | 'any']
const table: Record<keyof typeof outcomes, Record<keyof typeof stands, Cell>> = {
  sent: {
    fresh: ['sent', 1, 'clear', 'let go', 'any'],
    freshInBatch: ['sent', 1, 'clear', 'let go', 'any'],
    doubt: ['sent', 3, 'clear', 'let go', 'any'],
    doubtInBatch: ['sent', 3, 'clear', 'let go', 'any'],
  },
  refused: {
    fresh: ['parked', 1, 'clear', 'let go', 'any'],
    freshInBatch: ['parked', 1, 'clear', 'let go', 'any'],
    doubt: ['parked', 3, 'doubt', 'kept', 'alone'],
    doubtInBatch: ['parked', 3, 'clear', 'let go', 'any'],
  },
  inDoubt: {
    fresh: ['failed', 1, 'doubt', 'kept', 'alone'],
    freshInBatch: ['failed', 1, 'doubt', 'kept', 'alone'],
    doubt: ['failed', 3, 'doubt', 'kept', 'alone'],
    doubtInBatch: ['failed', 3, 'doubt', 'kept', 'alone'],
  },
  notInDoubt: {
    fresh: ['failed', 1, 'clear', 'kept', 'any'],
    freshInBatch: ['failed', 1, 'clear', 'kept', 'any'],
    doubt: ['failed', 3, 'doubt', 'kept', 'alone'],
    doubtInBatch: ['failed', 3, 'doubt', 'kept', 'alone'],
  },
  hold: {
    fresh: ['queued', 0, 'clear', 'kept', 'any'],
    freshInBatch: ['queued', 0, 'clear', 'kept', 'any'],
    doubt: ['failed', 2, 'doubt', 'kept', 'alone'],
    doubtInBatch: ['failed', 2, 'doubt', 'kept', 'alone'],
  },
  apart: {
    fresh: ['parked', 1, 'clear', 'let go', 'any'],
    freshInBatch: ['queued', 0, 'clear', 'kept', 'alone'],
    doubt: ['parked', 3, 'doubt', 'kept', 'alone'],
    doubtInBatch: ['parked', 3, 'doubt', 'kept', 'alone'],
  },
  unknown: {
    fresh: ['unknown', 1, 'clear', 'let go', 'any'],
    freshInBatch: ['unknown', 1, 'clear', 'let go', 'any'],
    doubt: ['unknown', 3, 'clear', 'let go', 'any'],
    doubtInBatch: ['unknown', 3, 'clear', 'let go', 'any'],
  },
}

describe('an attempt', () => {
  const cells = Object.entries(table).flatMap(([outcome, row]) =>
    Object.entries(row).map(([stand, cell]) => [outcome, stand, cell] as const),
  )
  test.each(cells)('P54: that comes to %s for one that was %s', (outcome, stand, cell) => {
    const { row, batch } = stands[stand] as (typeof stands)[string]
    const under = begun(row, 'P', batch, NOW)
    const after = finished(under, row, outcomes[outcome] as Outcome, facts)
    const [state, attempts, inDoubt, request, alone] = cell
    expect({
      state: after.state,
      attempts: after.attempts,
      doubt: after.doubt_since,
      payload: after.payload,
    }).toEqual({
      state,
      attempts,
      doubt: inDoubt === 'doubt' ? (row.doubt_since ?? NOW) : null,
      payload: request === 'kept' ? 'P' : null,
    })
    if (alone === 'alone') expect(after.alone).toBe(1)
    // What is in doubt in a batch stays in it; what is not in doubt is in none.
    expect(after.batch).toBe(inDoubt === 'doubt' ? batch : null)
    expect(after.next_at === null).toBe(state !== 'failed' && state !== 'queued')
    expect(after.forget_at === null).toBe(state === 'failed' || state === 'queued')
  })

  test('P54: is in doubt from its beginning', () => {
    expect(begun(waiting(), 'P', null, NOW)).toMatchObject({
      state: 'sending',
      attempts: 1,
      doubt_since: NOW,
      first_at: NOW,
      next_at: null,
      payload: 'P',
    })
  })

  test('P54: that was interrupted is in doubt, and tried again', () => {
    const after = interrupted(begun(waiting(), 'P', null, NOW), 'stopped', facts)
    expect(after).toMatchObject({ state: 'failed', doubt_since: NOW, payload: 'P' })
  })

  test('P55: is repeated at most eight times, and all of it within 23 hours of the first', () => {
    const random = fc.double({ min: 0, max: 0.999999, noNaN: true })
    fc.assert(
      fc.property(fc.array(random, { minLength: 8, maxLength: 8 }), (randoms) => {
        let row = waiting()
        let now = NOW
        for (const [index, random] of randoms.entries()) {
          const under = begun(row, 'P', null, now)
          const attempts = index + 1
          row = finished(under, row, outcomes.inDoubt as Outcome, { now, random, attempts })
          if (row.next_at === null) break
          expect(row.next_at - NOW).toBeLessThan(SAFE_TO_REPEAT_MS)
          now = row.next_at
        }
        expect(row).toMatchObject({ state: 'parked', attempts: MAX_ATTEMPTS, doubt_since: NOW })
      }),
    )
  })

  test('P55: waits at most 15 s, a minute, four minutes …', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7].map((attempts) => {
      const under = begun(waiting(), 'P', null, NOW)
      const outcome = outcomes.notInDoubt as Outcome
      const after = finished(under, waiting(), outcome, { now: NOW, random: 1, attempts })
      return ((after.next_at ?? 0) - NOW) / 1_000
    })
    expect(waits).toEqual([15, 60, 240, 960, 3_840, 15_360, 61_440])
  })

  test('waits as long as the answer asks', () => {
    const under = begun(waiting(), 'P', null, NOW)
    const outcome: Outcome = { ...retry, inDoubt: true, afterMs: 90_000 }
    expect(finished(under, waiting(), outcome, { ...facts, now: NOW }).next_at).toBe(NOW + 90_000)
  })

  test('P54: has its last chance a minute before the 23 hours are over', () => {
    const since = NOW - 22.5 * HOUR_MS
    const row = waiting({ ...doubt, doubt_since: since })
    const outcome: Outcome = { ...retry, inDoubt: true, afterMs: 5 * HOUR_MS }
    const after = finished(begun(row, 'P', null, NOW), row, outcome, { ...facts, now: NOW })
    expect(after.next_at).toBe(since + SAFE_TO_REPEAT_MS - 60_000)
  })

  test('P56: whose answer comes after the provider’s word changes nothing but the id', () => {
    const told = waiting({ state: 'delivered', next_at: null, word: 'delivered' })
    for (const outcome of Object.values(outcomes)) {
      const after = finished(told, waiting(), outcome, facts)
      expect(after).toEqual({
        ...told,
        provider_id: outcome.kind === 'sent' ? outcome.providerId : null,
      })
    }
  })

  test('keeps no error longer than a thousand characters', () => {
    const outcome: Outcome = { kind: 'refused', error: 'x'.repeat(100_000) }
    const after = finished(begun(waiting(), 'P', null, NOW), waiting(), outcome, facts)
    expect(after.last_error).toHaveLength(1_000)
    expect(after.history.length).toBeLessThan(1_000)
  })
})

describe('in doubt', () => {
  test.each(['failed', 'queued', 'parked'] as const)(
    'P54: a delivery that is %s is unknown after 23 hours, and keeps nothing to repeat',
    (state) => {
      const row = waiting({ ...doubt, state, doubt_since: NOW - SAFE_TO_REPEAT_MS, batch: 'b' })
      expect(overdue(row, NOW)).toMatchObject({
        state: 'unknown',
        doubt_since: null,
        payload: null,
        batch: null,
        next_at: null,
      })
    },
  )

  test('P57: one that is suppressed says that it may have gone out', () => {
    const row = waiting({ ...doubt, doubt_since: NOW })
    expect(setAside(row, 'suppressed', 'They said no.', NOW)).toMatchObject({
      state: 'suppressed',
      doubt_since: NOW,
      last_error: 'They said no. An earlier attempt may have gone out.',
    })
  })
})
