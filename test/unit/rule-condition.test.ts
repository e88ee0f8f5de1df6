import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import type { CapturedChange, Operation, Row, Value } from '../../protocol/change.ts'
import { type Match, matches } from '../../worker/rules/condition.ts'
import { when as conditions, type RuleCondition, type When } from '../../worker/rules/rule.ts'

type Images = { op: Operation; old: Row | null; new: Row | null }

function change(images: Images, fields: Partial<CapturedChange> = {}): CapturedChange {
  return {
    id: '5f0c6f0e-5b0a-4c5e-9a53-3f6a3a1f6f11',
    table: 'orders',
    key: { id: 1 },
    at: '2026-11-21T08:34:55.123456+00:00',
    ...images,
    ...fields,
  }
}

function rule(when: When, fields: Partial<RuleCondition> = {}): RuleCondition {
  const ops: Operation[] = ['insert', 'update', 'delete', 'truncate']
  return { table: 'orders', ops, when, enabled: true, ...fields }
}

/** The row says `a`, or anything else. */
const situations = {
  'insert a': { op: 'insert', old: null, new: { it: 'a' } },
  'insert b': { op: 'insert', old: null, new: { it: 'b' } },
  'update a to a': { op: 'update', old: { it: 'a', n: 1 }, new: { it: 'a', n: 2 } },
  'update a to b': { op: 'update', old: { it: 'a' }, new: { it: 'b' } },
  'update b to a': { op: 'update', old: { it: 'b' }, new: { it: 'a' } },
  'update b to b': { op: 'update', old: { it: 'b', n: 1 }, new: { it: 'b', n: 2 } },
  'delete a': { op: 'delete', old: { it: 'a' }, new: null },
  'delete b': { op: 'delete', old: { it: 'b' }, new: null },
  truncate: { op: 'truncate', old: null, new: null },
} satisfies Record<string, Images>
type Situation = keyof typeof situations

const tests = {
  became: { became: ['a'] },
  is: { is: ['a'] },
  was: { was: ['a'] },
  changed: { changed: true },
} as const

/** A cell that is missing does not compile. `may`: whether it may hold while nobody sees the row. */
const table: Record<keyof typeof tests, Record<Situation, 0 | 1>> = {
  became: {
    ...{ 'insert a': 1, 'insert b': 0, 'delete a': 0, 'delete b': 0, truncate: 0 },
    ...{ 'update a to a': 0, 'update a to b': 0, 'update b to a': 1, 'update b to b': 0 },
  },
  is: {
    ...{ 'insert a': 1, 'insert b': 0, 'delete a': 0, 'delete b': 0, truncate: 0 },
    ...{ 'update a to a': 1, 'update a to b': 0, 'update b to a': 1, 'update b to b': 0 },
  },
  was: {
    ...{ 'insert a': 0, 'insert b': 0, 'delete a': 1, 'delete b': 0, truncate: 0 },
    ...{ 'update a to a': 1, 'update a to b': 1, 'update b to a': 0, 'update b to b': 0 },
  },
  changed: {
    ...{ 'insert a': 0, 'insert b': 0, 'delete a': 0, 'delete b': 0, truncate: 0 },
    ...{ 'update a to a': 0, 'update a to b': 1, 'update b to a': 1, 'update b to b': 0 },
  },
}

/** Of which operations each may hold, for a row that was too large to travel. */
const unseen: Record<keyof typeof tests | 'nothing', Record<Operation, Match>> = {
  became: { insert: 'unknown', update: 'unknown', delete: 'no', truncate: 'no' },
  is: { insert: 'unknown', update: 'unknown', delete: 'no', truncate: 'no' },
  was: { insert: 'no', update: 'unknown', delete: 'unknown', truncate: 'no' },
  changed: { insert: 'no', update: 'unknown', delete: 'no', truncate: 'no' },
  nothing: { insert: 'unknown', update: 'unknown', delete: 'unknown', truncate: 'unknown' },
}

