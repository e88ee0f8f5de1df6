import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Order, statuses } from '../../../client/dashboard/order.ts'
import { comparison, look, type Sort, textFilter } from '../../../client/dashboard/view.ts'

const order = (id: number, rest: Partial<Order> = {}): Order => ({
  id,
  customer_name: 'Ada Lovelace',
  product_name: 'Hand bell',
  status: 'pending',
  amount: 10,
  customer_email: null,
  version: 1,
  created_at: '2026-11-21T08:33:55.123456+00:00',
  updated_at: '2026-11-21T08:33:55.123456+00:00',
  ...rest,
})
const newest: Sort = { column: 'id', descending: true }

describe('look', () => {
  test('shows the same as a full sort would, whatever the rows, the sort and the window', () => {
    const rows = fc.uniqueArray(
      fc.record({
        id: fc.integer({ min: 1, max: 500 }),
        customer_name: fc.constantFrom('Ada', 'ada', 'Grace', 'Ål'),
        status: fc.constantFrom(...statuses),
        amount: fc.integer({ min: 0, max: 5 }),
        updated_at: fc.constantFrom('2026-11-21T08', '2026-11-21T09'),
      }),
      { selector: ({ id }) => id, maxLength: 60 },
    )
    const sort = fc.record<Sort>({
      column: fc.constantFrom('id', 'customer_name', 'status', 'amount', 'updated_at'),
      descending: fc.boolean(),
    })
    const status = fc.option(fc.constantFrom(...statuses))
    fc.assert(
      fc.property(rows, sort, status, fc.integer({ min: 1, max: 20 }), (found, by, only, size) => {
        const all = found.map((row) => order(row.id, row))
        const matching = all.filter((row) => only === null || row.status === only)
        const seen = look(all, { text: '', status: only, sort: by }, size)
        expect(seen.shown).toEqual(matching.toSorted(comparison(by)).slice(0, size))
        expect(seen.matched).toBe(matching.length)
        expect(seen.total).toBe(all.length)
      }),
    )
  })

  test('counts each status of what matches the text, whichever is chosen', () => {
    const rows = [
      order(1, { status: 'filled' }),
      order(2, { status: 'filled', customer_name: 'Grace' }),
      order(3),
    ]
    const { counts, matchedText, matched, total } = look(
      rows,
      { text: 'ada', status: 'pending', sort: newest },
      10,
    )
    expect(counts).toMatchObject({ filled: 1, pending: 1, shipped: 0 })
    expect({ matchedText, matched, total }).toEqual({ matchedText: 2, matched: 1, total: 3 })
  })
})

describe('textFilter', () => {
  const ada = order(12, { customer_email: 'ada@example.com' })
  test.each([
    ['', true],
    ['  LOVE ', true],
    ['hand', true],
    ['@example', true],
    ['#12', true],
    ['#1', false],
    ['12', false],
    ['grace', false],
  ])('%j', (text, found) => expect(textFilter(text)(ada)).toBe(found))
})
