import { describe, expect, test } from 'vitest'
import {
  formatAgo,
  formatAmount,
  formatCount,
  formatMs,
  formatTime,
  formatValue,
} from '../../../client/dashboard/format.ts'

describe('formatMs', () => {
  test.each([
    [0, '<1 ms'],
    [0.6, '<1 ms'],
    [38.4, '38 ms'],
    [999, '999 ms'],
    [999.2, '999 ms'],
    [999.7, '1.0 s'],
    [1_234, '1.2 s'],
    [9_960, '10 s'],
    [42_400, '42 s'],
    [59_700, '1 min'],
    [3 * 60_000, '3 min'],
    [59.7 * 60_000, '1 h'],
    [5 * 3_600_000, '5 h'],
    [47.9 * 3_600_000, '2 d'],
    [72 * 3_600_000, '3 d'],
  ])('%d ms is %s', (ms, text) => expect(formatMs(ms)).toBe(text))

  test.each([-1.5, -60_000, Number.NaN, Number.POSITIVE_INFINITY])(
    '%d says nothing: the clocks differ',
    (ms) => expect(formatMs(ms)).toBe('–'),
  )
})

describe('formatAgo', () => {
  const at = '2026-11-21T08:33:55.123456+00:00'
  const ago = (ms: number) => formatAgo(at, Date.parse(at) + ms)

  test.each([
    [-5_000, 'now'],
    [9_000, 'now'],
    [19_900, '10 s ago'],
    [59_900, '50 s ago'],
    [60_000, '1 min ago'],
    [3_599_000, '59 min ago'],
    [7_200_000, '2 h ago'],
    [3 * 86_400_000, '3 d ago'],
    [30 * 86_400_000, '21 Nov'],
  ])('%d ms later: %s', (ms, text) => expect(ago(ms)).toBe(text))

  test('what is no time is a dash', () => expect(formatAgo('soon', 0)).toBe('–'))
})

describe('values', () => {
  test('counts and amounts are grouped, amounts have two places', () => {
    expect(formatCount(1_204)).toBe('1,204')
    expect(formatAmount(1_240.5)).toBe('1,240.50')
  })

  test('a time is shown to the millisecond', () => {
    expect(formatTime('2026-11-21T08:33:55.123456+00:00', 'UTC')).toBe('08:33:55.123')
    expect(formatTime('never')).toBe('–')
  })

  test.each([
    ['status', 'filled', 'filled'],
    ['amount', 12.5, '12.50'],
    ['amount', '123456789012345.67', '123456789012345.67'],
    ['customer_email', null, 'null'],
    ['customer_email', undefined, 'null'],
    ['note', '', '""'],
    ['paid', false, 'false'],
    ['tags', ['a', 1], '["a",1]'],
  ])('%s %j is shown as %s', (column, value, text) => expect(formatValue(column, value)).toBe(text))

  test('a long one is cut', () => {
    const shown = formatValue('note', 'x'.repeat(5_000))
    expect(shown).toHaveLength(120)
    expect(shown.endsWith('…')).toBe(true)
  })
})
