import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  afterFailure,
  afterSuccess,
  type ConsumerState,
  MAX_ATTEMPTS,
  whileUnready,
} from '../../worker/feed/consumer.ts'

const facts = { error: 'no', now: 1_000, random: 0.5 }
const well: ConsumerState = { offset: 10, trouble: null }

describe('a consumer', () => {
  it('P40 moves on with what it handled', () => {
    expect(afterSuccess(well, { through: 15, count: 5 })).toEqual({ offset: 15, trouble: null })
  })

  it('P41 keeps its place after a failure and waits with backoff', () => {
    const { kind, state } = afterFailure(well, { through: 15, count: 5 }, facts)
    expect({ kind, state }).toEqual({
      kind: 'retry',
      state: { offset: 10, trouble: { through: 15, attempts: 1, retryAt: 1_250, error: 'no' } },
    })
  })

  it('P41 goes one by one, without waiting, to where the failed page ended', () => {
    const { state } = afterFailure(well, { through: 12, count: 2 }, facts)
    const next = afterSuccess(state, { through: 11, count: 1 })
    expect(next).toEqual({
      offset: 11,
      trouble: { through: 12, attempts: 0, retryAt: 0, error: null },
    })
    expect(afterSuccess(next, { through: 12, count: 1 })).toEqual({ offset: 12, trouble: null })
  })

  it('P41 never parks a page, only a single change', () => {
    let state = well
    for (let failure = 0; failure < 3 * MAX_ATTEMPTS; failure++) {
      const verdict = afterFailure(state, { through: 15, count: 5 }, facts)
      expect(verdict.kind).toBe('retry')
      state = verdict.state
    }
  })

  it('P41 what it lacks itself costs the change no attempt, however often it is missed', () => {
    const waiting = whileUnready(well, facts)
    expect(waiting).toEqual({
      offset: 10,
      trouble: { through: 10, attempts: 0, retryAt: 4_750, error: 'no' },
    })
    expect(afterSuccess(waiting, { through: 11, count: 1 })).toEqual({ offset: 11, trouble: null })

    let state = well
    for (let failure = 1; failure <= MAX_ATTEMPTS; failure++) {
      for (let missed = 0; missed < failure; missed++) state = whileUnready(state, facts)
      const verdict = afterFailure(state, { through: 11, count: 1 }, facts)
      expect(verdict.kind).toBe(failure === MAX_ATTEMPTS ? 'park' : 'retry')
      state = verdict.state
    }
    expect(state).toEqual({ offset: 11, trouble: null })
  })

  it('P40 P41 passes each change once, and parks exactly the poisonous ones', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 5 }),
        fc.integer({ min: 1, max: 12 }),
        (head, poison, pageSize) => {
          const handled: number[] = []
          const parked: number[] = []
          let state: ConsumerState = { offset: 0, trouble: null }
          for (let step = 0; state.offset < head; step++) {
            expect(step).toBeLessThan(1_000)
            const count = state.trouble ? 1 : Math.min(pageSize, head - state.offset)
            const through = state.offset + count
            const page = Array.from({ length: count }, (_, i) => state.offset + 1 + i)
            if (page.some((offset) => poison.includes(offset))) {
              const verdict = afterFailure(state, { through, count }, facts)
              if (verdict.kind === 'park') parked.push(through)
              state = verdict.state
            } else {
              handled.push(...page)
              state = afterSuccess(state, { through, count })
            }
          }
          const all = Array.from({ length: head }, (_, i) => i + 1)
          expect(parked).toEqual(all.filter((offset) => poison.includes(offset)))
          expect(handled).toEqual(all.filter((offset) => !poison.includes(offset)))
        },
      ),
    )
  })
})
