import { expect, test } from 'vitest'
import { namedTags, tagged } from '../../worker/api/entity-tag.ts'
import { canonical } from '../../worker/api/idempotency.ts'

test.each([
  [undefined, '*'],
  ['*', '*'],
  [' * ', '*'],
  ['"3"', ['3']],
  ['W/"3"', ['3']],
  ['"3", "4"', ['3', '4']],
  ['"1.0a1b2c" , W/"x"', ['1.0a1b2c', 'x']],
  ['""', ['']],
  ['3', []],
  ['', []],
  ['"3', []],
  ['"3" "4"', []],
  ['*, "3"', ['3']],
  ['w/"3"', []],
])('P99 If-Match: %s names %j', (header, tags) => {
  expect(namedTags(header)).toEqual(tags)
})

test('P99 what a resource is tagged with names it', () => {
  for (const tag of [1, '7.0a1b2c']) expect(namedTags(tagged(tag).ETag)).toEqual([String(tag)])
})

test('P100 bodies that say the same are the same, and others are not', () => {
  const one = canonical({ a: 1, b: { c: [1, { d: null, e: 'x' }] } })
  expect(canonical({ b: { c: [1, { e: 'x', d: null }] }, a: 1 })).toBe(one)
  for (const other of [
    { a: 1, b: { c: [{ d: null, e: 'x' }, 1] } },
    { a: '1', b: { c: [1, { d: null, e: 'x' }] } },
    { a: 1, b: { c: [1, { e: 'x' }] } },
    [{ a: 1 }],
  ])
    expect(canonical(other)).not.toBe(one)
  // Not its prototype, which would be lost.
  expect(canonical(JSON.parse('{"__proto__":{"a":1}}'))).not.toBe(canonical({}))
})
