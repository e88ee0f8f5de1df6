import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tableView } from '../../client/cli/table-view.ts'
import { cut, printable, textWidth } from '../../client/cli/text-width.ts'
import { FakeTerminal } from './fake-terminal.ts'

const { paint } = new FakeTerminal()

describe('a table', () => {
  it('is aligned, numbers to the right, wide letters counted, nothing trailing', () => {
    const view = tableView(
      [{ title: 'id', side: 'right' }, { title: 'name' }, { title: 'e-mail' }],
      [
        ['7', '愛 Ada', 'a@x'],
        ['1024', 'Grace', ''],
      ],
      paint,
    )
    expect(view).toBe(['  id  name    e-mail', '   7  愛 Ada  a@x', '1024  Grace', ''].join('\n'))
  })

  it('shows what could drive the terminal as escapes', () => {
    expect(tableView([{ title: 'a\x1b' }], [['x\ny']], paint)).toBe('a\\u001b\nx\\ny\n')
  })
})

describe('text', () => {
  it('counts columns, not characters', () => {
    expect([
      textWidth('abc'),
      textWidth('é'),
      textWidth('愛'),
      textWidth('👩‍🚀'),
      textWidth('→'),
    ]).toEqual([3, 1, 2, 2, 1])
  })

  it('is never wider than it is cut to, and is whole where it fits', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(20), (text, columns) => {
        const safe = printable(text)
        expect(textWidth(cut(safe, columns))).toBeLessThanOrEqual(columns)
        if (textWidth(safe) <= columns) expect(cut(safe, columns)).toBe(safe)
      }),
    )
  })

  it('printed from anywhere holds no control character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable(text)).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u)
      }),
    )
  })
})
