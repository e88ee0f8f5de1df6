import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { type CapturedChange, operations, type Row } from '../../protocol/change.ts'
import { ownTables } from '../../protocol/own-tables.ts'
import {
  EVERY_TABLE,
  NOTHING,
  OPERATOR,
  type OwnScope,
  parseScope,
  type Scope,
  withinScope,
} from '../../protocol/scope.ts'
import { heardBy, subscriptionKey } from '../../protocol/subscription.ts'

const own: OwnScope = { kind: 'own', table: 'orders', column: 'customer_id', value: '7' }
const theirs = (id = 1): Row => ({ id, customer_id: 7, product_name: 'Bell' })
const others = (id = 1): Row => ({ id, customer_id: 8, product_name: 'Secret' })

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

describe('P91 a change, as the owner hears it', () => {
  test.each([
    ['an insert of theirs', { op: 'insert', new: theirs() }, { op: 'insert', new: theirs() }],
    ['an insert of another’s', { op: 'insert', new: others() }, null],
    ['a delete of theirs', { op: 'delete', old: theirs() }, { op: 'delete', old: theirs() }],
    ['a delete of another’s', { op: 'delete', old: others() }, null],
    ['an update of theirs', { old: theirs(), new: { ...theirs(), n: 1 } }, { op: 'update' }],
    ['an update of another’s', { old: others(), new: others() }, null],
    [
      'one that becomes theirs',
      { old: others(), new: theirs() },
      { op: 'insert', old: null, new: theirs() },
    ],
    [
      'one that ceases to be theirs',
      { old: theirs(), new: others() },
      { op: 'delete', old: theirs(), new: null },
    ],
    [
      'one that ceases to be anyone’s',
      { old: theirs(), new: { ...theirs(), customer_id: null } },
      { op: 'delete', new: null },
    ],
    [
      'one that leaves under another key: told under theirs',
      { key: { id: 2 }, old: theirs(1), new: others(2) },
      { op: 'delete', key: { id: 1 }, old: theirs(1), new: null },
    ],
    [
      'one that comes under another key',
      { key: { id: 2 }, old: others(1), new: theirs(2) },
      { op: 'insert', key: { id: 2 }, old: null },
    ],
    ['a truncation', { op: 'truncate', key: null }, { op: 'truncate', new: null, old: null }],
    ['a truncation of another table', { table: 'stock', op: 'truncate', key: null }, null],
    ['a row too large', { oversize: true }, { op: 'update', key: { id: 1 }, oversize: true }],
    [
      'a row too large that carries an image all the same',
      { oversize: true, old: others(), new: others() },
      { new: null, old: null, oversize: true },
    ],
    ['another table', { table: 'users', op: 'insert', new: theirs() }, null],
    ['a table of the same name elsewhere', { table: 'shop.orders', new: theirs() }, null],
    ['a row without the column', { op: 'insert', new: { id: 7 } }, null],
    ['a column of the prototype', { op: 'insert', new: Object.create({ customer_id: 7 }) }, null],
    ['no image at all', { op: 'update' }, null],
    [
      'an id that a double cannot hold',
      { op: 'insert', new: { id: 1, customer_id: '7' } },
      { op: 'insert' },
    ],
  ] as const)('%s', (_, fields, heard) => {
    const seen = withinScope(own, change(fields as Partial<CapturedChange>))
    if (heard === null) expect(seen).toBeNull()
    else expect(seen).toMatchObject(heard)
  })

  it('filters are asked of what is theirs to see', () => {
    const wants = { scope: own, where: { product_name: 'Secret' } }
    expect(heardBy(wants, change({ old: theirs(), new: others() }))).toBeNull()
    const deletes = { scope: own, ops: ['delete'] as const, where: {} }
    expect(heardBy(deletes, change({ old: theirs(), new: others() }))?.op).toBe('delete')
    const updates = { scope: own, ops: ['update'] as const, where: {} }
    expect(heardBy(updates, change({ old: others(), new: theirs() }))).toBeNull()
  })

  const image = fc.option(
    fc.record({
      id: fc.nat(3),
      customer_id: fc.constantFrom(7, 8, 77, '7', '8', ' 7', '07', null, true, [7], { id: 7 }),
      secret: fc.string(),
    }),
  )
  const any = fc.record({
    op: fc.constantFrom(...operations),
    table: fc.constantFrom('orders', 'users', 'stock'),
    key: fc.option(fc.record({ id: fc.nat(3) })),
    new: image,
    old: image,
    oversize: fc.constantFrom(true, undefined),
  })

  it('no image is of a row that is not theirs, and a delete bears the key of what was theirs', () => {
    fc.assert(
      fc.property(any, ({ oversize, ...fields }) => {
        const told = withinScope(
          own,
          change({ ...(fields as Partial<CapturedChange>), ...(oversize && { oversize }) }),
        )
        if (told === null) return
        expect(told.table).toBe('orders')
        for (const row of [told.new, told.old])
          if (row) expect([7, '7']).toContainEqual(row.customer_id)
        if (told.old && !told.new && told.key) expect(told.key).toEqual({ id: told.old.id })
      }),
      { numRuns: 2_000 },
    )
  })
})

