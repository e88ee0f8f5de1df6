import { describe, expect, it } from 'vitest'
import { type Loading, type LoadingEvent, load } from '../../client/sdk/loading.ts'
import type { Row } from '../../protocol/change.ts'
import { inserted, oversize } from './world.ts'

const read = {
  rows: new Map<string, Row>([['{"id":1}', { id: 1 }]]),
  partial: new Set<string>(),
  key: ['id'],
}
const boom = new Error('boom')
const large = oversize(7, 'update', { id: 7 })

const loadings = {
  unconnected: { state: 'unconnected' },
  'reading the first': { state: 'reading', run: 3, attempt: 2, because: 'start', missed: [] },
  'reading again': {
    state: 'reading',
    run: 3,
    attempt: 1,
    because: 'pruned',
    missed: [[inserted(5)]],
  },
  'reading, a large row missed': {
    state: 'reading',
    run: 3,
    attempt: 1,
    because: 'pruned',
    missed: [[large]],
  },
  'failing at first': {
    state: 'failing',
    run: 3,
    attempt: 2,
    because: 'start',
    retryInMs: 9,
    error: boom,
  },
  'failing again': {
    state: 'failing',
    run: 3,
    attempt: 2,
    because: 'oversize',
    retryInMs: 9,
    error: boom,
  },
  current: { state: 'current', run: 3 },
} satisfies Record<string, Loading>

const events = {
  connected: { type: 'connected' },
  reset: { type: 'reset', reason: 'ahead' },
  'another key': { type: 'reset', reason: 'key' },
  'a change': { type: 'changes', changes: [inserted(6)] },
  'a large change': { type: 'changes', changes: [inserted(6), large] },
  'its snapshot': { type: 'snapshot', run: 3, read },
  'a snapshot of before': { type: 'snapshot', run: 2, read },
  'its failure': { type: 'failure', run: 3, error: boom, random: 0.5 },
  'a failure of before': { type: 'failure', run: 2, error: boom, random: 0.5 },
  'its retry': { type: 'retry', run: 3 },
  'a retry of before': { type: 'retry', run: 2 },
} satisfies Record<string, LoadingEvent<Row>>

/** run, attempt, because and the offsets missed, of a read; then the effects. */
const read4 = (because: string, attempt = 1) => `reading 4 attempt ${attempt} ${because} [], read 4`
const stale = (at: string) => ({
  'a snapshot of before': at,
  'a failure of before': at,
  'a retry of before': at,
})

const table: Record<keyof typeof loadings, Record<keyof typeof events, string>> = {
  unconnected: {
    ...stale('unconnected'),
    connected: 'reading 1 attempt 1 start [], read 1',
    reset: 'reading 1 attempt 1 start [], read 1',
    'another key': 'reading 1 attempt 1 start [], read 1',
    'a change': 'unconnected',
    'a large change': 'unconnected',
    'its snapshot': 'unconnected',
    'its failure': 'unconnected',
    'its retry': 'unconnected',
  },
  'reading the first': {
    ...stale('reading 3 attempt 2 start []'),
    connected: 'reading 3 attempt 2 start []',
    reset: read4('start'),
    'another key': read4('start'),
    'a change': 'reading 3 attempt 2 start [6]',
    'a large change': 'reading 3 attempt 2 start [6,7]',
    'its snapshot': 'current, replace []',
    'its failure': 'failing attempt 2 start, retry_in 3 250',
    'its retry': 'reading 3 attempt 2 start []',
  },
  'reading again': {
    ...stale('reading 3 attempt 1 pruned [5]'),
    connected: 'reading 3 attempt 1 pruned [5]',
    reset: read4('ahead'),
    'another key': read4('key'),
    'a change': 'reading 3 attempt 1 pruned [5,6]',
    'a large change': 'reading 3 attempt 1 pruned [5,6,7]',
    'its snapshot': 'current, replace [5]',
    'its failure': 'failing attempt 1 pruned, retry_in 3 125',
    'its retry': 'reading 3 attempt 1 pruned [5]',
  },
  'reading, a large row missed': {
    ...stale('reading 3 attempt 1 pruned [7]'),
    connected: 'reading 3 attempt 1 pruned [7]',
    reset: read4('ahead'),
    'another key': read4('key'),
    'a change': 'reading 3 attempt 1 pruned [7,6]',
    'a large change': 'reading 3 attempt 1 pruned [7,6,7]',
    // What was read is shown; the large row may not be in it, so it is read again.
    'its snapshot': 'reading 4 attempt 1 oversize [], replace [7], read 4',
    'its failure': 'failing attempt 1 pruned, retry_in 3 125',
    'its retry': 'reading 3 attempt 1 pruned [7]',
  },
  'failing at first': {
    ...stale('failing attempt 2 start'),
    connected: 'failing attempt 2 start',
    reset: read4('start'),
    'another key': read4('start'),
    // The next read will have it.
    'a change': 'failing attempt 2 start',
    'a large change': 'failing attempt 2 start',
    'its snapshot': 'failing attempt 2 start',
    'its failure': 'failing attempt 2 start',
    'its retry': read4('start', 3),
  },
  'failing again': {
    ...stale('failing attempt 2 oversize'),
    connected: 'failing attempt 2 oversize',
    reset: read4('ahead'),
    'another key': read4('key'),
    'a change': 'failing attempt 2 oversize',
    'a large change': 'failing attempt 2 oversize',
    'its snapshot': 'failing attempt 2 oversize',
    'its failure': 'failing attempt 2 oversize',
    'its retry': read4('oversize', 3),
  },
  current: {
    ...stale('current'),
    connected: 'current',
    reset: read4('ahead'),
    'another key': read4('key'),
    'a change': 'current',
    'a large change': read4('oversize'),
    'its snapshot': 'current',
    'its failure': 'current',
    'its retry': 'current',
  },
}

describe('loading, state by event', () => {
  for (const [name, loading] of Object.entries(loadings) as [keyof typeof loadings, Loading][])
    for (const [what, event] of Object.entries(events) as [
      keyof typeof events,
      LoadingEvent<Row>,
    ][])
      it(`${name}: ${what}`, () => {
        const [next, effects] = load(loading, event)
        const said = effects.map((effect) => {
          if (effect.do === 'read') return `read ${effect.run}`
          return effect.do === 'retry_in'
            ? `retry_in ${effect.run} ${effect.ms}`
            : `replace ${offsets(effect.missed)}`
        })
        expect([place(next), ...said].join(', ')).toBe(table[name][what])
      })
})

function place(loading: Loading): string {
  if (loading.state === 'reading') {
    const { run, attempt, because, missed } = loading
    return `reading ${run} attempt ${attempt} ${because} ${offsets(missed)}`
  }
  return loading.state === 'failing'
    ? `failing attempt ${loading.attempt} ${loading.because}`
    : loading.state
}

function offsets(missed: readonly (readonly { offset: number }[])[]): string {
  return JSON.stringify(missed.flat().map(({ offset }) => offset))
}
