import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatPosition, parsePosition } from '../../protocol/position.ts'

describe('positions', () => {
  test('what was formatted can be parsed', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[0-9a-z]{1,32}$/),
        fc.integer({ min: 0, max: 999_999_999_999_999 }),
        (epoch, offset) => {
          expect(parsePosition(formatPosition({ epoch, offset }))).toEqual({ epoch, offset })
        },
      ),
    )
  })

  test.each([
    '',
    ':',
    'k3v',
    'k3v:',
    ':5',
    'k3v:-1',
    'k3v:1.5',
    'k3v:1e3',
    'K3V:1',
    'k3v:1 ',
    ' k3v:1',
    'k3v:1\n',
    'k3v:1:2',
    `k3v:${'9'.repeat(16)}`,
    `${'k'.repeat(33)}:1`,
  ])('P60 %j is no position', (text) => {
    expect(parsePosition(text)).toBeNull()
  })
})
