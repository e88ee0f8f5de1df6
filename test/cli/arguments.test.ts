import { describe, expect, it } from 'vitest'
import { readArguments, wantsHelp, wholeNumber } from '../../client/cli/arguments.ts'
import { UsageError } from '../../client/cli/failure.ts'
import { nearest } from '../../client/cli/nearest.ts'

const flags = { after: 'text', where: 'texts', json: 'switch' } as const
const read = (...args: string[]) => readArguments(args, flags, ['[table]'])

describe('arguments', () => {
  it('are read in any order, a value may begin with a dash or stand after =', () => {
    expect(read('--where', 'a=1', 'orders', '--json', '--after=-5', '--where', 'b=2')).toEqual({
      flags: expect.objectContaining({ where: ['a=1', 'b=2'], json: true, after: '-5' }),
      words: ['orders'],
    })
  })

  it.each([
    [['--jsn'], 'there is no flag "--jsn" (did you mean "--json"?).'],
    [['-x'], 'there is no flag "-x".'],
    [['--constructor'], 'there is no flag "--constructor".'],
    [['--after'], '--after needs a value.'],
    [['--after', '--json'], '--after needs a value.'],
    [['--json=yes'], '--json takes no value.'],
    [['a', 'b'], '"b" is one word too many.'],
  ])('%j is refused in one sentence', (args, sentence) => {
    expect(() => read(...args)).toThrow(new UsageError(sentence))
  })

  it('that are missing are named', () => {
    expect(() => readArguments([], flags, ['the id'])).toThrow(new UsageError('the id is missing.'))
  })

  it('ask for help only before --', () => {
    expect([wantsHelp(['x', '-h']), wantsHelp(['--help']), wantsHelp(['--', '--help'])]).toEqual([
      true,
      true,
      false,
    ])
  })

  it.each(['-1', '1.5', '', 'x', '1e3', '9'.repeat(16)])('"%s" is no whole number', (text) => {
    expect(() => wholeNumber('--after', text)).toThrow(UsageError)
  })
})

describe('the nearest name', () => {
  const names = ['tail', 'orders', 'sql', 'status', 'doctor']
  it.each([
    ['tial', 'tail'],
    ['order', 'orders'],
    ['stat', 'status'],
    ['dcotor', 'doctor'],
    ['s', 'sql'],
    ['zzz', null],
    ['', null],
  ])('to "%s" is %s', (typed, name) => {
    expect(nearest(typed, names)).toBe(name)
  })
})
