import { describe, expect, test } from 'vitest'
import { deliveryStates } from '../../protocol/delivery-states.ts'
import { SAFE_TO_REPEAT_MS } from '../../worker/courier/attempt.ts'
import { cancelled, redriven } from '../../worker/courier/by-hand.ts'
import { HISTORY_MAX, hasHeard, readHistory, withEntry } from '../../worker/courier/history.ts'
import { keyOf, parcelOf, readTag } from '../../worker/courier/row.ts'
import { HOUR_MS, NOW, waiting } from './courier-row.ts'

const REDRIVABLE = ['bounced', 'suppressed', 'cancelled', 'unknown', 'parked']

describe('a redrive', () => {
  test.each(deliveryStates)('of one that is %s', (state) => {
    const row = waiting({ state, next_at: null, attempts: 3, provider_id: 're_1', word: 'bounced' })
    const after = redriven(row, NOW)
    if (!REDRIVABLE.includes(state)) return expect(after).toBeNull()
    expect(after).toMatchObject({
      state: 'queued',
      attempts: 0,
      next_at: NOW,
      forget_at: null,
      round: 1,
      provider_id: null,
      word: null,
    })
  })

  test('P54: in doubt makes the same request within 23 hours, and a new one after them', () => {
    const row = waiting({
      ...{ state: 'parked', next_at: null, attempts: 8, alone: 1, payload: 'P', batch: 'batch/1' },
      doubt_since: NOW,
    })
    const within = redriven(row, NOW + SAFE_TO_REPEAT_MS - 1)
    expect(within).toMatchObject({
      ...{ state: 'queued', attempts: 0, round: 0, payload: 'P', batch: 'batch/1', alone: 1 },
      doubt_since: NOW,
    })
    const after = redriven(row, NOW + SAFE_TO_REPEAT_MS)
    expect(after).toMatchObject({ round: 1, payload: null, batch: null, doubt_since: null })
    expect(after && keyOf(after)).toBe(`${row.base_key}/1`)
    expect(after && parcelOf(after).tag).toBe(`${row.tag}-1`)
  })

  test('P54: does not take out of a batch what others must repeat', () => {
    const row = waiting({ state: 'bounced', next_at: null, batch: 'batch/1', payload: 'P' })
    expect(redriven(row, NOW)).toBeNull()
  })
})

describe('cancelling', () => {
  test.each(deliveryStates)('one that is %s', (state) => {
    const may = state === 'queued' || state === 'failed'
    const { outcome, row } = cancelled(waiting({ state, payload: 'P' }), NOW)
    expect(outcome).toBe(may ? 'cancelled' : 'too_late')
    expect(row.state).toBe(may ? 'cancelled' : state)
    if (may) expect(row).toMatchObject({ next_at: null, payload: null })
  })

  test.each(['queued', 'failed'] as const)('one that is %s and may have gone out', (state) => {
    const row = waiting({ state, doubt_since: NOW - HOUR_MS })
    expect(cancelled(row, NOW)).toEqual({ outcome: 'too_late', row })
  })
})

describe('a tag', () => {
  const { tag } = waiting()
  test.each([
    [tag, { tag, round: 0 }],
    [`${tag}-1`, { tag, round: 1 }],
    [`${tag}-12`, { tag, round: 12 }],
    [`${tag}-`, null],
    [tag.slice(0, -1), null],
    ['', null],
  ])('%s is read as %j', (text, read) => {
    expect(readTag(text)).toEqual(read)
  })
})

test('a history keeps its newest fifty entries, each short', () => {
  let history = '[]'
  for (let n = 0; n < 80; n++)
    history = withEntry(history, 'opened', NOW + n, 'x'.repeat(9_999), `event-${n}`)
  expect(readHistory(history, NOW)).toHaveLength(HISTORY_MAX + 1)
  expect(hasHeard(history, 'event-79')).toBe(true)
  expect(hasHeard(history, 'event-29')).toBe(false)
  expect(history.length).toBeLessThan(40_000)
})
