import { describe, expect, it } from 'vitest'
import { applyTo, otherKey, type Shape } from '../../client/sdk/collection.ts'
import { rowKey } from '../../client/sdk/row-key.ts'
import { isOlder } from '../../client/sdk/row-version.ts'
import type { Change, Row } from '../../protocol/change.ts'
import { deleted, inserted, oversize, truncated, updated } from './world.ts'

const versioned: Shape = { key: ['id'], version: 'version' }
const plain: Shape = { ...versioned, version: undefined }

describe('a change applied to the rows', () => {
  it('says what it altered', () => {
    const one = { id: 1, version: 1 }
    const two = { id: 1, version: 2 }
    const list = [inserted(1, one), updated(2, one, two), deleted(3, two)]
    const applied = applyTo(new Map<string, Row>(), list, versioned)
    expect(applied).toEqual([
      { change: list[0], key: '{"id":1}', before: null, after: one },
      { change: list[1], key: '{"id":1}', before: one, after: two },
      { change: list[2], key: '{"id":1}', before: two, after: null },
    ])
  })

  it('an update of the key takes the row from its old key', () => {
    expect(
      outcome([{ id: 1, name: 'a' }], [updated(1, { id: 1, name: 'a' }, { id: 2, name: 'a' })]),
    ).toEqual([{ id: 2, name: 'a' }])
  })

  it('two rows may exchange their keys', () => {
    const [a, b] = [
      { id: 1, name: 'a' },
      { id: 2, name: 'b' },
    ]
    const list = [
      updated(1, a, { ...a, id: 3 }),
      updated(2, b, { ...b, id: 1 }),
      updated(3, { ...a, id: 3 }, { ...a, id: 2 }),
    ]
    expect(outcome([a, b], list)).toEqual([
      { id: 1, name: 'b' },
      { id: 2, name: 'a' },
    ])
  })

  it('a truncate empties, and says so row by row', () => {
    const rows = table([{ id: 1 }, { id: 2 }])
    const applied = applyTo(rows, [truncated(5)], plain)
    expect(applied.map(({ key, after }) => [key, after])).toEqual([
      ['{"id":1}', null],
      ['{"id":2}', null],
    ])
    expect(rows.size).toBe(0)
  })

  it('a delete without its image takes the row all the same', () => {
    expect(outcome([{ id: 1, version: 3 }], [oversize(1, 'delete', { id: 1 })], versioned)).toEqual(
      [],
    )
  })

  it('a row is not set back by an older version, nor taken by an older delete', () => {
    const held = { id: 1, version: 5 }
    const old = { id: 1, version: 2 }
    expect(outcome([held], [updated(1, old, { ...old, version: 3 })], versioned)).toEqual([held])
    expect(outcome([held], [deleted(1, old)], versioned)).toEqual([held])
    expect(outcome([held], [updated(1, old, { id: 9, version: 3 })], versioned)).toEqual([
      held,
      { id: 9, version: 3 },
    ])
  })

  it('an equal version replaces', () => {
    expect(
      outcome([{ id: 1, version: 5, n: 1 }], [inserted(1, { id: 1, version: 5, n: 2 })], versioned),
    ).toEqual([{ id: 1, version: 5, n: 2 }])
  })
})

describe('the key of a row', () => {
  it('is the same from a change, an image and a snapshot', () => {
    expect(rowKey({ b: 'x', a: 1 }, ['b', 'a'])).toBe('{"a":1,"b":"x"}')
    expect(rowKey({ z: 0, a: 1, b: 'x' }, ['a', 'b'])).toBe('{"a":1,"b":"x"}')
  })

  it('that is not in the row is said', () => {
    expect(() => rowKey({ a: 1 }, ['id'])).toThrow('a row has no column "id"')
  })

  it('other than the changes have is noticed, of truncates nothing', () => {
    const change: Change = { ...inserted(1), key: { a: 1, b: 2 } }
    expect(otherKey([inserted(1), change], ['id'])).toEqual(['a', 'b'])
    expect(otherKey([change], ['b', 'a'])).toBeNull()
    expect(otherKey([truncated(1), inserted(2)], ['id'])).toBeNull()
  })
})

describe('versions compare', () => {
  it.each([
    [1, 2, true],
    [2, 1, false],
    [2, 2, false],
    [9, 10, true],
    ['9', '10', true],
    [9007199254740991, '9007199254740993', true],
    ['9007199254740993', '9007199254740992', false],
    ['2026-11-21T08:33:55+00:00', '2026-11-21T08:33:55.1+00:00', true],
    ['2026-11-21T08:33:55.12+00:00', '2026-11-21T08:33:55.123+00:00', true],
    ['2026-11-21T08:33:56+00:00', '2026-11-21T08:33:55.9+00:00', false],
    [null, 3, false],
    [3, undefined, false],
  ])('%s older than %s: %s', (version, held, older) => {
    expect(isOlder(version, held)).toBe(older)
  })
})

function table(rows: Row[]): Map<string, Row> {
  return new Map(rows.map((row) => [rowKey(row), row]))
}

function outcome(rows: Row[], changes: Change[], shape = plain): Row[] {
  const map = table(rows)
  applyTo(map, changes, shape)
  return [...map.values()].sort((a, b) => Number(a.id) - Number(b.id))
}
