import { describe, expect, test } from 'vitest'
import type { CapturedChange, Row } from '../../protocol/change.ts'
import { becameFilled, owedMails } from '../../worker/mail/owed.ts'
import { recipients } from '../../worker/mail/recipients.ts'

const ID = '5f0c6f0e-5b0a-4c5e-9a53-3f6a3a1f6f11'

function row(fields: Row = {}): Row {
  return {
    id: 1,
    customer_name: 'Ada',
    product_name: 'Engine',
    status: 'filled',
    amount: 12.5,
    customer_email: null,
    version: 2,
    created_at: '2026-11-21T08:33:55.123456+00:00',
    updated_at: '2026-11-21T08:34:55.123456+00:00',
    ...fields,
  }
}

function change(fields: Partial<CapturedChange>): CapturedChange {
  const at = '2026-11-21T08:34:55.123456+00:00'
  return {
    id: ID,
    table: 'orders',
    op: 'update',
    key: { id: 1 },
    new: null,
    old: null,
    at,
    ...fields,
  }
}

describe('P50: an order becomes filled', () => {
  const [filled, shipped] = [row(), row({ status: 'shipped' })]

  test.each<[string, Partial<CapturedChange>, boolean]>([
    ['inserted as filled', { op: 'insert', new: filled }, true],
    ['inserted as something else', { op: 'insert', new: shipped }, false],
    ['updated to filled', { old: row({ status: 'pending' }), new: filled }, true],
    ['updated while filled', { old: filled, new: row({ amount: 13 }) }, false],
    ['updated away from filled', { old: filled, new: shipped }, false],
    ['deleted while filled', { op: 'delete', old: filled }, false],
    ['truncated away', { op: 'truncate', key: null }, false],
    ['in another table', { table: 'shop.orders', old: shipped, new: filled }, false],
    ['oversize, but deleted', { op: 'delete', oversize: true }, false],
    ['oversize, but of another table', { table: 'invoices', oversize: true }, false],
  ])('%s: %#', (_what, fields, became) => {
    expect(becameFilled(change(fields))).toBe(became)
  })

  test('an oversize order cannot be told, which is an error that says so', () => {
    expect(() => owedMails(change({ oversize: true }), [])).toThrow(/\{"id":1\} was too large/)
  })
})

describe('P50: a mail is owed', () => {
  function addresses(customer_email: string | null, fixed: string[]): string[] {
    const became = change({ old: row({ status: 'pending' }), new: row({ customer_email }) })
    return owedMails(became, fixed).map(({ recipient }) => recipient)
  }

  test('to each fixed recipient and to the customer', () => {
    expect(addresses('ada@example.com', ['a@example.com', 'b@example.com'])).toEqual([
      'a@example.com',
      'b@example.com',
      'ada@example.com',
    ])
  })

  test('to nobody, if nobody is named', () => {
    expect(addresses(null, [])).toEqual([])
    expect(addresses('  ', [])).toEqual([])
  })

  test('P51: once to a customer who is also a fixed recipient, in whatever case', () => {
    expect(addresses('ADA@Example.com', ['ada@example.com'])).toHaveLength(1)
  })

  test('with the change and what the letter needs of the row', () => {
    const became = change({ op: 'insert', new: row({ customer_email: 'ada@example.com' }) })
    expect(owedMails(became, [])).toEqual([
      {
        change: ID,
        recipient: 'ada@example.com',
        order: {
          id: 1,
          customer_name: 'Ada',
          product_name: 'Engine',
          amount: 12.5,
          customer_email: 'ada@example.com',
          updated_at: '2026-11-21T08:34:55.123456+00:00',
        },
      },
    ])
  })

  test('and a row without the columns of an order is an error, not a blank mail', () => {
    expect(() => owedMails(change({ op: 'insert', new: { status: 'filled' } }), [])).toThrow()
  })
})

test('ALERT_RECIPIENTS is a list with commas', () => {
  expect(recipients(' a@example.com, b@example.com,, ')).toEqual(['a@example.com', 'b@example.com'])
  expect(recipients(undefined)).toEqual([])
})
