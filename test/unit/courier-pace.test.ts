import { describe, expect, test } from 'vitest'
import { type Answer, forAll } from '../../worker/courier/outcome.ts'
import { AT_EASE, afterAnswer, type Pace } from '../../worker/courier/pace.ts'
import { NOW } from './courier-row.ts'

const down = { kind: 'retry', inDoubt: true, down: true, afterMs: null, error: '503' } as const
const MINUTE_MS = 60_000

function paceAfter(pace: Pace, answer: Answer, random = 1): Pace {
  return afterAnswer(pace, answer, NOW, random)
}

describe('P55: the courier', () => {
  test('in trouble waits twice as long each time, up to a quarter of an hour', () => {
    let pace = AT_EASE
    const waits = Array.from({ length: 12 }, () => {
      pace = paceAfter(pace, forAll(down, 1, 0))
      return (pace.until - NOW) / 1_000
    })
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900])
    expect(pace.why).toBe('503')
  })

  test.each([
    { kind: 'sent', providerId: null },
    { kind: 'refused', error: '' },
    { ...down, down: false },
  ] as const)('is at ease again once the provider answers: $kind', (outcome) => {
    const troubled = { until: 0, failures: 7, why: '503' }
    expect(paceAfter(troubled, forAll(outcome, 1, 100))).toEqual({
      until: NOW + 100,
      failures: 0,
      why: null,
    })
  })

  test('waits at least as long as the pace asks, and as the answer does', () => {
    expect(paceAfter(AT_EASE, forAll(down, 1, 3_000), 0).until).toBe(NOW + 3_000)
    const asked = { ...down, afterMs: 90_000 }
    expect(paceAfter(AT_EASE, forAll(asked, 1, 0)).until).toBe(NOW + 90_000)
  })

  test('holds as long as it is told, an hour at most', () => {
    const hold = (afterMs: number) => forAll({ kind: 'hold', afterMs, error: '429' }, 3, 0)
    expect(paceAfter(AT_EASE, hold(1_000))).toEqual({ until: NOW + 1_000, failures: 0, why: '429' })
    expect(paceAfter(AT_EASE, hold(9e9)).until).toBe(NOW + 60 * MINUTE_MS)
  })

  test('told to hold and not how long, waits longer each time', () => {
    const hold = forAll({ kind: 'hold', afterMs: null, error: '429' }, 1, 0)
    const first = paceAfter(AT_EASE, hold)
    expect(first.until).toBe(NOW + 1_000)
    expect(paceAfter(first, hold).until).toBe(NOW + 2_000)
  })
})
