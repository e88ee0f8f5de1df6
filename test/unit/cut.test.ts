import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutArray } from '../../worker/feed/cut.ts'

const element = fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 3 }))

describe('a part of a JSON array', () => {
  it('is what parsing and printing would give, whatever stands in the elements', () => {
    fc.assert(
      fc.property(
        fc.array(element, { minLength: 1, maxLength: 20 }),
        fc.nat(19),
        fc.nat(400),
        (elements, from, most) => {
          const skip = from % elements.length
          const { part, count } = cutArray(JSON.stringify(elements), skip, most)
          expect(part).toBe(JSON.stringify(elements.slice(skip, skip + count)))
          expect(count).toBeGreaterThan(0)
          const isRest = skip + count === elements.length
          if (count > 1) expect(part.length - 2).toBeLessThanOrEqual(most)
          if (!isRest)
            expect(
              JSON.stringify(elements.slice(skip, skip + count + 1)).length - 2,
            ).toBeGreaterThan(most)
        },
      ),
    )
  })

  it.each([
    ['a bracket in a string', [{ a: '}]{[' }, { b: 1 }]],
    ['a quote that is escaped', [{ a: '\\"},{"offset":7' }, { b: 1 }]],
    ['a backslash at the end', [{ a: 'x\\' }, { b: 'y\\\\' }]],
    ['an array of objects', [{ a: [{ offset: 2 }, { offset: 3 }] }, { b: [] }]],
  ])('%s deceives it not', (_, elements) => {
    expect(cutArray(JSON.stringify(elements), 1, 0)).toEqual({
      part: JSON.stringify(elements.slice(1)),
      count: 1,
    })
  })

  it('takes one element however long it is', () => {
    const long = [{ note: 'x'.repeat(1_000) }, { note: '' }]
    expect(cutArray(JSON.stringify(long), 0, 10).count).toBe(1)
  })

  it.each(['[]', '[{"a":1}', '[{"a":"x]', '[{"a":1}]'])(
    'what is not such an array, or not so long, is an error and no endless loop: %s',
    (text) => expect(() => cutArray(text, 2, 10)).toThrow(),
  )
})