describe('P50 a rule is about a change', () => {
  const cells = Object.entries(table).flatMap(([kind, row]) =>
    Object.entries(row).map(
      ([situation, holds]) => [kind as keyof typeof tests, situation as Situation, holds] as const,
    ),
  )

  test.each(cells)('%s, %s: %s', (kind, situation, holds) => {
    const when = { it: tests[kind] } as unknown as When
    expect(matches(rule(when), change(situations[situation]))).toBe(holds ? 'yes' : 'no')
  })

  test.each(Object.keys(situations) as Situation[])('without a condition, %s', (situation) => {
    expect(matches(rule({}), change(situations[situation]))).toBe('yes')
  })

  test.each(
    Object.entries(unseen).flatMap(([kind, row]) =>
      Object.entries(row).map(([op, match]) => [kind, op as Operation, match] as const),
    ),
  )('%s of a row too large to travel, %s: %s', (kind, op, match) => {
    const when = kind === 'nothing' ? {} : { it: tests[kind as keyof typeof tests] }
    const bare = change({ op, old: null, new: null }, { oversize: true })
    expect(matches(rule(when as unknown as When), bare)).toBe(match)
  })

  test.each<[string, Partial<RuleCondition>]>([
    ['of another table', { table: 'shop.orders' }],
    ['of other operations', { ops: ['delete', 'truncate'] }],
    ['that is switched off', { enabled: false }],
  ])('but not one %s, whether the row is seen or not', (_what, fields) => {
    const images = situations['insert a']
    expect(matches(rule({}), change(images))).toBe('yes')
    expect(matches(rule({}, fields), change(images))).toBe('no')
    const bare = change({ op: 'insert', old: null, new: null }, { oversize: true })
    expect(matches(rule({}, fields), bare)).toBe('no')
  })

  it('all of whose tests hold', () => {
    const when: When = { status: { became: ['filled', 'shipped'] }, amount: { is: [12] } }
    const images = { op: 'insert' as const, old: null }
    const match = (row: Row) => matches(rule(when), change({ ...images, new: row }))
    expect(match({ status: 'shipped', amount: 12 })).toBe('yes')
    expect(match({ status: 'shipped', amount: 13 })).toBe('no')
    expect(match({ status: 'pending', amount: 12 })).toBe('no')
  })

  it('from one of a list to another of it, which is not becoming', () => {
    const when: When = { status: { became: ['filled', 'shipped'] } }
    const images = { op: 'update' as const, old: { status: 'filled' }, new: { status: 'shipped' } }
    expect(matches(rule(when), change(images))).toBe('no')
  })
})

describe('P5 values are compared by their text', () => {
  test.each<[Value, Value, boolean]>([
    ['a', 'a', true],
    ['a', 'A', false],
    [12, 12, true],
    [12, '12', true],
    ['12', 12, true],
    [12.5, 12.5, true],
    ['9007199254740993', '9007199254740993', true],
    ['9007199254740993', '9007199254740992', false],
    [true, true, true],
    [true, 'true', true],
    [false, true, false],
    [null, null, true],
    [null, 'null', false],
    ['null', null, false],
    [null, '', false],
    ['', '', true],
    ['[1,2]', [1, 2], true],
    ['a', ['a'], false],
    ['[object Object]', { a: 1 }, false],
    ['NaN', 'NaN', true],
  ])('%j and a column of %j: %j', (value, column, equal) => {
    const images: Images = { op: 'insert', old: null, new: { it: column } }
    expect(matches(rule({ it: { is: [value as string] } }), change(images))).toBe(
      equal ? 'yes' : 'no',
    )
  })

  test.each<[Value, Value, boolean]>([
    [{ a: 1 }, { a: 1 }, false],
    [{ a: 1 }, { a: 2 }, true],
    [[1], [1, 2], true],
    [null, 'null', true],
    [1, null, true],
  ])('from %j to %j is a change: %j', (old, now, changed) => {
    const images: Images = { op: 'update', old: { it: old }, new: { it: now } }
    expect(matches(rule({ it: { changed: true } }), change(images))).toBe(changed ? 'yes' : 'no')
  })

  test.each(['gone', '__proto__', 'constructor', 'toString'])(
    'a row without the column %j meets no test of it',
    (column) => {
      const row: Row = { it: 'a' }
      for (const test of [
        { is: [null, String(Object), String({}.toString)] },
        { became: [null] },
        { was: [null] },
        { changed: true as const },
      ])
        expect(
          matches(rule({ [column]: test }), change({ op: 'update', old: row, new: { it: 'b' } })),
        ).toBe('no')
    },
  )

  it('a column may have any name', () => {
    const when = conditions.parse(JSON.parse('{"constructor": {"is": "a"}, "a b": {"is": 1}}'))
    const match = (row: Row) => matches(rule(when), change({ op: 'insert', old: null, new: row }))
    expect(match({ constructor: 'a', 'a b': 1 } as unknown as Row)).toBe('yes')
    expect(match({ 'a b': 1 })).toBe('no')
  })
})

describe('what a condition may say', () => {
  it('one value stands for a list of it', () => {
    expect(conditions.parse({ a: { is: 1 }, b: { was: null }, c: { became: 'x' } })).toEqual({
      ...{ a: { is: [1] }, b: { was: [null] }, c: { became: ['x'] } },
    })
  })

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['text', 'status = filled'],
    ['an empty list of values', { a: { is: [] } }],
    ['51 values', { a: { is: Array(51).fill(1) } }],
    ['a value of 1,001 characters', { a: { is: 'x'.repeat(1_001) } }],
    ['a nested list', { a: { is: [[1]] } }],
    ['changed: false', { a: { changed: false } }],
    ['an empty test', { a: {} }],
    ['no test', { a: 'filled' }],
    ['an empty column', { '': { is: 1 } }],
    ['a test that would be left out', JSON.parse('{"__proto__": {"is": 1}}')],
    ['21 columns', Object.fromEntries(Array.from({ length: 21 }, (_, n) => [n, { is: 1 }]))],
  ])('not %s', (_what, given) => {
    expect(conditions.safeParse(given).success).toBe(false)
  })

  it('whatever it is given, it answers', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (given) => {
        const { data } = conditions.safeParse(given)
        if (data) matches(rule(data), change(situations['update a to b']))
      }),
    )
  })
})
