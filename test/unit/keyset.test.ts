import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Cursor,
  formatCursor,
  parseCursor,
  readSort,
  type Sort,
  sorts,
} from '../../worker/api/keyset.ts'
import { toOpaque } from '../../worker/api/opaque.ts'

const secrets = { LINK_SECRET: 'a secret of the tests' }

describe('a cursor', () => {
  test('comes back as it was made, whatever its value', async () => {
    const instant = fc
      .tuple(fc.date({ min: new Date(0), max: new Date(8e12), noInvalidDate: true }), fc.nat(999))
      .map(
        ([date, micros]) =>
          `${date.toISOString().slice(0, -1)}${`${micros}`.padStart(3, '0')}+00:00`,
      )
    const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
    const storable = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'))
    const values: Record<string, fc.Arbitrary<string | number>> = {
      id,
      created_at: instant,
      updated_at: instant,
      amount: fc.nat(9_999_999_999).map((cents) => cents / 100),
      customer_name: storable,
    }
    const cursor = fc.constantFrom(...sorts).chain((sort) =>
      fc.record<Cursor>({
        sort: fc.constant(sort),
        value: values[readSort(sort).column] as fc.Arbitrary<string | number>,
        id,
      }),
    )
    await fc.assert(
      fc.asyncProperty(cursor, async (made) => {
        const text = await formatCursor(secrets, made)
        expect(text).toMatch(/^[\w-]+$/)
        expect(await parseCursor(secrets, text, made.sort)).toEqual({ ok: true, cursor: made })
      }),
    )
  })

  test('keeps a timestamp’s microseconds', async () => {
    const made: Cursor = { sort: '-created_at', value: '2026-11-21T08:33:55.123456+00:00', id: 7 }
    const text = await formatCursor(secrets, made)
    expect(await parseCursor(secrets, text, '-created_at')).toEqual({ ok: true, cursor: made })
  })

  test('of another sort is refused, and the refusal names its sort', async () => {
    const text = await formatCursor(secrets, { sort: '-amount', value: 12.5, id: 7 })
    expect(await parseCursor(secrets, text, 'amount')).toEqual({
      ok: false,
      detail: expect.stringContaining('sort=-amount'),
    })
  })

  test('of random text is refused and never throws', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.constantFrom(...sorts), async (text, sort) => {
        expect((await parseCursor(secrets, text, sort)).ok).toBe(false)
      }),
    )
  })

  test.each<[string, Sort, unknown]>([
    ['not an object', '-id', 7],
    ['null', '-id', null],
    ['an unknown sort', '-id', { sort: 'status', value: 1, id: 1 }],
    ['a prototype’s name as sort', '-id', { sort: 'constructor', value: 1, id: 1 }],
    ['no id', '-id', { sort: '-id', value: 1 }],
    ['an id of 0', '-id', { sort: '-id', value: 1, id: 0 }],
    ['an id beyond a double', '-id', { sort: '-id', value: 1, id: 2 ** 53 }],
    ['a fraction as id', '-id', { sort: '-id', value: 1, id: 1.5 }],
    ['one member too many', '-id', { sort: '-id', value: 1, id: 1, more: 1 }],
    ['text for a number', 'amount', { sort: 'amount', value: '1', id: 1 }],
    ['a number for text', 'customer_name', { sort: 'customer_name', value: 1, id: 1 }],
    ['NUL', 'customer_name', { sort: 'customer_name', value: 'a\0b', id: 1 }],
    ['half a surrogate pair', 'customer_name', { sort: 'customer_name', value: '\ud800', id: 1 }],
    ['no timestamp', 'created_at', { sort: 'created_at', value: 'yesterday', id: 1 }],
    [
      'a day that is none',
      'created_at',
      { sort: 'created_at', value: '2026-02-31T00:00:00+00:00', id: 1 },
    ],
    [
      'an hour that is none',
      'created_at',
      { sort: 'created_at', value: '2026-02-01T25:00:00+00:00', id: 1 },
    ],
  ])('with %s is refused, even under our seal', async (_what, sort, json) => {
    expect((await parseCursor(secrets, await toOpaque(secrets, json), sort)).ok).toBe(false)
  })
})

test('a sort is read into its column and direction', () => {
  expect(readSort('-created_at')).toEqual({ column: 'created_at', descending: true })
  expect(readSort('customer_name')).toEqual({ column: 'customer_name', descending: false })
})
