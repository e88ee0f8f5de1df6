import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  listQuery,
  newOrder,
  orderChanges,
  orderId,
  wholeOrder,
} from '../../worker/api/order-schemas.ts'

const order = { customer_name: 'Ada', product_name: 'Engine', amount: 12.5 }

describe('amount', () => {
  test('takes any number of whole cents in range, as a number or as text', () => {
    fc.assert(
      fc.property(fc.nat(9_999_999_999), (cents) => {
        const amount = cents / 100
        expect(newOrder.parse({ ...order, amount }).amount).toBe(amount)
        expect(newOrder.parse({ ...order, amount: amount.toFixed(2) }).amount).toBe(amount)
      }),
    )
  })

  test.each([
    -0.01,
    100_000_000,
    99_999_999.991,
    0.001,
    1e-7,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '-1',
    '+1',
    '1e3',
    ' 1',
    '1.',
    '.5',
    '1,5',
    '0x10',
    '1.234',
    '100000000',
    'NaN',
    'Infinity',
    '',
    null,
    true,
    [1],
    {},
  ])('refuses %j and says what it takes', (amount) => {
    const read = newOrder.safeParse({ ...order, amount })
    expect(read.error?.issues).toEqual([
      expect.objectContaining({
        path: ['amount'],
        message: expect.stringContaining('from 0 to 99999999.99 with at most 2 decimals'),
      }),
    ])
  })
})

describe('a name', () => {
  test('is trimmed', () => {
    expect(newOrder.parse({ ...order, customer_name: ' \tAda  L.\n' }).customer_name).toBe(
      'Ada  L.',
    )
  })

  test.each(['', '   ', '\u00a0', 'a\0b', 'a\nb', 'a\u2028b', '\ud83d', 'x'.repeat(201), 7, null])(
    'is refused as %j',
    (customer_name) => {
      const read = newOrder.safeParse({ ...order, customer_name })
      expect(read.error?.issues.map(({ path }) => path)).toEqual([['customer_name']])
    },
  )

  test('may be 200 characters long, and may hold emoji', () => {
    const customer_name = `${'x'.repeat(197)} 🧮`
    expect(newOrder.parse({ ...order, customer_name }).customer_name).toBe(customer_name)
  })
})

describe('status', () => {
  test.each(['filled', 'FILLED', 'FiLLed'])('%s is filled', (status) => {
    expect(newOrder.parse({ ...order, status }).status).toBe('filled')
  })

  test.each(['', 'full', ' filled', 3, null])(
    '%j is refused, and the known ones are named',
    (status) => {
      const read = newOrder.safeParse({ ...order, status })
      expect(read.error?.issues[0]?.message).toContain('pending, processing, filled')
    },
  )
})

describe('customer_email', () => {
  test.each(['ada@example.com', 'a.b+c@sub.example.co.uk', null])('takes %j', (customer_email) => {
    expect(newOrder.parse({ ...order, customer_email }).customer_email).toBe(customer_email)
  })

  test.each(['', 'ada', 'ada@', '@example.com', 'a b@example.com', 'Ada <ada@example.com>', 7])(
    'refuses %j',
    (customer_email) => {
      expect(newOrder.safeParse({ ...order, customer_email }).success).toBe(false)
    },
  )
})

describe('bodies', () => {
  test('of POST leave status and address to the database', () => {
    expect(newOrder.parse(order)).toEqual(order)
  })

  test('of PUT need a status, and without an address take it away', () => {
    expect(wholeOrder.safeParse(order).success).toBe(false)
    expect(wholeOrder.parse({ ...order, status: 'shipped' }).customer_email).toBeNull()
  })

  test('of PATCH need one field at least, and bring no other along', () => {
    expect(orderChanges.safeParse({}).success).toBe(false)
    expect(orderChanges.parse({ status: 'Filled' })).toEqual({ status: 'filled' })
  })

  test.each([
    ['POST', newOrder],
    ['PUT', wholeOrder],
    ['PATCH', orderChanges],
  ])('of %s refuse fields they do not know', (_method, schema) => {
    for (const stranger of [{ id: 1 }, { version: 9 }, { created_at: 'now' }, { nmae: 'x' }])
      expect(schema.safeParse({ ...order, status: 'filled', ...stranger }).success).toBe(false)
  })
})

describe('an id', () => {
  test.each(['1', '42', '9007199254740991'])('%s is one', (id) => {
    expect(orderId.parse({ id }).id).toBe(Number(id))
  })

  test.each([
    '0',
    '-1',
    '01',
    '1.0',
    '1e3',
    'abc',
    '',
    ' 1',
    '9007199254740992',
    '99999999999999999999',
  ])('%j is none', (id) => {
    expect(orderId.safeParse({ id }).success).toBe(false)
  })
})

describe('the query of the list', () => {
  test('has defaults', () => {
    expect(listQuery.parse({})).toEqual({ sort: '-id', limit: 50 })
  })

  test('takes several statuses in any case', () => {
    expect(listQuery.parse({ status: 'Filled, SHIPPED' }).status).toEqual(['filled', 'shipped'])
  })

  test.each<object>([
    { limit: '0' },
    { limit: '201' },
    { limit: '-1' },
    { limit: '1.5' },
    { limit: 'ten' },
    { limit: '' },
    { sort: 'status' },
    { sort: '--id' },
    { sort: '' },
    { status: 'filled,full' },
    { status: '' },
    { status: ['filled', 'shipped'] },
    { customer: 'x'.repeat(201) },
    { customer: 'a\0' },
    { stauts: 'filled' },
  ])('refuses %j', (query) => {
    expect(listQuery.safeParse(query).success).toBe(false)
  })
})
