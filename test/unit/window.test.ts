import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ACK_WITHIN } from '../../protocol/acknowledgement.ts'
import { type Limits, limitsFor, WINDOW_BYTES } from '../../worker/shard/limits.ts'
import { PATIENCE_MS, Window } from '../../worker/shard/window.ts'

const NOW = 1_000_000
const KB = 1024
const limits: Limits = { ...limitsFor(1_000, 0), windowBytes: 100 * KB }
const at = (offset: number, epoch = 'a') => ({ epoch, offset })

const twoFrames = () => sent(new Window(null), [at(40), 60 * KB], [at(41), 60 * KB])

/** Each state, with the moments that make a difference. Frames of 60 KB are counted each by itself. */
const states = {
  'nothing sent': () => new Window(null),
  'woken at 40': () => new Window(at(40)),
  'sent to 40, 60 KB': () => sent(new Window(null), [at(40), 60 * KB]),
  'sent to 41, 120 KB': twoFrames,
  'the same, and waiting': () => waiting(twoFrames(), NOW - PATIENCE_MS + 1),
  'the same, and out of patience': () => waiting(twoFrames(), NOW - PATIENCE_MS),
  'sent to 41, then reset to b:3': () => sent(twoFrames(), [at(3, 'b'), 100]),
  'sent to 41, then reset to a:7': () => sent(twoFrames(), [at(7), 100]),
} satisfies Record<string, () => Window>

const events = {
  'asked for room': (window: Window) => window.room(limits, NOW).kind,
  'another frame of 10 KB': (window: Window) => void window.sent(at(60), 10 * KB),
  'acknowledges a:39': (window: Window) => window.acknowledge(at(39)),
  'acknowledges a:40': (window: Window) => window.acknowledge(at(40)),
  'acknowledges a:41': (window: Window) => window.acknowledge(at(41)),
  'acknowledges b:3': (window: Window) => window.acknowledge(at(3, 'b')),
  'acknowledges z:0': (window: Window) => window.acknowledge(at(0, 'z')),
} satisfies Record<string, (window: Window) => unknown>

type Answer = 'room' | 'none' | 'too_slow' | true | false | undefined
/** What it answers, and what is outstanding then, in KB. */
type Cell = [Answer, number]
const sending = (kb: number): Cell => [undefined, kb]
const takes = (kb: number): Cell => [true, kb]
const never = (kb: number): Cell => [false, kb]

const table: Record<keyof typeof states, Record<keyof typeof events, Cell>> = {
  'nothing sent': {
    'asked for room': ['room', 0],
    'another frame of 10 KB': sending(10),
    'acknowledges a:39': never(0),
    'acknowledges a:40': never(0),
    'acknowledges a:41': never(0),
    'acknowledges b:3': never(0),
    'acknowledges z:0': never(0),
  },
  'woken at 40': {
    'asked for room': ['room', 0],
    'another frame of 10 KB': sending(10),
    'acknowledges a:39': takes(0),
    'acknowledges a:40': takes(0),
    'acknowledges a:41': never(0),
    'acknowledges b:3': takes(0),
    'acknowledges z:0': takes(0),
  },
  'sent to 40, 60 KB': {
    'asked for room': ['room', 60],
    'another frame of 10 KB': sending(70),
    'acknowledges a:39': takes(60),
    'acknowledges a:40': takes(0),
    'acknowledges a:41': never(60),
    'acknowledges b:3': takes(60),
    'acknowledges z:0': takes(60),
  },
  'sent to 41, 120 KB': {
    'asked for room': ['none', 120],
    'another frame of 10 KB': sending(130),
    'acknowledges a:39': takes(120),
    'acknowledges a:40': takes(60),
    'acknowledges a:41': takes(0),
    'acknowledges b:3': takes(120),
    'acknowledges z:0': takes(120),
  },
  'the same, and waiting': {
    'asked for room': ['none', 120],
    'another frame of 10 KB': sending(130),
    'acknowledges a:39': takes(120),
    'acknowledges a:40': takes(60),
    'acknowledges a:41': takes(0),
    'acknowledges b:3': takes(120),
    'acknowledges z:0': takes(120),
  },
  'the same, and out of patience': {
    'asked for room': ['too_slow', 120],
    'another frame of 10 KB': sending(130),
    'acknowledges a:39': takes(120),
    'acknowledges a:40': takes(60),
    'acknowledges a:41': takes(0),
    'acknowledges b:3': takes(120),
    'acknowledges z:0': takes(120),
  },
  'sent to 41, then reset to b:3': {
    'asked for room': ['none', 120.1],
    'another frame of 10 KB': sending(130.1),
    'acknowledges a:39': takes(120.1),
    'acknowledges a:40': takes(120.1),
    'acknowledges a:41': takes(120.1),
    'acknowledges b:3': takes(0),
    'acknowledges z:0': takes(120.1),
  },
  'sent to 41, then reset to a:7': {
    'asked for room': ['none', 120.1],
    'another frame of 10 KB': sending(130.1),
    'acknowledges a:39': takes(0),
    'acknowledges a:40': takes(0),
    'acknowledges a:41': takes(0),
    'acknowledges b:3': takes(120.1),
    'acknowledges z:0': takes(120.1),
  },
}

