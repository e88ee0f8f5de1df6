import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { quoteInexactNumbers } from '../../protocol/exact-numbers.ts'

describe('quoteInexactNumbers', () => {
  test.each([
    ['{"id":9007199254740993}', '{"id":"9007199254740993"}'],
    ['{"id":-9007199254740993}', '{"id":"-9007199254740993"}'],
    ['{"id":9007199254740992}', '{"id":9007199254740992}'],
    ['[123456789012345.67]', '[123456789012345.67]'],
    ['[12345678901234567.89]', '["12345678901234567.89"]'],
    ['[0.30000000000000004]', '[0.30000000000000004]'],
    ['[0.300000000000000040]', '[0.300000000000000040]'],
    ['[100000000000000000000000]', '[100000000000000000000000]'],
    ['[0.0000000000000000000]', '[0.0000000000000000000]'],
    ['[1e400,1E-400,-1e+400]', '["1e400","1E-400","-1e+400"]'],
    ['[1e300,5e-324,3e-324]', '[1e300,5e-324,"3e-324"]'],
    ['{"9007199254740993":1}', '{"9007199254740993":1}'],
    ['["9007199254740993, \\"9007199254740993"]', '["9007199254740993, \\"9007199254740993"]'],
    ['["\\\\",9007199254740993]', '["\\\\","9007199254740993"]'],
  ])('P5 %s travels as %s', (json, expected) => {
    expect(quoteInexactNumbers(json)).toBe(expected)
  })

  // Held as text: V8 13.6 reads {"\\"":1} as {"\\\\":1} once it has read an object with that name.
  test('P5 no JSON loses a digit: what a double cannot hold comes out as its own text', () => {
    fc.assert(
      fc.property(document, ({ json, quoted }) => {
        expect(quoteInexactNumbers(json)).toBe(quoted)
      }),
      { numRuns: 2_000 },
    )
  })

  test('P5 two megabytes of one string are no trouble', () => {
    const text = 'x\\n"'.repeat(500_000)
    const json = JSON.stringify({ text }).replace('}', ',"id":9007199254740993}')
    expect(JSON.parse(quoteInexactNumbers(json))).toEqual({ text, id: '9007199254740993' })
  })
})

/** JSON text, and what it must be after the quoting. */
type Document = { json: string; quoted: string }

const digits = (max: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${max}}$`))

const number: fc.Arbitrary<Document> = fc
  .record({
    sign: fc.constantFrom('', '-'),
    whole: fc.oneof(fc.constant('0'), fc.stringMatching(/^[1-9][0-9]{0,24}$/)),
    fraction: fc.option(digits(25)),
    exponent: fc.option(
      fc.record({
        e: fc.constantFrom('e', 'E'),
        sign: fc.constantFrom('', '+', '-'),
        digits: digits(3),
      }),
      { freq: 4 },
    ),
  })
  .map(({ sign, whole, fraction, exponent }) => {
    const power = exponent === null ? '' : `${exponent.e}${exponent.sign}${exponent.digits}`
    const json = `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${power}`
    return { json, quoted: isHeld(json) ? json : `"${json}"` }
  })

const plain = (arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<Document> =>
  arbitrary.map((value) => {
    const json = JSON.stringify(value)
    return { json, quoted: json }
  })

const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('"', '\\', '1', '.', 'e') }))

const { document } = fc.letrec<{ document: Document; list: Document; object: Document }>((tie) => ({
  document: fc.oneof(
    { maxDepth: 3 },
    number,
    plain(text),
    plain(fc.constantFrom(true, false, null)),
    tie('list'),
    tie('object'),
  ),
  list: fc.array(tie('document'), { maxLength: 5 }).map((items) => ({
    json: `[${items.map(({ json }) => json).join(' , ')}]`,
    quoted: `[${items.map(({ quoted }) => quoted).join(' , ')}]`,
  })),
  object: fc
    .uniqueArray(fc.tuple(text, tie('document')), { selector: ([name]) => name, maxLength: 5 })
    .map((entries) => ({
      json: `{${entries.map(([name, { json }]) => `${JSON.stringify(name)}:${json}`).join(',')}}`,
      quoted: `{${entries.map(([name, { quoted }]) => `${JSON.stringify(name)}:${quoted}`).join(',')}}`,
    })),
}))

/** Whether the double that a reader gets, written out again, is the same number: by whole numbers. */
function isHeld(json: string): boolean {
  const double = Number(json)
  if (!Number.isFinite(double)) return false
  const [one, other] = [decimal(json), decimal(String(double))]
  const power = Math.min(one.power, other.power)
  return (
    one.digits * 10n ** BigInt(one.power - power) ===
    other.digits * 10n ** BigInt(other.power - power)
  )
}

function decimal(text: string): { digits: bigint; power: number } {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  return { digits: BigInt(`${whole}${fraction}`), power: Number(exponent) - fraction.length }
}
