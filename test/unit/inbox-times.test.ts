import { expect, it } from 'vitest'
import { dayName, shortTime } from '../../client/element/times.ts'

/** Where the test runs, so that midnight is the reader's. */
const at = (day: number, hour: number, minute = 0) => new Date(2026, 2, day, hour, minute)

it.each([
  [at(29, 9, 0), 'now'],
  [at(29, 9, 1), 'now'], // a clock that is behind the database's
  [at(29, 8, 59), '1 min'],
  [at(29, 8, 1), '59 min'],
  [at(29, 8, 0), '1 h'],
  [at(28, 23, 0), /^(9|10) h$/], // nine, where that night lost an hour
  [at(28, 12, 30), /12:30/],
])('at nine, %s is shown as %s', (time, shown) => {
  expect(shortTime(time.toISOString(), at(29, 9).getTime())).toMatch(shown)
})

it.each([
  [at(29, 0, 0), 'Today'],
  [at(30, 1, 0), 'Today'],
  [at(28, 23, 59), 'Yesterday'],
  [at(28, 0, 0), 'Yesterday'],
  [at(22, 12, 0), /^\D+ 22$|^22\b/],
  [new Date(2025, 11, 31), /2025/],
])('on 29 March 2026, when clocks go forward in Europe, %s was %s', (time, day) => {
  expect(dayName(time.toISOString(), at(29, 9).getTime())).toMatch(day)
})
