import { expect, it } from 'vitest'
import { repeatIn, type Trouble } from '../../client/cli/repeat.ts'

const refused = (status: number, retryAfterMs: number | null, code: string | null = null) =>
  ({ kind: 'refused', status, code, retryAfterMs }) as const

/** What may be sent twice; what may not. */
const table: [what: string, trouble: Trouble, repeatable: number | null, other: number | null][] = [
  ['a connection that broke off', { kind: 'broken' }, 125, null],
  ['no answer in time', { kind: 'late' }, 125, null],
  ['nobody there', { kind: 'unreachable' }, null, null],
  ['too many requests', refused(429, 2_000), 2_125, 2_125],
  ['too many requests for long', refused(429, 31_000), null, null],
  ['too many requests, it does not say for how long', refused(429, null), null, null],
  ['not now', refused(503, 1_000), 1_125, null],
  ['not now, it does not say until when', refused(503, null), null, null],
  ['the same under way', refused(409, 1_000, 'idempotency_in_progress'), 1_125, null],
  ['another conflict', refused(409, 1_000, 'conflict'), null, null],
  ['a failure', refused(500, 1_000), null, null],
  ['no', refused(403, 1_000), null, null],
]

it.each(table)('P100 P101 after %s', (_, trouble, repeatable, other) => {
  const first = { attempt: 1, random: 0.5 }
  expect(repeatIn(trouble, { ...first, isRepeatable: true })).toBe(repeatable)
  expect(repeatIn(trouble, { ...first, isRepeatable: false })).toBe(other)
  // Four in all, and of those that take half a minute two.
  const last = trouble.kind === 'late' ? 2 : 4
  expect(repeatIn(trouble, { attempt: last, random: 0.5, isRepeatable: true })).toBeNull()
})
