import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Admission, Buckets, take } from '../../worker/doors/budget.ts'
import { KnownRefusals } from '../../worker/doors/known-refusals.ts'

const NOW = 1_795_300_000_000
const budget = fc.record({
  limit: fc.integer({ min: 1, max: 1_000 }),
  windowMs: fc.integer({ min: 100, max: 60_000 }),
})
/** Milliseconds between one request and the next. */
const pauses = fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 1, maxLength: 200 })

/** Asks for one after each pause. */
function askEach(pausesMs: number[], of: { limit: number; windowMs: number }) {
  let fullAt = 0
  let now = NOW
  return pausesMs.map((pauseMs): { at: number } & Admission => {
    now += pauseMs
    const [next, admission] = take(fullAt, of, 1, now)
    fullAt = next
    return { at: now, ...admission }
  })
}

describe('P101 a budget', () => {
  test('is spent one by one, and then refuses', () => {
    const of = { limit: 3, windowMs: 10_000 }
    const asked = askEach([0, 0, 0, 0], of)
    expect(asked.map(({ allowed, remaining }) => [allowed, remaining])).toEqual([
      [true, 2],
      [true, 1],
      [true, 0],
      [false, 0],
    ])
    expect(asked.at(-1)).toMatchObject({ limit: 3, retryMs: 3_334, resetMs: 10_000 })
  })

  test('in any stretch of time lets no more through than it holds and what fills it meanwhile', () => {
    fc.assert(
      fc.property(pauses, budget, (pausesMs, of) => {
        const passed = askEach(pausesMs, of).filter(({ allowed }) => allowed)
        for (const [first, { at: from }] of passed.entries())
          for (const [last, { at: to }] of passed.entries())
            if (last >= first)
              expect(last - first + 1).toBeLessThanOrEqual(
                of.limit + ((to - from) * of.limit) / of.windowMs + 1e-6,
              )
      }),
    )
  })

  test('lets in whoever comes back when it said, and refuses a millisecond before', () => {
    fc.assert(
      fc.property(pauses, budget, (pausesMs, of) => {
        let fullAt = 0
        let now = NOW
        for (const pauseMs of pausesMs) {
          now += pauseMs
          const [next, { allowed, retryMs }] = take(fullAt, of, 1, now)
          fullAt = next
          expect(retryMs > 0).toBe(!allowed)
          if (allowed) continue
          expect(take(fullAt, of, 1, now + retryMs)[1].allowed).toBe(true)
          expect(take(fullAt, of, 1, now + retryMs - 1)[1].allowed).toBe(false)
        }
      }),
    )
  })

  test('is full after a window in which nobody asked, and when it said', () => {
    fc.assert(
      fc.property(pauses, budget, (pausesMs, of) => {
        const last = askEach(pausesMs, of).at(-1)
        expect(last?.resetMs).toBeLessThanOrEqual(of.windowMs)
        const again = askEach([...pausesMs, last?.resetMs ?? 0], of).at(-1)
        expect(again).toMatchObject({ allowed: true, remaining: of.limit - 1 })
      }),
    )
  })

  test('is not emptied by a clock that is set back, for longer than a window', () => {
    const of = { limit: 2, windowMs: 1_000 }
    const [fullAt] = take(NOW + 1e9, of, 1, NOW)
    expect(take(fullAt, of, 1, NOW + 1_000)[1].allowed).toBe(true)
  })

  test('is not beyond reach of what costs more than it holds', () => {
    expect(take(0, { limit: 5, windowMs: 1_000 }, 50, NOW)[1]).toMatchObject({
      allowed: true,
      remaining: 0,
    })
  })
})

describe('P101 the buckets of many', () => {
  const names = fc.constantFrom('user:1', 'user:2', 'key:1', 'address:192.0.2.1')
  const of = { limit: 3, windowMs: 1_000 }

  test('are each as if it were alone', () => {
    const asks = fc.array(fc.tuple(names, fc.integer({ min: 0, max: 700 })), { maxLength: 200 })
    fc.assert(
      fc.property(asks, (each) => {
        const buckets = new Buckets(100)
        const alone = new Map<string, number>()
        let now = NOW
        for (const [name, pauseMs] of each) {
          now += pauseMs
          const [fullAt, expected] = take(alone.get(name) ?? 0, of, 1, now)
          alone.set(name, fullAt)
          expect(buckets.take(name, of, 1, now)).toEqual(expected)
        }
      }),
    )
  })

  test('are forgotten when they are full, and never more than may be kept', () => {
    const buckets = new Buckets(10)
    for (let each = 0; each < 100; each++) buckets.take(`user:${each}`, of, 1, NOW)
    expect(buckets.size).toBe(10)
    buckets.take('user:0', of, 1, NOW + of.windowMs)
    expect(buckets.size).toBe(1)
  })

  test('are forgotten in the order in which they were asked last', () => {
    const buckets = new Buckets(2)
    for (const name of ['often', 'once', 'often', 'new']) buckets.take(name, of, 1, NOW)
    expect(buckets.take('often', of, 1, NOW).remaining).toBe(0)
  })
})

describe('P101 an isolate that knows of a refusal', () => {
  const of = { limit: 2, windowMs: 10_000 }

  test('says what the Doorkeeper would, until it may be asked again', () => {
    const [known, buckets] = [new KnownRefusals(10), new Buckets(10)]
    for (let each = 0; each < 3; each++) known.note('key:1', buckets.take('key:1', of, 1, NOW), NOW)
    for (const passedMs of [0, 1, 2_500, 4_999])
      expect(known.of('key:1', of, NOW + passedMs)).toEqual(
        buckets.take('key:1', of, 1, NOW + passedMs),
      )
    expect(known.of('key:1', of, NOW + 5_000)).toBeNull()
    expect(known.of('key:2', of, NOW)).toBeNull()
  })

  test('forgets it with the next admission', () => {
    const known = new KnownRefusals(10)
    const refused = { allowed: false, limit: 2, remaining: 0, resetMs: 10_000, retryMs: 5_000 }
    known.note('key:1', refused, NOW)
    known.note('key:1', { ...refused, allowed: true, retryMs: 0 }, NOW)
    expect(known.of('key:1', of, NOW)).toBeNull()
  })

  test('keeps no more of them than it may', () => {
    const known = new KnownRefusals(2)
    const refused = { allowed: false, limit: 2, remaining: 0, resetMs: 10_000, retryMs: 5_000 }
    for (const name of ['a', 'b', 'c']) known.note(name, refused, NOW)
    expect(['a', 'b', 'c'].map((name) => known.of(name, of, NOW) !== null)).toEqual([
      false,
      true,
      true,
    ])
  })
})
