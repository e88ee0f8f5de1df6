import { describe, expect, it } from 'vitest'
import { changeLine, valueText } from '../../client/cli/change-line.ts'
import type { Change, Row } from '../../protocol/change.ts'
import { FakeTerminal } from './fake-terminal.ts'

const { paint } = new FakeTerminal()

const row: Row = {
  id: 7,
  customer_name: 'Ada Lovelace',
  created_at: '2026-11-21T08:33:55.123456+00:00',
  status: 'pending',
  amount: 12.5,
  customer_email: null,
  version: 1,
  updated_at: '2026-11-21T08:33:55.123456+00:00',
}

function line(change: Partial<Change>, width: number | null = null): string {
  return changeLine(
    {
      id: '00000000-0000-4000-8000-000000000001',
      offset: 41,
      table: 'orders',
      op: 'insert',
      key: { id: 7 },
      new: null,
      old: null,
      at: '2026-11-21T08:33:55.123456+00:00',
      ...change,
    },
    width,
    paint,
  ).replace(/^\d\d:\d\d:\d\d/, 'hh:mm:ss')
}

describe('a change on one line', () => {
  it('an insert says the row, without its key, nulls or anything twice, and instants last', () => {
    expect(line({ op: 'insert', new: row })).toBe(
      'hh:mm:ss.123    #41 insert   orders  id=7  customer_name=Ada Lovelace status=pending amount=12.5 version=1 created_at=2026-11-21 08:33:55 updated_at=2026-11-21 08:33:55',
    )
  })

  it('an update says what changed, old and new', () => {
    const filled = { ...row, status: 'filled', customer_email: 'ada@x.org', version: 2 }
    expect(line({ op: 'update', old: row, new: filled })).toBe(
      'hh:mm:ss.123    #41 update   orders  id=7  status pending → filled · customer_email null → ada@x.org · version 1 → 2',
    )
  })

  it('a delete says the row that was', () => {
    expect(line({ op: 'delete', old: { id: 7, status: 'filled' } })).toBe(
      'hh:mm:ss.123    #41 delete   orders  id=7  status=filled',
    )
  })

  it('a truncate and a row that was too large say so', () => {
    expect(line({ op: 'truncate', key: null })).toBe(
      'hh:mm:ss.123    #41 truncate orders  (all rows)',
    )
    expect(line({ op: 'update', oversize: true })).toMatch(
      'id=7  (too large to carry; read the row itself)',
    )
  })

  it('is cut to the width of the terminal, wide letters counted', () => {
    expect(line({ op: 'insert', new: { ...row, customer_name: '愛'.repeat(30) } }, 60)).toBe(
      'hh:mm:ss.123    #41 insert   orders  id=7  customer_name=愛…',
    )
    expect(line({ op: 'insert', new: row }, 50)).toHaveLength(50)
  })

  it('insert is green, update amber, delete red', () => {
    const terminal = new FakeTerminal()
    terminal.colours = true
    const colour = (op: Change['op']) =>
      changeLine(
        { id: '', offset: 1, table: 't', op, key: null, new: null, old: null, at: '' },
        null,
        terminal.paint,
      )
    expect(colour('insert')).toMatch('<green>insert  </>')
    expect(colour('update')).toMatch('<yellow>update  </>')
    expect(colour('delete')).toMatch('<red>delete  </>')
    expect(colour('truncate')).toMatch('<red>truncate</>')
  })

  it('nothing in a row can move the cursor or turn the writing', () => {
    const shown = line({ table: 'a\x1b]0;x\x07', new: { 'b\r': '\x1b[2J\u202egnp' } })
    expect(shown).toMatch('a\\u001b]0;x\\u0007')
    expect(shown).toMatch('b\\r=\\u001b[2J\\u202egnp')
  })
})

describe('a value', () => {
  it.each([
    [null, 'null'],
    ['', "''"],
    ['a\nb', 'a\\nb'],
    [0.1, '0.1'],
    [true, 'true'],
    ['9007199254740993', '9007199254740993'],
    [{ a: [1, null] }, '{"a":[1,null]}'],
    ['2026-11-21T08:33:55.123456+00:00', '2026-11-21 08:33:55'],
    ['x'.repeat(50), `${'x'.repeat(39)}…`],
  ])('%j is shown as %s', (value, shown) => {
    expect(valueText(value)).toBe(shown)
  })
})
