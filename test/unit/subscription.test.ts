import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CapturedChange, Row } from '../../protocol/change.ts'
import {
  matches,
  parseSubscription,
  type Subscription,
  subscriptionKey,
} from '../../protocol/subscription.ts'

const parse = (query: string, lastEventId: string | null = null) =>
  parseSubscription(new URLSearchParams(query), lastEventId)

function change(fields: Partial<CapturedChange>): CapturedChange {
  return {
    id: '6d0f0f5e-0000-4000-8000-000000000000',
    table: 'orders',
    op: 'update',
    key: { id: 1 },
    new: null,
    old: null,
    at: '2026-11-21T08:33:55.123456+00:00',
    ...fields,
  }
}

describe('parseSubscription', () => {
  test('an empty query is everything, from now on', () => {
    expect(parse('')).toMatchObject({ ok: true, subscription: { where: {} }, start: null })
  })

  test('a full query is read into its parts', () => {
    expect(parse('table=shop.orders&op=update,insert&status=filled&after=41&epoch=k3v')).toEqual({
      ok: true,
      subscription: {
        table: 'shop.orders',
        ops: ['insert', 'update'],
        where: { status: 'filled' },
      },
      start: { epoch: 'k3v', offset: 41 },
      acks: false,
      deflate: false,
    })
  })

  test('P45 deflate=1 says that it takes large frames deflated, and nothing else may stand there', () => {
    expect(parse('deflate=1')).toMatchObject({ ok: true, deflate: true, acks: false })
    expect(parse('deflate=gzip')).toMatchObject({ ok: false, code: 'invalid_query' })
    expect(parse('where.deflate=2')).toMatchObject({
      deflate: false,
      subscription: { where: { deflate: '2' } },
    })
  })

  test('acks=1 says that the subscriber acknowledges; nothing else may stand there', () => {
    expect(parse('acks=1')).toMatchObject({ ok: true, acks: true, subscription: { where: {} } })
    for (const query of ['acks=', 'acks=0', 'acks=true', 'acks=2'])
      expect(parse(query)).toMatchObject({ ok: false, code: 'invalid_query' })
    expect(parse('where.acks=2')).toMatchObject({
      acks: false,
      subscription: { where: { acks: '2' } },
    })
  })

  test('the order and number of operations make no difference', () => {
    expect(parse('op=delete,insert,delete')).toMatchObject({
      subscription: { ops: ['insert', 'delete'] },
    })
  })

  test('a column named like a parameter is written with where.', () => {
    expect(parse('where.table=x&where.after=5&where.where.x=1&op2=3')).toMatchObject({
      subscription: { where: { table: 'x', after: '5', 'where.x': '1', op2: '3' } },
      start: null,
    })
  })

  test('parameters of other doors are no columns', () => {
    const others = parse(`limit=5&limit=6&ticket=${'x'.repeat(2_000)}`)
    expect(others).toMatchObject({ ok: true, subscription: { where: {} } })
  })

  test('a column may have any name, those of Object.prototype too', () => {
    const parsed = parse('__proto__=1&constructor=2&toString=3')
    if (!parsed.ok) throw new Error(parsed.detail)
    expect(Object.entries(parsed.subscription.where)).toEqual([
      ['__proto__', '1'],
      ['constructor', '2'],
      ['toString', '3'],
    ])
    expect(matches(parsed.subscription, change({ new: { id: 1 } }))).toBe(false)
  })

  test.each([
    ['op=upsert', '', 'invalid_filter', 'op: "upsert"'],
    ['op=', '', 'invalid_filter', 'op: ""'],
    ['op=insert,', '', 'invalid_filter', 'op: ""'],
    ['table=', '', 'invalid_filter', 'table'],
    [`status=${'x'.repeat(256)}`, '', 'invalid_filter', 'status'],
    [`${'x'.repeat(256)}=1`, '', 'invalid_filter', 'xxx'],
    ['a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1', '', 'invalid_filter', 'at most 8'],
    ['after=-1', '', 'invalid_position', 'after'],
    ['after=1.5', '', 'invalid_position', 'after'],
    ['after=1e3', '', 'invalid_position', 'after'],
    ['after=', '', 'invalid_position', 'after'],
    ['after=9999999999999999', '', 'invalid_position', 'after'],
    ['after=now', '', 'invalid_position', 'after'],
    ['after=1&epoch=K3V', '', 'invalid_position', 'epoch'],
    ['epoch=', '', 'invalid_position', 'epoch'],
    ['', 'not a position', 'invalid_position', 'after'],
    ['after=1&after=2', '', 'invalid_position', 'after: was given twice; give it once'],
    ['after=1&epoch=a&epoch=a', '', 'invalid_position', 'epoch: was given twice'],
    [`after=${'1'.repeat(256)}`, '', 'invalid_position', 'after: at most 255'],
    ['status=a&status=b', '', 'invalid_filter', 'status: was given twice; give it once'],
    ['status=a&where.status=a', '', 'invalid_filter', 'status: was given twice'],
    ['table=a&table=b', '', 'invalid_filter', 'table: was given twice'],
    ['op=insert&op=update', '', 'invalid_filter', 'op: was given twice'],
    ['where.=1', '', 'invalid_filter', '"where.=": a column has a name'],
    ['=1', '', 'invalid_filter', '"=": a column has a name'],
  ])('P60 ?%s (Last-Event-ID %j) is refused with %s', (query, lastEventId, code, detail) => {
    const parsed = parse(query, lastEventId || null)
    expect(parsed).toEqual({ ok: false, code, detail: expect.stringContaining(detail) })
  })

  test('P60 no query whatever makes it throw', () => {
    fc.assert(
      fc.property(fc.string(), fc.option(fc.string()), (query, lastEventId) => {
        expect(typeof parse(query, lastEventId).ok).toBe('boolean')
      }),
    )
  })

  test.each([
    ['after=41', null, { epoch: null, offset: 41 }],
    ['after=0', null, { epoch: null, offset: 0 }],
    ['after=41&epoch=k3v', 'abc:57', { epoch: 'abc', offset: 57 }],
    ['', 'abc:57', { epoch: 'abc', offset: 57 }],
    ['after=41&epoch=k3v', 'nonsense', { epoch: 'k3v', offset: 41 }],
    ['epoch=k3v', null, null],
    ['', '', null],
  ])('?%s with Last-Event-ID %j starts at %j', (query, lastEventId, start) => {
    expect(parse(query, lastEventId)).toMatchObject({ ok: true, start })
  })
})

