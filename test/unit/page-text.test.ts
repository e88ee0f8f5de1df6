import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Change, operations } from '../../protocol/change.ts'
import { ownTables } from '../../protocol/own-tables.ts'
import { EVERY_TABLE, NOTHING, OPERATOR, type Scope } from '../../protocol/scope.ts'
import { heardBy, type Subscription } from '../../protocol/subscription.ts'
import { PageText } from '../../worker/shard/page-text.ts'

const row = fc.option(
  fc.record({
    id: fc.nat(3),
    customer_id: fc.constantFrom(7, 8, '7', '9007199254740993', null, [7]),
    text: fc.constantFrom('', '"table":"users"', '{"table":"users"}'),
  }),
)
const changes: fc.Arbitrary<Change[]> = fc
  .array(
    fc.record({
      table: fc.constantFrom('orders', 'stock', ...ownTables),
      op: fc.constantFrom(...operations),
      key: fc.option(fc.record({ id: fc.nat(3) })),
      new: row,
      old: row,
      isOversize: fc.boolean(),
    }),
    { maxLength: 12 },
  )
  .map((all) =>
    all.map(({ isOversize, ...change }, index) => ({
      ...change,
      id: '6d0f0f5e-0000-4000-8000-000000000000',
      at: '2026-11-21T08:33:55.123456+00:00',
      offset: index + 1,
      ...(isOversize && { oversize: true as const }),
    })),
  )

const own = (value: string): Scope => ({
  kind: 'own',
  table: 'orders',
  column: 'customer_id',
  value,
})
const of = (...tables: string[]): Scope => ({ kind: 'tables', tables })
const scopes = [
  ...[undefined, NOTHING, of('orders'), of('stock', 'users'), EVERY_TABLE, OPERATOR],
  ...[own('7'), own('8'), own('9'), own('9007199254740993')],
]
const filters: Subscription[] = [
  { where: {} },
  { table: 'orders', where: {} },
  { ops: ['delete'], where: {} },
  { where: { id: '1' } },
]
const subscriptions = scopes.flatMap((scope) =>
  filters.map((filter): Subscription => (scope === undefined ? filter : { ...filter, scope })),
)

describe('a page, as each of many hears it', () => {
  it('P32 P91 P92 holds what is for them, in order, and nothing else', () => {
    fc.assert(
      fc.property(changes, (all) => {
        const page = new PageText(JSON.stringify(all))
        for (const subscription of subscriptions)
          expect(JSON.parse(page.heardBy(subscription))).toEqual(
            all.flatMap((change) => heardBy(subscription, change) ?? []),
          )
      }),
      { numRuns: 300 },
    )
  })

  it('is passed on as it is to whoever hears all of it', () => {
    const text = JSON.stringify([{ table: 'orders', op: 'insert', new: null, old: null }])
    const page = new PageText(text)
    expect(page.heardBy({ where: {}, scope: EVERY_TABLE })).toBe(text)
    expect(page.heardBy({ where: {}, scope: OPERATOR })).toBe(text)
    expect(page.heardBy({ where: {} })).toBe('[]')
  })
})
