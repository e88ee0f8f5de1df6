import { describe, expect, test } from 'vitest'
import type { Row } from '../../protocol/change.ts'
import type { Copy, Item } from '../../worker/inbox/copy.ts'
import type { Duties } from '../../worker/inbox/duties.ts'
import { dueIn, wakeAt } from '../../worker/inbox/waking.ts'

const NOW = Date.parse('2026-11-21T08:00:00Z')
const DAY_MS = 86_400_000
const NEVER = Number.POSITIVE_INFINITY

const atRest: Duties = {
  ...{ dueAt: null, troubled: [], late: [], wanted: null, left: [], lookAt: null },
}

function copy(fields: Partial<Copy> = {}): Copy {
  return {
    ...{ epoch: 'e', offset: 0, tail: 0, feed: 'f', user: { id: 1 }, floor: null },
    older: { unseen: 0, unread: 0, expiresAt: null },
    ...{ items: new Map(), all: { seen: 0, read: 0, archived: 0 }, isStale: false },
    ...fields,
  }
}

function kept(expiresAt: number | null): Copy['items'] {
  const row = { id: 1 }
  const item: Item = {
    ...{ kind: 'kept', id: 1, version: 1, moved: 0, heard: 0, row, at: 0, expiresAt },
  }
  return new Map([[1, item]])
}

const older = (expiresAt: number) => ({ unseen: 1, unread: 1, expiresAt })

describe('P81 an inbox wakes', () => {
  test.each<[string, Copy | null, Partial<Duties>, number, number]>([
    ['never, with nothing to do', null, {}, 0, NEVER],
    ['never, with a copy that does not change', copy(), {}, 0, NEVER],
    ['when something is due', null, { dueAt: NOW + 5 }, 0, NOW + 5],
    ['at once when it is late', null, { dueAt: NOW - 5 }, 0, NOW],
    ['not before Postgres may be asked', null, { dueAt: NOW - 5 }, NOW + 9, NOW + 9],
    ['at once for what came late', null, { late: [3] }, 0, NOW],
    ['at once to be filled in another life', copy(), { wanted: 'g' }, 0, NOW],
    ['at once when it is stale', copy({ isStale: true }), {}, 0, NOW],
    ['when stale, not before Postgres may be asked', copy({ isStale: true }), {}, NOW + 9, NOW + 9],
    ['to look at the feed', copy(), { lookAt: NOW + 7 }, NOW + 9, NOW + 7],
    ['when the first of the kept expires', copy({ items: kept(NOW + 3) }), {}, NOW + 9, NOW + 3],
    ['not for what never expires', copy({ items: kept(null) }), {}, 0, NEVER],
    ['when one before them expires', copy({ older: older(NOW + 4) }), {}, 0, NOW + 4],
    ['then too only to ask', copy({ older: older(NOW + 4) }), {}, NOW + 9, NOW + 9],
    ['for the earliest of all', copy({ items: kept(NOW + 3) }), { dueAt: NOW + 2 }, 0, NOW + 2],
    ['at the latest after 30 days', null, { dueAt: NOW + 400 * DAY_MS }, 0, NOW + 30 * DAY_MS],
  ])('%s', (_when, copy, duties, askAt, expected) => {
    expect(wakeAt(copy, { ...atRest, ...duties }, { askAt, loadAt: 0, now: NOW })).toBe(expected)
  })
})

test('P81 an inbox that was filled a moment ago waits before it is filled again, and for no more', () => {
  const clock = { askAt: 0, loadAt: NOW + 6, now: NOW }
  expect(wakeAt(copy({ isStale: true }), atRest, clock)).toBe(NOW + 6)
  expect(wakeAt(copy({ isStale: true }), { ...atRest, late: [1] }, clock)).toBe(NOW)
})

describe('P81 of rows that are heard', () => {
  const scheduled = (deliver_at: string): Row => ({ id: 1, state: 'scheduled', deliver_at })

  test('the earliest that is scheduled is due, not a moment before its time', () => {
    const rows = [
      scheduled('2026-11-21T08:00:02.000001+00:00'),
      scheduled('2026-11-21T08:00:01.000500+00:00'),
      { id: 2, state: 'delivered', deliver_at: '2026-11-21T07:00:00.000000+00:00' },
      { id: 3, state: 'cancelled', deliver_at: null },
      { id: 1, name: 'Ada' },
    ]
    expect(dueIn(rows, NOW)).toBe(NOW + 1_001)
    expect(dueIn(rows.slice(2), NOW)).toBeNull()
  })

  test('a time that is none here lets Postgres say', () => {
    expect(dueIn([scheduled('infinity')], NOW)).toBe(NOW)
  })
})
