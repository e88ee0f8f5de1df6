import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fullJitter } from '../../protocol/backoff.ts'

const backoff = { baseMs: 250, capMs: 10_000 }

describe('fullJitter', () => {
  test('its ceiling doubles with each failure, up to the cap', () => {
    const ceilings = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => fullJitter(n, backoff, 1))
    expect(ceilings).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
  })

  test('it goes all the way down to nothing', () => {
    expect(fullJitter(9, backoff, 0)).toBe(0)
  })

  test('it stays within its bounds whatever the attempt and the chance', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.record({
          baseMs: fc.integer({ min: 1, max: 10_000 }),
          capMs: fc.integer({ min: 1, max: 600_000 }),
        }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempt, bounds, random) => {
          const waitMs = fullJitter(attempt, bounds, random)
          expect(Number.isInteger(waitMs)).toBe(true)
          expect(waitMs).toBeGreaterThanOrEqual(0)
          expect(waitMs).toBeLessThanOrEqual(bounds.capMs)
        },
      ),
    )
  })
})
