import fc from 'fast-check'
import type { Row } from '../../protocol/change.ts'
import { marks } from '../../protocol/notification.ts'
import { WINDOW } from '../../worker/inbox/copy.ts'
import type { InboxDatabase } from './inbox-database.ts'

/** Whatever may be written about one user's notifications, at random. */
const mark = fc.constantFrom(...marks)
/** The how manieth of the list: mostly near its top, or near where an inbox keeps no more. */
const which = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 10 }) },
  { weight: 3, arbitrary: fc.integer({ min: WINDOW - 6, max: WINDOW + 12 }) },
)
const kind = <Kind extends string>(name: Kind) => fc.constant(name)
const ms = (max: number) => fc.integer({ min: 1, max })

export const write = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: kind('insert'), expiresIn: fc.option(ms(5_000)) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('history'), ageMs: ms(90_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('schedule'), inMs: ms(3_000) }) },
  { weight: 5, arbitrary: fc.record({ kind: kind('mark'), mark, which, undo: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: kind('markAll'),
      mark,
      ageMs: fc.constantFrom(0, 0, 1, 500, 2_000, 60_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('undoAll'), mark }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: kind('delete'), which, count: fc.constantFrom(1, 1, 1, 8, 60) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('expire'), which, inMs: ms(3_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('hide'), which }) },
)
export type Write = typeof write extends fc.Arbitrary<infer Each> ? Each : never

/** @returns what was written that is still there */
export function carryOut(
  database: InboxDatabase,
  write: Write,
): { notifications: Row[]; user: Row | null } {
  const rows = (...notifications: Row[]) => ({ notifications, user: null })
  const inbox = database.inbox()
  const row = 'which' in write ? inbox[Math.min(write.which, inbox.length - 1)] : undefined
  const id = Number(row?.id)
  switch (write.kind) {
    case 'insert': {
      const { expiresIn } = write
      const expires_at = expiresIn === null ? null : database.time(expiresIn)
      return rows(database.insert({ expires_at }))
    }
    case 'history':
      return rows(database.insert({ delivered_at: database.time(-write.ageMs) }))
    case 'schedule':
      return rows(database.insert({ deliver_at: database.time(write.inMs) }))
    case 'mark':
      return row ? rows(database.mark(id, write.mark, write.undo)) : rows()
    case 'markAll': {
      const through = database.time(-write.ageMs)
      const before = database.user?.[ofAll[write.mark]] as string | null
      if (before !== null && before >= through) return rows()
      return { notifications: [], user: database.markAll(write.mark, through) }
    }
    case 'undoAll':
      return { notifications: [], user: database.markAll(write.mark, null) }
    case 'delete':
      for (const { id } of inbox.slice(write.which, write.which + write.count))
        database.delete(Number(id))
      return rows()
    case 'expire':
      return row ? rows(database.update(id, { expires_at: database.time(write.inMs) })) : rows()
    case 'hide':
      return row ? rows(database.update(id, { to_inbox: false })) : rows()
  }
}

const ofAll = { seen: 'last_opened_at', read: 'all_read_at', archived: 'all_archived_at' } as const
