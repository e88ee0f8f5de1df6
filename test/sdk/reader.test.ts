import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Heard,
  parseFrame,
  positionOf,
  type Reader,
  type ReaderEffect,
  read,
  startOf,
  startReader,
} from '../../client/sdk/reader.ts'
import type { Change } from '../../protocol/change.ts'
import { changes, hello, inserted, reset } from './world.ts'

/** Every kind of start and standing: a missing row or cell does not compile. */
const readers = {
  'greeting from now on': startReader(null),
  'greeting from an offset': startReader({ epoch: null, offset: 5 }),
  'greeting from a position': startReader({ epoch: 'a', offset: 5 }),
  'following at a:5': { state: 'following', position: { epoch: 'a', offset: 5 } },
} satisfies Record<string, Reader>

const frames = {
  'hello at mine': hello('a', 5),
  'hello of another epoch': hello('b', 9),
  'changes that join': changes('a', 5, [inserted(6), inserted(8)], 9),
  'changes that overlap': changes('a', 3, [inserted(4), inserted(5), inserted(6)], 7),
  'changes had before': changes('a', 3, [inserted(4)], 5),
  'changes beyond': changes('a', 6, [inserted(7)]),
  'changes of another epoch': changes('b', 5, [inserted(6)]),
  'a heartbeat': changes('a', 5, []),
  'a move without changes': changes('a', 5, [], 8),
  'offsets out of order': changes('a', 5, [inserted(7), inserted(6)], 9),
  'an offset after through': changes('a', 5, [inserted(7)], 6),
  reset: reset('b', 20, 'pruned'),
  malformed: { type: 'malformed', detail: 'it is not JSON: <' },
} satisfies Record<string, Heard>

type Outcome = {
  at: string
  effects: readonly (ReaderEffect['do'] | `${string}…`)[]
  offsets?: number[]
}

const atFive = { at: 'greeting a:5' }
const early = { at: '', effects: ['lose malformed…'] } as const
const gap = { ...atFive, effects: ['lose gap…'] } as const
const misread = { ...atFive, effects: ['lose malformed…'] } as const
const wasReset = { at: 'following b:20', effects: ['reset'] } as const
const greetedByReset = { at: 'following b:20', effects: ['greet', 'reset'] } as const

/** What changes and malformed frames do before hello, from whichever start. */
function beforeHello(at: string) {
  const lost = { ...early, at }
  return {
    'changes that join': lost,
    'changes that overlap': lost,
    'changes had before': lost,
    'changes beyond': lost,
    'changes of another epoch': lost,
    'a heartbeat': lost,
    'a move without changes': lost,
    'offsets out of order': lost,
    'an offset after through': lost,
    reset: greetedByReset,
    malformed: lost,
  } as const
}

const table: Record<keyof typeof readers, Record<keyof typeof frames, Outcome>> = {
  'greeting from now on': {
    'hello at mine': { at: 'following a:5', effects: ['greet'] },
    'hello of another epoch': { at: 'following b:9', effects: ['greet'] },
    ...beforeHello('greeting now'),
  },
  'greeting from an offset': {
    'hello at mine': { at: 'following a:5', effects: ['greet'] },
    // The offset belongs to whichever epoch is current; the hello does not move it.
    'hello of another epoch': { at: 'following b:5', effects: ['greet'] },
    ...beforeHello('greeting ?:5'),
  },
  'greeting from a position': {
    'hello at mine': { at: 'following a:5', effects: ['greet'] },
    'hello of another epoch': { at: 'following a:5', effects: ['greet'] },
    ...beforeHello('greeting a:5'),
  },
  'following at a:5': {
    'hello at mine': misread,
    'hello of another epoch': misread,
    'changes that join': { at: 'following a:9', effects: ['deliver'], offsets: [6, 8] },
    'changes that overlap': { at: 'following a:7', effects: ['deliver'], offsets: [6] },
    'changes had before': { at: 'following a:5', effects: [] },
    'changes beyond': gap,
    'changes of another epoch': gap,
    'a heartbeat': { at: 'following a:5', effects: [] },
    'a move without changes': { at: 'following a:8', effects: [] },
    'offsets out of order': misread,
    'an offset after through': misread,
    reset: wasReset,
    malformed: misread,
  },
}

