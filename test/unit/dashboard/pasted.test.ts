import { describe, expect, test } from 'vitest'
import { readPasted } from '../../../client/dashboard/pasted.ts'
import { isForOthers, readProblem } from '../../../client/dashboard/refusal.ts'

const KEY = `belfry_${'k'.repeat(43)}`

describe('a credential that is pasted', () => {
  test.each([KEY, ` ${KEY}\n`, `Bearer ${KEY}`, `authorization: bearer ${KEY}`])(
    '%j is the key in it',
    (text) => expect(readPasted(text)).toEqual({ ok: true, credential: KEY }),
  )

  test.each([
    ['nothing', ''],
    ['spaces', '  \n'],
    ['two words', 'belfry_a b'],
    ['what no header may hold', 'belfry_ü'],
    ['a line of a header below it', `${KEY}\r\nx-other: 1`],
    ['a whole file', 'k'.repeat(8_193)],
  ])('P106 %s is refused before it is sent', (_what, text) =>
    expect(readPasted(text)).toMatchObject({ ok: false, wrong: expect.stringMatching(/\.$/) }),
  )
})

describe('a refusal', () => {
  test.each([
    [429, { code: 'rate_limited', title: 'Too many requests' }, '7', 'Wait 7.0 s, then try again.'],
    [429, { code: 'rate_limited', title: 'Too many requests' }, null, 'Wait a moment,'],
    [503, { code: 'internal', title: 'No', retry: true }, '120', 'Wait 2 min, then try again.'],
    [503, undefined, null, 'Try again; if it stays, see the server log.'],
    [503, undefined, 'Fri, 20 Nov 2026 10:00:00 GMT', 'Try again; if it stays'],
    [422, { code: 'unprocessable', title: 'No', retry: false }, null, ''],
  ])('%i %j after %s says what to do', (status, answer, retryAfter, said) =>
    expect(readProblem(status, answer, retryAfter).detail).toContain(said),
  )

  test('says what the worker says, where it says something', () => {
    const detail = 'This needs the scope orders:write.'
    const read = readProblem(403, { code: 'forbidden', title: 'Not for you', detail }, '5')
    expect(read).toEqual({ title: 'Not for you', detail, fields: {}, code: 'forbidden' })
  })

  test.each([
    ['forbidden', true],
    ['unauthorized', true],
    ['rate_limited', false],
    ['database_unavailable', false],
  ])('P94 %s is for others: %s', (code, expected) =>
    expect(isForOthers(readProblem(400, { code, title: '' }))).toBe(expected),
  )
})
