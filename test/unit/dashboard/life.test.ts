import { describe, expect, test } from 'vitest'
import { chapters, lastKnown } from '../../../client/dashboard/order-page/chapters.ts'
import { columnsOf } from '../../../client/dashboard/order-page/columns.ts'
import { type Life, life, type Unwritten } from '../../../client/dashboard/order-page/life.ts'

const at = (minute: number) => `2026-11-21T08:${String(minute).padStart(2, '0')}:00.000000+00:00`
const written = (version: number | null, minute: number, action = 'update') => ({
  version,
  at: at(minute),
  by: 'operator',
  name: null,
  request: `request-${minute}`,
  action,
  changed: { status: ['pending', 'filled'] },
})
const bySql = (first: number, last: number): Unwritten => ({ versions: [first, last], by: 'sql' })
const mail = (id: number, minute: number, version: number | null) => ({
  id,
  recipient: 'ada@example.com',
  state: 'delivered' as const,
  rule: 'order-filled',
  version,
  at: at(minute),
})
const inbox = (id: number, minute: number) => ({
  id,
  user: 12,
  title: 'Your order is filled',
  state: 'delivered',
  delivered_at: at(minute),
  version: null,
})
const story = (part: Partial<Life>): Life =>
  life.parse({ order: null, versions: [], notifications: [], mails: [], ...part })

/** Each chapter with who was told: "2: mail 1, inbox 5". */
function outline(of: Life): string[] {
  return chapters(of).map(({ kind, entry, told }) => {
    const name = kind === 'sql' ? entry.versions.join('-') : String(entry.version)
    const heard = told.map((each) =>
      each.kind === 'mail' ? `mail ${each.mail.id}` : `inbox ${each.notification.id}`,
    )
    return [name, ...heard].join(' ')
  })
}

describe('P104 the life of an order', () => {
  test('is told newest first, whatever was made by SQL in its place', () => {
    const versions = [
      written(1, 1, 'insert'),
      bySql(2, 3),
      written(4, 10),
      written(null, 20, 'delete'),
    ]
    expect(outline(story({ versions }))).toEqual(['null', '4', '2-3', '1'])
  })

  test('has who was told beside the version that they were told of', () => {
    const versions = [written(1, 1, 'insert'), bySql(2, 3), written(4, 10)]
    const mails = [mail(31, 30, 1), mail(32, 11, 3), mail(33, 12, 4)]
    expect(outline(story({ versions, mails }))).toEqual(['4 mail 33', '2-3 mail 32', '1 mail 31'])
  })

  test('has those of whom that is not known beside the last version by then', () => {
    const versions = [written(1, 1, 'insert'), written(2, 10)]
    const told = { mails: [mail(31, 9, null)], notifications: [inbox(5, 10), inbox(6, 0)] }
    expect(outline(story({ versions, ...told }))).toEqual(['2 inbox 5', '1 inbox 6 mail 31'])
  })

  test('has a mail that came long after a version beside what SQL made next', () => {
    const versions = [written(1, 1, 'insert'), bySql(2, 3)]
    const mails = [mail(31, 1, null), mail(32, 9, null)]
    expect(outline(story({ versions, mails }))).toEqual(['2-3 mail 32', '1 mail 31'])
  })

  test('of one that is gone still says what it was', () => {
    const end = {
      ...written(null, 20, 'delete'),
      changed: { status: ['filled', null], amount: [] },
    }
    const known = lastKnown(story({ versions: [written(1, 1, 'insert'), end] }))
    expect(known).toEqual({ status: 'filled', amount: undefined })
    expect(lastKnown(story({ versions: [written(1, 1, 'insert')] }))).toEqual({})
  })

  test('names what a version altered as a person reads it, and of a whole row what it had', () => {
    const changed = {
      version: [1, 2],
      customer_email: ['ada@example.com', null],
      customer_name: ['Ada', 'Ada Lovelace'],
      hidden: [],
    }
    const names = (action: string, of: object) =>
      columnsOf({ ...written(2, 1, action), changed: { ...of } }).map(({ column }) => column)
    expect(names('update', changed)).toEqual(['customer_name', 'customer_email', 'hidden'])
    const row = { id: [null, 7], customer_id: [null, null], status: [null, 'pending'] }
    expect(names('insert', row)).toEqual(['status'])
  })
})