const named = (...tables: string[]): Scope => ({ kind: 'tables', tables })

describe('P94 a change, as one hears it who may read some tables', () => {
  test.each([
    ['every one', EVERY_TABLE, ['orders', 'shop.orders', 'stock', 'every']],
    ['one', named('orders'), ['orders']],
    ['one of another schema', named('shop.orders'), ['shop.orders']],
    ['two', named('stock', 'orders'), ['orders', 'stock']],
    ['one that is called so', named('every'), ['every']],
    ['none', NOTHING, []],
  ])('%s', (_, scope, heard) => {
    const told = ['orders', 'shop.orders', 'stock', 'every'].filter((table) => {
      const written = change({ table, op: 'insert', new: others() })
      const seen = heardBy({ where: {}, scope }, written)
      if (seen) expect(seen).toBe(written)
      return seen !== null
    })
    expect(told).toEqual(heard)
  })
})

describe('P92 Belfry’s own tables', () => {
  it.each([...ownTables])('%s is heard by those who run it, and by nobody else', (table) => {
    for (const op of operations) {
      const written = change({ table, op, new: { id: 7, customer_id: 7 } })
      expect(withinScope(OPERATOR, written)).toBe(written)
      expect(withinScope(EVERY_TABLE, written)).toBeNull()
      expect(withinScope(named(table), written)).toBeNull()
      expect(withinScope({ ...own, table: 'orders' }, written)).toBeNull()
      expect(heardBy({ where: {} }, written)).toBeNull()
      expect(heardBy({ table, where: {} }, written)).toBeNull()
    }
  })
})

describe('a scope on its way to the shard', () => {
  it.each([NOTHING, named('orders', 'shop.parcels'), EVERY_TABLE, OPERATOR, own])(
    '%j comes as it went',
    (scope) => {
      expect(parseScope(JSON.stringify(scope))).toEqual(scope)
    },
  )

  it.each([
    ...[null, '', 'operator', '{}', '[]', '{"kind":"all"}', '{"kind":"operator","also":1}'],
    ...['{"kind":"tables"}', '{"kind":"tables","tables":"all"}', '{"kind":"tables","tables":[""]}'],
    ...['{"kind":"public"}', '{"kind":"tables","tables":["orders"],"also":"every"}'],
  ])('P94 %j hears nothing', (text) => {
    expect(parseScope(text)).toEqual(NOTHING)
  })

  it('P91 P94 of two scopes nothing is shared, however they are spelled', () => {
    const part = fc.constantFrom('a', '"', ',', '7', '","')
    const scope = fc.record({
      kind: fc.constant('own' as const),
      table: part,
      column: part,
      value: part,
    })
    const tables = fc.record({
      kind: fc.constant('tables' as const),
      tables: fc.oneof(
        fc.constant('every' as const),
        fc.array(fc.oneof(part, fc.constant('every'))),
      ),
    })
    const any = fc.oneof(scope, tables, fc.constantFrom(NOTHING, OPERATOR))
    fc.assert(
      fc.property(any, any, (one, other) => {
        const key = (of: typeof one) => subscriptionKey({ where: {}, scope: of })
        expect(key(one) === key(other)).toBe(JSON.stringify(one) === JSON.stringify(other))
      }),
    )
    expect(subscriptionKey({ where: {} })).toBe(subscriptionKey({ where: {}, scope: NOTHING }))
  })
})
