import { describe, expect, test } from 'vitest'
import { changedColumns } from '../../../client/dashboard/diff.ts'
import { fieldsOf, readDraft, rebase, touched } from '../../../client/dashboard/draft.ts'
import type { Order } from '../../../client/dashboard/order.ts'

const order: Order = {
  id: 12,
  customer_name: 'Ada Lovelace',
  product_name: 'Hand bell',
  status: 'pending',
  amount: 120.5,
  customer_email: null,
  version: 3,
  created_at: '2026-11-21T08:33:55.123456+00:00',
  updated_at: '2026-11-21T08:33:55.123456+00:00',
}

describe('P99 a form over another version', () => {
  test('keeps what a person altered, and takes the rest as it is now', () => {
    const typed = { ...fieldsOf(order), product_name: 'Yoke' }
    const current = { ...order, version: 4, amount: 77, product_name: 'Clapper' }
    const expected = { ...fieldsOf(current), product_name: 'Yoke' }
    expect(rebase(typed, order, current)).toEqual(expected)
  })
})

describe('a draft', () => {
  test('that was not touched changes nothing', () => {
    const read = readDraft(fieldsOf(order))
    expect(read.ok && touched(order, read.draft)).toEqual({})
  })

  test('changes only what was touched', () => {
    const fields = { ...fieldsOf(order), status: 'filled', customer_email: ' ada@example.com ' }
    const read = readDraft(fields)
    expect(read.ok && touched(order, read.draft)).toEqual({
      status: 'filled',
      customer_email: 'ada@example.com',
    })
  })

  test('names every field that is wrong', () => {
    const read = readDraft({ ...fieldsOf(null), customer_name: '  ' })
    expect(read.ok ? [] : Object.keys(read.errors)).toEqual([
      'customer_name',
      'product_name',
      'amount',
    ])
  })

  test.each(['', '1,200', '12,5', '-1', '1e3', '0x10', '1.234', '100000000', 'NaN', '٣'])(
    'takes %j for no amount',
    (amount) => expect(readDraft({ ...fieldsOf(order), amount }).ok).toBe(false),
  )

  test.each([
    ['0', 0],
    [' 12.5 ', 12.5],
    ['99999999.99', 99_999_999.99],
  ])('takes %j for an amount', (amount, value) => {
    const read = readDraft({ ...fieldsOf(order), amount })
    expect(read.ok && read.draft.amount).toBe(value)
  })
})

describe('changedColumns', () => {
  test('leaves out what every update alters', () => {
    const row = { ...order, version: 4, updated_at: '2026-11-22', status: 'filled' }
    expect(changedColumns({ old: { ...order }, new: row })).toEqual([
      { column: 'status', from: 'pending', to: 'filled' },
    ])
  })

  test('compares by value, and sees columns that came or went', () => {
    expect(changedColumns({ old: { tags: [1], gone: 1 }, new: { tags: [1], come: null } })).toEqual(
      [
        { column: 'gone', from: 1, to: undefined },
        { column: 'come', from: undefined, to: null },
      ],
    )
  })
})