describe('the reader, state by frame', () => {
  for (const [name, reader] of Object.entries(readers) as [keyof typeof readers, Reader][])
    for (const [frame, heard] of Object.entries(frames) as [keyof typeof frames, Heard][])
      it(`${name} hears ${frame}`, () => {
        const [next, effects] = read(reader, heard)
        const delivered = effects.flatMap((effect) =>
          effect.do === 'deliver' ? effect.changes : [],
        )
        expect({
          at: place(next),
          effects: effects.map(effectName),
          offsets: offsets(delivered),
        }).toEqual({
          offsets: [],
          ...table[name][frame],
        })
      })
})

describe('the reader', () => {
  it('P32 hands over every offset once and in order, however frames repeat, overlap or go missing', () => {
    const someFrames = fc.array(fc.tuple(fc.nat(30), fc.nat(8)), { minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(fc.nat(10), someFrames, (start, ranges) => {
        let reader: Reader = { state: 'following', position: { epoch: 'a', offset: start } }
        const got: number[] = []
        for (const [after, length] of ranges) {
          const list = Array.from({ length }, (_, index) => inserted(after + index + 1))
          const [next, effects] = read(reader, changes('a', after, list) as Heard)
          for (const effect of effects)
            if (effect.do === 'deliver') got.push(...offsets(effect.changes))
          // A lost socket is followed by one that begins where the reader stands.
          const from = startOf(next)
          reader = next.state === 'following' ? next : read(next, hello('a', from?.offset ?? 0))[0]
        }
        const through = positionOf(reader)?.offset ?? 0
        expect(got).toEqual(
          Array.from({ length: through - start }, (_, index) => start + index + 1),
        )
      }),
    )
  })

  it('P34 stands, after a reset, where the server says, and asks from there', () => {
    const [next] = read(readers['following at a:5'], frames.reset)
    expect(positionOf(next)).toEqual({ epoch: 'b', offset: 20 })
    expect(startOf(next)).toEqual({ epoch: 'b', offset: 20 })
  })

  it('asks after a gap from its own position', () => {
    const [next] = read(readers['following at a:5'], frames['changes beyond'])
    expect(startOf(next)).toEqual({ epoch: 'a', offset: 5 })
  })
})

describe('a frame is parsed once, by the schema', () => {
  it.each([
    ['binary', new ArrayBuffer(4), 'it is not text'],
    ['no JSON', '<html>', 'it is not JSON: <html>'],
    ['null', 'null', /expected object/i],
    ['an unknown type', '{"type":"snapshot"}', /type/],
    ['another protocol', '{"type":"hello","protocol":2,"epoch":"a","after":1}', /protocol/],
    ['a negative offset', '{"type":"reset","reason":"ahead","epoch":"a","head":-1}', /head/],
    ['a change without a table', changesText({ ...inserted(6), table: '' }), /changes\.0\.table/],
    ['an unsafe offset', '{"type":"hello","protocol":1,"epoch":"a","after":1e300}', /after/],
  ])('%s is malformed and says why', (_, data, detail) => {
    const heard = parseFrame(data)
    expect(heard.type).toBe('malformed')
    expect(heard.type === 'malformed' && heard.detail).toMatch(detail)
  })

  it('reads what is well formed, and drops what it does not know', () => {
    const heard = parseFrame(JSON.stringify({ ...hello('a', 5), later: true }))
    expect(heard).toEqual(hello('a', 5))
  })
})

function place(reader: Reader): string {
  const start = startOf(reader)
  return `${reader.state} ${start === null ? 'now' : `${start.epoch ?? '?'}:${start.offset}`}`
}

function effectName(effect: ReaderEffect): string {
  return effect.do === 'lose' ? `lose ${effect.reason.kind}…` : effect.do
}

function offsets(list: readonly Change[]): number[] {
  return list.map(({ offset }) => offset)
}

function changesText(change: Change): string {
  return JSON.stringify(changes('a', 5, [change]))
}
