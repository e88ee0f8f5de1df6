import { describe, expect, test } from 'vitest'
import { capturedChange } from '../../protocol/change.ts'
import { MAX_BATCH_BYTES, MAX_CHANGE_BYTES } from '../../protocol/link.ts'
import { changeText, fillBatch, type OutboxRow } from '../../protocol/outbox.ts'

const change = '6d0f0f5e-0000-4000-8000-000000000000'

function row(part: Partial<OutboxRow> = {}): OutboxRow {
  return {
    id: '1',
    change,
    table: 'orders',
    op: 'insert',
    key_columns: ['id'],
    key: null,
    new: '{"id":1,"body":"x"}',
    old: null,
    at: '2026-11-21T08:33:55.123456+00:00',
    age_ms: 3,
    oversize: false,
    followed: false,
    ...part,
  }
}

function read(part: Partial<OutboxRow>) {
  const { text, oversize } = changeText(row(part))
  return { oversize, change: capturedChange.parse(JSON.parse(text)) }
}

describe('changeText', () => {
  test('P4 an insert carries table, operation, key, row, UUID and time', () => {
    expect(read({})).toEqual({
      oversize: false,
      change: {
        id: change,
        table: 'orders',
        op: 'insert',
        key: { id: 1 },
        new: { id: 1, body: 'x' },
        old: null,
        at: '2026-11-21T08:33:55.123456+00:00',
      },
    })
  })

  test('P4 the key is of the new row if there is one, else of the old, and a truncate has none', () => {
    const old = '{"id":7,"body":"y"}'
    expect(read({ op: 'update', old }).change.key).toEqual({ id: 1 })
    expect(read({ op: 'delete', new: null, old }).change.key).toEqual({ id: 7 })
    expect(read({ op: 'truncate', new: null }).change).toMatchObject({ key: null, new: null })
  })

  test('P4 keys of several columns, and of any name, keep their order', () => {
    const image = '{"b":2,"__proto__":"p","a":{"x":[1]},"\\"":null}'
    const columns = ['a', '__proto__', 'b', '"']
    const { text } = changeText(row({ new: image, key_columns: columns }))
    expect(text).toContain('"key":{"a":{"x":[1]},"__proto__":"p","b":2,"\\"":null}')
  })

  test('P4 a table of any name', () => {
    expect(read({ table: 'sho"p.\n🔔' }).change.table).toBe('sho"p.\n🔔')
  })

  test('P5 inexact numbers are quoted, in the key too', () => {
    const { change } = read({ new: '{"id":9007199254740993,"n":[1.5,12345678901234567.89]}' })
    expect(change.key).toEqual({ id: '9007199254740993' })
    expect(change.new).toEqual({ id: '9007199254740993', n: [1.5, '12345678901234567.89'] })
  })

  test('P1 escapes that Postgres cannot read again are no trouble', () => {
    const { change } = read({ new: String.raw`{"id":"\u0000","doc":"\ud800"}` })
    expect(change.key).toEqual({ id: '\0' })
  })

  test('P6 a row that came without its images has the key that came with it', () => {
    expect(read({ oversize: true, new: null, key: '{ "id" : 2 }' })).toMatchObject({
      oversize: true,
      change: { key: { id: 2 }, new: null, old: null, oversize: true },
    })
    expect(read({ oversize: true, new: null }).change.key).toBeNull()
  })

  test('P6 one that grew too large on the way loses its images and keeps the rest', () => {
    const many = Array(100_000).fill('9007199254740993').join(',')
    const image = `{"id":1,"list":[${many}]}`
    expect(image.length).toBeLessThan(MAX_CHANGE_BYTES)
    expect(read({ op: 'update', new: image, old: '{"id":1}' })).toMatchObject({
      oversize: true,
      change: { op: 'update', key: { id: 1 }, new: null, old: null, oversize: true },
    })
  })

  test('P6 its size is asked in bytes', () => {
    const body = (text: string) => changeText(row({ new: `{"id":1,"body":"${text}"}` }))
    expect(body('ñ'.repeat(MAX_CHANGE_BYTES / 2)).oversize).toBe(true)
    expect(body('n'.repeat(MAX_CHANGE_BYTES / 2)).oversize).toBe(false)
  })
})

describe('fillBatch', () => {
  const large = (bytes: number) => row({ new: `{"id":1,"body":"${'x'.repeat(bytes)}"}` })

  test('takes what fits and says that there is more', () => {
    const rows = [large(400_000), large(400_000), large(400_000)]
    const { owed, more } = fillBatch(rows)
    expect(owed.length).toBe(2)
    expect(more).toBe(true)
    expect(owed.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThan(MAX_BATCH_BYTES)
  })

  test('takes a larger one alone', () => {
    expect(fillBatch([large(1_500_000), row()])).toMatchObject({ owed: [{ id: '1' }], more: true })
  })

  test('says what the last row says of others behind it', () => {
    expect(fillBatch([])).toEqual({ owed: [], more: false })
    expect(fillBatch([row()]).more).toBe(false)
    expect(fillBatch([row(), row({ followed: true })]).more).toBe(true)
  })
})