describe('P38 a window', () => {
  const cells = Object.entries(table).flatMap(([state, row]) =>
    Object.entries(row).map(([event, cell]) => [state, event, ...cell] as const),
  )
  it.each(cells)('%s: %s → %s, %d KB', (state, event, answer, outstandingKb) => {
    const window = states[state as keyof typeof states]()
    expect(events[event as keyof typeof events](window)).toBe(answer)
    expect(window.outstandingBytes / KB).toBeCloseTo(outstandingKb, 1)
  })

  it('has patience from when it first had no room, and anew after each acknowledgement', () => {
    const window = twoFrames()
    window.sent(at(42), 60 * KB)
    expect(window.room(limits, NOW)).toEqual({ kind: 'none', ms: PATIENCE_MS })
    expect(window.room(limits, NOW + 10_000)).toEqual({ kind: 'none', ms: PATIENCE_MS - 10_000 })
    window.acknowledge(at(40))
    expect(window.room(limits, NOW + 29_000)).toEqual({ kind: 'none', ms: PATIENCE_MS })
    // One that brings it no further buys no time.
    window.acknowledge(at(40))
    expect(window.room(limits, NOW + 59_000)).toMatchObject({ kind: 'too_slow' })
    window.acknowledge(at(42))
    expect(window.room(limits, NOW + 60_000)).toEqual({ kind: 'room' })
  })

  it('P39 keeps few counts, however many small frames there are', () => {
    const window = new Window(at(0))
    for (let offset = 1; offset <= 2_000; offset++) window.sent(at(offset), 100)
    window.acknowledge(at(1_000))
    // What was counted together with later frames is not given free before those.
    const kept = window.outstandingBytes
    expect(kept).toBeGreaterThanOrEqual(100_000)
    expect(kept).toBeLessThan(100_000 + WINDOW_BYTES / 16 + 100)
  })

  it('P38 one that reads and acknowledges as it must is never left waiting', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 50, max: 700 * KB }), { minLength: 1, maxLength: 200 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (frames, share) => {
          const window = new Window(at(0))
          let unsaid = 0
          for (const [index, bytes] of frames.entries()) {
            expect(window.room({ ...limits, windowBytes: WINDOW_BYTES }, NOW).kind).toBe('room')
            window.sent(at(index + 1), bytes)
            unsaid += bytes
            if (unsaid < WINDOW_BYTES * ACK_WITHIN * share) continue
            expect(window.acknowledge(at(index + 1))).toBe(true)
            unsaid = 0
          }
        },
      ),
    )
  })

  it('P39 never more than a window and one frame is outstanding, whatever is acknowledged', () => {
    const step = fc.record({
      bytes: fc.integer({ min: 50, max: 200 * KB }),
      back: fc.option(fc.nat(20), { nil: null }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const window = new Window(at(0))
        const frames: number[] = []
        let taken = 0
        for (const { bytes, back } of steps) {
          if (window.room(limits, NOW).kind === 'room') {
            frames.push(bytes)
            window.sent(at(frames.length), bytes)
          }
          if (back !== null) {
            const offset = Math.max(0, frames.length - back)
            taken = Math.max(taken, offset)
            window.acknowledge(at(offset))
          }
          const truly = frames.slice(taken).reduce((sum, each) => sum + each, 0)
          expect(truly).toBeLessThanOrEqual(window.outstandingBytes)
          expect(truly).toBeLessThanOrEqual(limits.windowBytes + Math.max(0, ...frames))
        }
      }),
    )
  })
})

function sent(window: Window, ...frames: [ReturnType<typeof at>, number][]): Window {
  for (const [position, bytes] of frames) window.sent(position, bytes)
  return window
}

function waiting(window: Window, since: number): Window {
  window.room(limits, since)
  return window
}
