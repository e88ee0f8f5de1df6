import { types } from 'pg'
import { describe, expect, it } from 'vitest'
import { sqlError } from '../../client/cli/sql-error.ts'
import { exactValue } from '../../client/cli/sql-values.ts'

const { BOOL, INT4, INT8, NUMERIC, FLOAT8, JSONB, TEXT, TIMESTAMPTZ } = types.builtins

describe('an error of Postgres', () => {
  it('marks its place in the line', () => {
    const text = 'select 1;\n\tselect é, nme from orders'
    const position = String([...text].indexOf('n', 20) + 1)
    expect(
      sqlError(
        {
          message: 'column "nme" does not exist',
          severity: 'ERROR',
          code: '42703',
          position,
          hint: 'Perhaps "name".',
        },
        text,
      ),
    ).toBe(
      [
        'ERROR 42703: column "nme" does not exist',
        'LINE 2:  select é, nme from orders',
        '                   ^',
        'HINT: Perhaps "name".',
      ].join('\n'),
    )
  })

  it('without a place says the rest', () => {
    expect(sqlError({ message: 'no\x1b', detail: 'Key (id)=(1) already exists.' }, 'x')).toBe(
      'ERROR : no\\u001b\nDETAIL: Key (id)=(1) already exists.',
    )
  })
})

describe('a value for JSON', () => {
  it.each([
    [null, INT4, null],
    ['t', BOOL, true],
    ['42', INT4, 42],
    ['9007199254740993', INT8, '9007199254740993'],
    ['12.50', NUMERIC, 12.5],
    ['0.1000000000000000055511151231257827', NUMERIC, '0.1000000000000000055511151231257827'],
    ['100', NUMERIC, 100],
    ['NaN', NUMERIC, 'NaN'],
    ['1e+300', FLOAT8, 1e300],
    ['Infinity', FLOAT8, 'Infinity'],
    ['{"a":[9007199254740993,1.5]}', JSONB, { a: ['9007199254740993', 1.5] }],
    ['2026-11-21 08:33:55.123456+00', TIMESTAMPTZ, '2026-11-21 08:33:55.123456+00'],
    ['7', TEXT, '7'],
  ])('%s of type %i is %j', (text, type, value) => {
    expect(exactValue(text, type)).toEqual(value)
  })
})
