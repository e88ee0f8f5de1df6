import { describe, expect, test } from 'vitest'
import type { AuditEntry } from '../../worker/api/audit-store.ts'
import { versionsOf } from '../../worker/api/order-versions.ts'

/** `i1`: version 1 was inserted over the API; `u3`: version 3 was made; `d3`: it was deleted. */
function entries(history: string): AuditEntry[] {
  const each = history.split(' ').filter(Boolean)
  return each
    .map((entry, index) => ({
      ...{ id: index + 1, at: `at ${index}`, request: `request ${index}`, principal: 'key:7' },
      ...{ name: null, role: 'worker', table: 'orders', key: '42', changed: {} },
      action: { i: 'insert', u: 'update', d: 'delete' }[entry[0] as 'i' | 'u' | 'd'],
      version: Number(entry.slice(1)),
    }))
    .toReversed()
}

const told = (history: string, current: number | null, isWhole = true) =>
  versionsOf(entries(history), current, isWhole)
    .map((each) =>
      'versions' in each
        ? `sql ${each.versions.join('-')}`
        : `${each.action} ${each.version ?? 'none'}`,
    )
    .join(', ')

describe('P104 the versions of an order', () => {
  test.each([
    ['all over the API', 'i1 u2 u3', 3, 'insert 1, update 2, update 3'],
    ['all by SQL', '', 3, 'sql 1-3'],
    ['inserted by SQL', 'u2', 2, 'sql 1-1, update 2'],
    ['changed by SQL in between', 'i1 u4', 4, 'insert 1, sql 2-3, update 4'],
    ['changed by SQL at last', 'i1', 3, 'insert 1, sql 2-3'],
    ['deleted', 'i1 u2 d2', null, 'insert 1, update 2, delete none'],
    ['changed by SQL, then deleted', 'i1 d3', null, 'insert 1, sql 2-3, delete none'],
    ['deleted by SQL', 'i1 u2', null, 'insert 1, update 2'],
    [
      'made again with its id',
      'i1 d1 i1 u3',
      3,
      'insert 1, delete none, insert 1, sql 2-2, update 3',
    ],
    ['never there', '', null, ''],
  ])('%s', (_, history, current, expected) => {
    expect(told(history, current)).toBe(expected)
  })

  test('of the newest of many, what is before them is not taken for SQL’s', () => {
    expect(told('u500 u502', 503, false)).toBe('update 500, sql 501-501, update 502, sql 503-503')
  })

  test('each says who made it, when, and in which request', () => {
    expect(versionsOf(entries('i1'), 1, true)).toEqual([
      {
        ...{ version: 1, at: 'at 0', by: 'key:7', name: null },
        ...{ request: 'request 0', action: 'insert', changed: {} },
      },
    ])
  })
})
