import { runInDurableObject } from 'cloudflare:test'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Change, Operation, Row } from '../../protocol/change.ts'
import { Unready } from '../../worker/feed/consumer.ts'
import { mailRulebook } from '../../worker/rules/rulebook.ts'
import { orderFilledRule } from '../support/database-of-rules.ts'
import { bindings } from './link.ts'

let sql: SqlStorage
let table: Row[] | Error
let loads: number
let lives = 0

beforeEach(() => {
  table = [rule(1)]
  loads = 0
})

/** Run in an object of its own, as only there its storage may be touched. */
function inObject<Args extends unknown[]>(work: (...args: Args) => Promise<void>) {
  return async (...args: Args) => {
    const stub = bindings.MAILER.getByName(`rulebook ${++lives}`)
    await runInDurableObject(stub, async (_, { storage }) => {
      sql = storage.sql
      await work(...args)
    })
  }
}

function rule(id: number, fields: Row = {}): Row {
  return { ...orderFilledRule, id, name: `rule ${id}`, ...fields } as Row
}

/** As after an eviction: nothing is remembered but what is stored. */
function wake() {
  return mailRulebook(sql, async () => {
    loads++
    if (table instanceof Error) throw table
    return table
  })
}

function change(op: Operation, row: Row | null, fields: Partial<Change> = {}): Change {
  const key = row && { id: row.id ?? null }
  const images = { new: op === 'delete' ? null : row, old: op === 'insert' ? null : row }
  const at = '2026-11-21T08:34:55.123456+00:00'
  return { id: 'a change', offset: 1, table: 'rules', op, key, at, ...images, ...fields }
}

/** Lets changes pass, and tells what is in force then, here and after an eviction. */
async function pass(...changes: Change[]): Promise<[number, number][]> {
  const book = await wake().open('life')
  for (const each of changes) book.move(each)
  book.keep()
  const told = book.entries.map(({ id, version }) => [id, version] as [number, number])
  const again = await wake().open('life')
  expect(again.entries.map(({ id, version }) => [id, version])).toEqual(told)
  return told
}

describe('P58 the rulebook', () => {
  it(
    'is loaded once in each life of the feed',
    inObject(async () => {
      expect(await pass()).toEqual([[1, 1]])
      table = [rule(2)]
      expect(await pass()).toEqual([[1, 1]])
      expect(loads).toBe(1)
      expect((await wake().open('next life')).entries.map(({ id }) => id)).toEqual([2])
      expect((await wake().open('next life')).entries.map(({ id }) => id)).toEqual([2])
      expect(loads).toBe(2)
    }),
  )

  it(
    'is loaded once for all who ask at the same time',
    inObject(async () => {
      const book = wake()
      await Promise.all([book.open('life'), book.open('life')])
      expect(loads).toBe(1)
    }),
  )

  it(
    'is not ready while it cannot be loaded, and has forgotten nothing then',
    inObject(async () => {
      table = new Error('The database did not answer.')
      const book = wake()
      await expect(book.open('life')).rejects.toThrow(Unready)
      await expect(book.open('life')).rejects.toThrow('The database did not answer.')
      table = [rule(1)]
      expect((await book.open('life')).entries).toHaveLength(1)
    }),
  )

  it(
    'takes the newer version of a rule, and what was loaded may be ahead of the log',
    inObject(async () => {
      table = [rule(1, { version: 5 })]
      expect(await pass(change('update', rule(1, { version: 4, enabled: false })))).toEqual([
        [1, 5],
      ])
      expect(await pass(change('update', rule(1, { version: 6 })))).toEqual([[1, 6]])
    }),
  )

  it(
    'forgets what is deleted, and all when the table is emptied',
    inObject(async () => {
      const added = change('insert', rule(2))
      expect(await pass(added)).toEqual([
        [1, 1],
        [2, 1],
      ])
      expect(await pass(change('delete', rule(1)))).toEqual([[2, 1]])
      expect(await pass(change('truncate', null))).toEqual([])
      expect(await pass(added)).toEqual([[2, 1]])
    }),
  )

  it(
    'knows a rule whose id was changed under its new one',
    inObject(async () => {
      const moved = change('update', rule(7, { version: 2 }), { old: rule(1) })
      expect(await pass(moved)).toEqual([[7, 2]])
    }),
  )

  it.each<[string, Row]>([
    ['a condition that means nothing', { when: 'nonsense' }],
    ['another channel', { channel: 'webhook' }],
    ['a template that there is not', { template: 'nosuch' }],
  ])(
    'with %s a row is inert, and its earlier version too',
    inObject(async (_what, fields) => {
      expect(await pass(change('update', rule(1, { version: 2, ...fields })))).toEqual([])
      expect(await pass(change('update', rule(1, { version: 3 })))).toEqual([[1, 3]])
    }),
  )

  it.each<[string, Row]>([
    ['no id', { id: null }],
    ['an id that is a list', { id: [1] }],
    ['nothing at all', {}],
  ])(
    'a row with %s harms no other',
    inObject(async (_what, fields) => {
      const row = Object.keys(fields).length === 0 ? {} : rule(2, fields)
      expect(await pass(change('insert', row))).toEqual([[1, 1]])
    }),
  )

  it(
    'a rule that is too large to travel is in force no more',
    inObject(async () => {
      const oversize = { new: null, old: null, key: { id: 1 }, oversize: true as const }
      expect(await pass(change('update', rule(1), oversize))).toEqual([])
    }),
  )

  it(
    'other tables move nothing',
    inObject(async () => {
      const other = change('delete', rule(1), { table: 'shop.rules' })
      expect(await pass(other, change('truncate', null, { table: 'orders' }))).toEqual([[1, 1]])
    }),
  )

  it(
    'a page that was not kept has moved nothing',
    inObject(async () => {
      const book = wake()
      const page = await book.open('life')
      page.move(change('delete', rule(1)))
      expect(page.entries).toEqual([])
      expect((await book.open('life')).entries).toHaveLength(1)
      page.keep()
      expect((await book.open('life')).entries).toEqual([])
    }),
  )

  it(
    'a page of an earlier life moves nothing of the next',
    inObject(async () => {
      const book = wake()
      const page = await book.open('life')
      page.move(change('delete', rule(1)))
      await book.open('next life')
      page.keep()
      expect((await book.open('next life')).entries).toHaveLength(1)
      expect((await wake().open('next life')).entries).toHaveLength(1)
    }),
  )
})
