import { describe, expect, test } from 'vitest'
import {
  afterLook,
  awake,
  type BellState,
  type Decision,
  dozing,
  type Look,
  SWEEP_MS,
} from '../../listener/bell.ts'

type Mode = BellState['mode']

const START = 1_000_000
const MARK = 50n

const from: Record<Mode, BellState> = {
  awake: awake(START),
  dozing: dozing(MARK, START),
  asleep: { mode: 'asleep', windowStart: START, heard: 0 },
  polling: { mode: 'polling' },
}

const quiet: Look = {
  now: START + 10,
  rows: 0,
  more: false,
  rings: 0,
  oldestRunning: MARK - 1n,
}

/** What a look can find, as far as anybody decides by it. */
const situations = {
  'nothing, while a writer from before the mark is under way': quiet,
  'nothing, and all from before the mark have ended': { ...quiet, oldestRunning: MARK },
  'rows, while a writer from before the mark is under way': { ...quiet, rows: 3 },
  'rows, and all from before the mark have ended': { ...quiet, rows: 3, oldestRunning: MARK },
  'more than it could take': { ...quiet, rows: 40, more: true, oldestRunning: MARK },
  'one ring and its row': { ...quiet, rows: 1, rings: 1, oldestRunning: MARK },
  'a ring whose row was found before': { ...quiet, rings: 1, oldestRunning: MARK },
  'a crowd of rings': { ...quiet, rows: 40, rings: 50, oldestRunning: MARK },
  'a crowd of rings over a long time': {
    ...{ ...quiet, now: START + 10_000 },
    ...{ rows: 49, rings: 49, oldestRunning: MARK },
  },
  'nothing for a whole window': { ...quiet, now: START + 500 },
  'few changes in a whole window': { ...quiet, now: START + 500, rows: 49 },
  'many changes in a whole window': { ...quiet, now: START + 500, rows: 50 },
} satisfies Record<string, Look>

type Outcome = [Mode, Decision['bell'], waitMs: number]
const SWEEP = SWEEP_MS

/** Complete: a cell that is missing does not compile. */
const table: Record<keyof typeof situations, Record<Mode, Outcome>> = {
  'nothing, while a writer from before the mark is under way': {
    awake: ['awake', null, 20],
    dozing: ['dozing', null, 25],
    asleep: ['asleep', null, SWEEP],
    polling: ['polling', null, 250],
  },
  'nothing, and all from before the mark have ended': {
    awake: ['awake', null, 20],
    dozing: ['asleep', null, SWEEP],
    asleep: ['asleep', null, SWEEP],
    polling: ['polling', null, 250],
  },
  'rows, while a writer from before the mark is under way': {
    awake: ['awake', null, 20],
    dozing: ['dozing', null, 25],
    asleep: ['asleep', null, SWEEP],
    polling: ['polling', null, 250],
  },
  'rows, and all from before the mark have ended': {
    awake: ['awake', null, 20],
    dozing: ['asleep', null, SWEEP],
    asleep: ['asleep', null, SWEEP],
    polling: ['polling', null, 250],
  },
  'more than it could take': {
    awake: ['awake', null, 0],
    dozing: ['dozing', null, 0],
    asleep: ['asleep', null, 0],
    polling: ['polling', null, 0],
  },
  'one ring and its row': {
    awake: ['awake', null, 20],
    dozing: ['asleep', null, SWEEP],
    asleep: ['asleep', null, SWEEP],
    polling: ['polling', null, 250],
  },
  'a ring whose row was found before': {
    awake: ['awake', null, 20],
    dozing: ['asleep', null, SWEEP],
    asleep: ['asleep', null, SWEEP],
    polling: ['polling', null, 250],
  },
  'a crowd of rings': {
    awake: ['awake', null, 50],
    dozing: ['awake', 'get up', 0],
    asleep: ['awake', 'get up', 0],
    polling: ['polling', null, 250],
  },
  'a crowd of rings over a long time': {
    awake: ['awake', 'lie down', 50],
    dozing: ['asleep', null, SWEEP],
    asleep: ['asleep', null, SWEEP],
    polling: ['polling', null, 250],
  },
  'nothing for a whole window': {
    awake: ['awake', 'lie down', 20],
    dozing: ['dozing', null, 25],
    asleep: ['asleep', null, SWEEP],
    polling: ['polling', null, 250],
  },
  'few changes in a whole window': {
    awake: ['awake', 'lie down', 50],
    dozing: ['dozing', null, 25],
    asleep: ['asleep', null, SWEEP],
    polling: ['polling', null, 250],
  },
  'many changes in a whole window': {
    awake: ['awake', null, 50],
    dozing: ['dozing', null, 25],
    asleep: ['asleep', null, SWEEP],
    polling: ['polling', null, 250],
  },
}

describe('the bell', () => {
  const cells = Object.entries(table).flatMap(([situation, row]) =>
    Object.entries(row).map(([mode, outcome]) => ({ situation, mode, outcome })),
  )

  test.each(cells)('P12 $mode, finding $situation', ({ situation, mode, outcome }) => {
    const look = situations[situation as keyof typeof situations]
    const { state, bell, waitMs } = afterLook(from[mode as Mode], look)
    expect([state.mode, bell, waitMs]).toEqual(outcome)
  })

  test('P11 rings that come a few at a time get it up once they are a crowd', () => {
    let state = from.asleep
    for (let n = 1; n < 50; n++) {
      const decision = afterLook(state, { ...quiet, now: START + n, rows: 1, rings: 1 })
      expect(decision.bell).toBeNull()
      state = decision.state
    }
    expect(afterLook(state, { ...quiet, now: START + 50, rows: 1, rings: 1 }).bell).toBe('get up')
  })

  test('rings of an earlier window do not count', () => {
    const { state } = afterLook(from.asleep, { ...quiet, rows: 1, rings: 49 })
    const later = { ...quiet, now: START + 200, rows: 1, rings: 49 }
    expect(afterLook(state, later)).toMatchObject({ bell: null, state: { mode: 'asleep' } })
  })

  test('changes of an earlier window do not keep it up', () => {
    const busy = afterLook(from.awake, { ...quiet, now: START + 500, rows: 1_000 })
    expect(busy.bell).toBeNull()
    expect(afterLook(busy.state, { ...quiet, now: START + 1_000 }).bell).toBe('lie down')
  })

  test('changes add up over the looks of one window', () => {
    const { state } = afterLook(from.awake, { ...quiet, rows: 49 })
    expect(afterLook(state, { ...quiet, now: START + 500, rows: 1 }).bell).toBeNull()
  })

  test('P12 while it dozes, its mark stays the one that was taken', () => {
    let state = from.dozing
    for (let n = 1; n <= 100; n++)
      state = afterLook(state, { ...quiet, now: START + n * 100, rows: n % 2 }).state
    expect(state).toMatchObject({ mode: 'dozing', mark: MARK })
  })
})
