import { NeonDbError } from '@neondatabase/serverless'
import { DrizzleQueryError } from 'drizzle-orm/errors'
import { expect, test } from 'vitest'
import { problems } from '../../protocol/problems.ts'
import { DatabaseNotConfigured, databaseFailure } from '../../worker/api/database-failure.ts'

const SECRET = 'select secret'

function failed(fields: Partial<NeonDbError>): DrizzleQueryError {
  const cause = Object.assign(new NeonDbError(`words that say nothing: ${SECRET}`), fields)
  return new DrizzleQueryError(SECRET, ['value'], cause)
}

test.each([
  ['23505', 'conflict'],
  ['23503', 'conflict'],
  ['23001', 'conflict'],
  ['23P01', 'conflict'],
  ['23514', 'unprocessable'],
  ['23502', 'unprocessable'],
  ['22001', 'unprocessable'],
  ['22003', 'unprocessable'],
  ['22P02', 'unprocessable'],
  ['22008', 'unprocessable'],
  ['40001', 'database_unavailable'],
  ['40P01', 'database_unavailable'],
  ['08006', 'database_unavailable'],
  ['25006', 'database_unavailable'],
  ['28P01', 'database_unavailable'],
  ['3D000', 'database_unavailable'],
  ['53300', 'database_unavailable'],
  ['57014', 'database_unavailable'],
  ['57P01', 'database_unavailable'],
  ['57P03', 'database_unavailable'],
  ['XX000', 'database_unavailable'],
  ['42P01', 'internal'],
  ['42501', 'internal'],
  ['42601', 'internal'],
  ['P0001', 'internal'],
])('SQLSTATE %s is %s, says what it is, and tells no SQL', (code, expected) => {
  const failure = databaseFailure(failed({ code }))
  expect(failure?.code).toBe(expected)
  expect(failure?.detail).toMatch(/\.$|migrate$/)
  expect(failure?.detail).not.toContain(SECRET)
  expect(failure?.detail).not.toContain('{')
})

test('what may succeed later says when', () => {
  for (const code of ['40001', '08006', '57P01', '53300', 'XX000'])
    expect(databaseFailure(failed({ code }))?.retryAfterS).toBeGreaterThan(0)
  expect(problems.database_unavailable.retry).toBe(true)
})

test('a detail names the constraint, else the column', () => {
  const constraint = 'orders_amount_not_negative'
  expect(databaseFailure(failed({ code: '23514', constraint, column: 'amount' }))?.detail).toBe(
    'A rule of the table does not hold (constraint orders_amount_not_negative).',
  )
  expect(databaseFailure(failed({ code: '23502', column: 'amount' }))?.detail).toBe(
    'A value is missing (column amount).',
  )
})

test('no SQLSTATE is no answer, whatever the words, and leaves open what happened', () => {
  const unreachable = { code: 'database_unavailable', outcome: 'unknown', retryAfterS: 5 }
  const sourceError = new TypeError('fetch failed')
  expect(databaseFailure(failed({ sourceError }))).toMatchObject(unreachable)
  expect(databaseFailure(failed({ code: '' }))).toMatchObject(unreachable)
  expect(databaseFailure(new DrizzleQueryError(SECRET, [], new SyntaxError('…')))).toMatchObject(
    unreachable,
  )
  expect(databaseFailure(new NeonDbError('violates unique constraint'))).toMatchObject(unreachable)
})

test('a refusal leaves nothing open, a lost connection does', () => {
  expect(databaseFailure(failed({ code: '23505' }))?.outcome).toBe('refused')
  expect(databaseFailure(failed({ code: '57P01' }))?.outcome).toBe('unknown')
})

test('a missing address is told as such', () => {
  expect(databaseFailure(new DatabaseNotConfigured('Set it.'))).toMatchObject({
    code: 'database_unavailable',
    detail: 'Set it.',
  })
})

test('other errors are not the database’s', () => {
  expect(databaseFailure(new TypeError('fetch failed'))).toBeNull()
  expect(databaseFailure('23505')).toBeNull()
})