describe('matches', () => {
  const filled: Subscription = { where: { status: 'filled' } }

  test.each([
    ['a row that enters', { new: { status: 'filled' }, old: { status: 'pending' } }, true],
    ['a row that leaves', { new: { status: 'shipped' }, old: { status: 'filled' } }, true],
    ['a row that stays in', { new: { status: 'filled' }, old: { status: 'filled' } }, true],
    ['a row that stays out', { new: { status: 'shipped' }, old: { status: 'pending' } }, false],
    ['a row deleted inside', { op: 'delete', old: { status: 'filled' } }, true],
    ['a row deleted outside', { op: 'delete', old: { status: 'pending' } }, false],
    ['a row without the column', { op: 'insert', new: { id: 1 } }, false],
    ['a truncation', { op: 'truncate', key: null }, true],
    ['a row too large to carry', { oversize: true }, true],
  ] as const)('P33 of a filter: %s', (_, fields, expected) => {
    expect(matches(filled, change(fields))).toBe(expected)
  })

  test('all columns must hold of one and the same image', () => {
    const both: Subscription = { where: { status: 'filled', customer_name: 'Ada' } }
    const old: Row = { status: 'filled', customer_name: 'Bob' }
    const now: Row = { status: 'pending', customer_name: 'Ada' }
    expect(matches(both, change({ new: now, old }))).toBe(false)
    expect(matches(both, change({ new: { ...now, status: 'filled' }, old }))).toBe(true)
  })

  test.each([
    [12.5, '12.50', true],
    [12.5, '12.5', true],
    [12.5, '12.51', false],
    [0, '', false],
    [0, ' ', false],
    [0, '-0', true],
    ['9007199254740993', '9007199254740993', true],
    [true, 'true', true],
    [true, '1', false],
    [null, 'null', true],
    ['Filled', 'filled', false],
    [{ a: 1 }, '{"a":1}', true],
    [['a'], '["a"]', true],
    [['a'], 'a', false],
  ])('a column that holds %j, asked for %j: %s', (value, text, expected) => {
    expect(matches({ where: { column: text } }, change({ new: { column: value } }))).toBe(expected)
  })

  test('table and operation rule out what they do not name, truncation too', () => {
    expect(matches({ table: 'items', where: {} }, change({ op: 'truncate' }))).toBe(false)
    expect(matches({ ops: ['insert'], where: {} }, change({ op: 'truncate' }))).toBe(false)
    expect(matches({ table: 'orders', ops: ['update'], where: {} }, change({}))).toBe(true)
  })
})

describe('subscriptionKey', () => {
  const part = fc.constantFrom('a', 'b', 'table', 'orders', '', '"', ',')
  const subscription: fc.Arbitrary<Subscription> = fc
    .record({
      table: fc.option(part),
      ops: fc.option(fc.subarray(['insert', 'update', 'delete', 'truncate'] as const)),
      where: fc.dictionary(part, part, { maxKeys: 3 }),
    })
    .map(({ table, ops, where }) => ({
      ...(table === null ? {} : { table }),
      ...(ops === null ? {} : { ops }),
      where,
    }))

  test('two subscriptions have one key exactly if they ask the same', () => {
    fc.assert(
      fc.property(subscription, subscription, (one, other) => {
        const same = JSON.stringify(canonical(one)) === JSON.stringify(canonical(other))
        expect(subscriptionKey(one) === subscriptionKey(other)).toBe(same)
      }),
      { numRuns: 1_000 },
    )
  })

  test('the order in which columns were asked for makes no difference', () => {
    expect(subscriptionKey({ where: { a: '1', b: '2' } })).toBe(
      subscriptionKey({ where: { b: '2', a: '1' } }),
    )
  })

  const canonical = ({ table, ops, where }: Subscription) => ({
    table: table ?? false,
    ops: ops ?? false,
    where: Object.keys(where)
      .sort()
      .map((name) => ({ name, text: where[name] })),
  })
})
