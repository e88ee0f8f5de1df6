import { beforeEach, describe, expect, test } from 'vitest'
import { type Copy, countsOf, STRAYS, TOMBSTONES, WINDOW } from '../../worker/inbox/copy.ts'
import { filledAgain, filledAnew, type Loaded } from '../../worker/inbox/fill.ts'
import { type Heard, hear, heardIn, rowsAsHeard } from '../../worker/inbox/hear.ts'
import { framesSince } from '../../worker/inbox/moves.ts'
import { InboxDatabase } from '../support/inbox-database.ts'

/** What random happenings meet too seldom: see inbox-copy.property.test.ts. */
let database: InboxDatabase

beforeEach(() => {
  database = new InboxDatabase(7)
})

function loaded(): Loaded {
  const window = database.window(WINDOW)
  if (!window) throw new Error('there is such a user')
  return { ...window, askedAt: database.nowMs }
}

function filled(): Copy {
  return filledAnew(loaded(), [], { epoch: 'e', feed: 'f' }, database.nowMs).copy
}

const heardBy = (copy: Copy, heard: Heard[]) => hear(copy, heard, database.nowMs).copy
const ids = (copy: Copy) =>
  [...copy.items.values()].filter(({ kind }) => kind === 'kept').map(({ id }) => id)

describe('what was heard before', () => {
  test('P82: of an id that bears another row by now changes nothing', () => {
    const row = database.insert()
    database.mark(1, 'read')
    database.delete(1)
    const [inserted, updated, deleted] = heardIn(database.log) as [Heard, Heard, Heard]
    const again: Heard = { kind: 'row', row, offset: 4, arrives: true }
    const copy = heardBy(filled(), [inserted, updated, deleted, again])
    expect(ids(copy)).toEqual([1])
    for (const old of [inserted, updated, deleted]) expect(heardBy(copy, [old])).toBe(copy)
  })

  test('P82: or is no newer, is no move, whichever way it comes', () => {
    database.insert()
    const copy = heardBy(filled(), heardIn(database.log))
    const row = database.mark(1, 'read')
    const marked = heardBy(copy, rowsAsHeard([row], false))
    expect(heardBy(marked, heardIn(database.log))).toBe(marked)
    expect(heardBy(marked, rowsAsHeard([row], true))).toBe(marked)
  })

  test('P82: does not bring back what was deleted', () => {
    const row = database.insert()
    const copy = heardBy(filled(), heardIn(database.log))
    database.delete(1)
    const gone = heardBy(copy, heardIn(database.log))
    expect(ids(heardBy(gone, rowsAsHeard([row], false)))).toEqual([])
  })
})

describe('what one who resumes cannot be told one by one, says reset', () => {
  const resume = (copy: Copy, offset: number) =>
    framesSince(copy, { epoch: 'e', offset }, database.nowMs).map(({ type }) => type)

  test('P83: a mark for all that came and went in versions nobody told of', () => {
    database.insert()
    const copy = filled()
    database.markAll('archived')
    database.markAll('archived', null)
    const user = database.changeUser({ name: 'Ada Lovelace' })
    expect(resume(heardBy(copy, [{ kind: 'user', row: user }]), 0)).toEqual(['reset'])
    const inTurn = heardBy(copy, heardIn(database.log))
    expect(resume(inTurn, 0)).toEqual(['reset'])
  })

  test('P83: one through an earlier time, where what lies before the floor may have been taken back', () => {
    database.insertMany(WINDOW + 1)
    const copy = filled()
    const through = database.time()
    database.pass(5_000)
    const late = database.markAll('read', through)
    expect(resume(heardBy(copy, [{ kind: 'user', row: late }]), 0)).toEqual(['reset'])
    const now = { ...late, all_read_at: late.updated_at ?? null }
    expect(resume(heardBy(copy, [{ kind: 'user', row: now }]), 0)).toEqual(['notifications'])
  })

  test.each([
    ['before the floor', STRAYS, (id: number) => void database.mark(id, 'seen')],
    ['gone', TOMBSTONES, (id: number) => database.delete(id)],
  ])('P83: more that is %s than is remembered', (_what, most, move) => {
    database.insertMany(WINDOW + most + 1)
    let copy = filled()
    const from = database.log.length
    for (let id = 1; id <= most + 1; id++) move(id)
    for (const each of heardIn(database.log.slice(from))) copy = heardBy(copy, [each])
    expect(resume(copy, 0)).toEqual(['reset'])
    expect(resume(copy, 1)).toEqual(['notifications'])
  })
})

test('P82: counts that only a load shows to have moved are told', () => {
  database.insertMany(WINDOW + 3)
  const copy = filled()
  const window = loaded()
  const older = { ...window.older, unseen: 1 }
  const { copy: again } = filledAgain(copy, { ...window, older }, [], database.nowMs)
  expect(framesSince(again, { epoch: 'e', offset: 0 }, database.nowMs)).toMatchObject([
    { type: 'notifications', notifications: [], counts: { unseen: WINDOW + 1 } },
  ])
  const { copy: same } = filledAgain(again, { ...window, older }, [], database.nowMs)
  expect(same.offset).toBe(again.offset)
})

test('P82: what falls below the floor goes on being counted', () => {
  database.insertMany(WINDOW)
  database.mark(1, 'seen')
  database.mark(2, 'archived')
  let copy = filled()
  const from = database.log.length
  database.insertMany(3)
  copy = heardBy(copy, heardIn(database.log.slice(from)))
  expect(copy.isStale).toBe(false)
  expect(copy.floor).not.toBeNull()
  expect(countsOf(copy, database.nowMs)).toEqual(database.counts())
})
