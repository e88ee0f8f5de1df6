import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { filledLetter } from '../../worker/mail/letter.ts'
import type { FilledOrder } from '../../worker/mail/owed.ts'

function order(fields: Partial<FilledOrder> = {}): FilledOrder {
  return {
    id: 42,
    customer_name: 'Ada Lovelace',
    product_name: 'Difference engine',
    amount: 1234.5,
    customer_email: null,
    updated_at: '2026-11-21T08:33:55.123456+00:00',
    ...fields,
  }
}

describe('the letter', () => {
  test('says in its subject, its HTML and its text which order is filled', () => {
    const { subject, html, text } = filledLetter(order())
    expect(subject).toBe('Order 42 is filled: Difference engine for Ada Lovelace')
    expect(text).toBe(
      [
        'Order 42 is filled.',
        '',
        'Product:  Difference engine',
        'Customer: Ada Lovelace',
        'Amount:   1,234.50',
        'Filled:   21 November 2026, 08:33 UTC',
        '',
        'You get this mail because the order is yours, or because you look after orders.',
        '',
      ].join('\n'),
    )
    for (const value of ['Order 42 is filled', 'Difference engine', 'Ada Lovelace', '1,234.50'])
      expect(html).toContain(value)
  })

  test('is the same for the same order, byte for byte', () => {
    expect(filledLetter(order())).toEqual(filledLetter(order()))
  })

  test('takes what only psql could store', () => {
    const { text } = filledLetter(
      order({ id: '9223372036854775807', amount: 'NaN', updated_at: 'infinity' }),
    )
    expect(text).toContain('Order 9223372036854775807 is filled.')
    expect(text).toContain('Amount:   NaN')
    expect(text).toContain('Filled:   infinity')
  })
})

describe('P53: no value breaks out of its place', () => {
  const shape = structure(filledLetter(order()).html)

  test('of the HTML: its elements and attributes are the same whatever the values', () => {
    fc.assert(
      fc.property(hostile(), hostile(), (customer_name, product_name) => {
        const { html } = filledLetter(order({ customer_name, product_name }))
        expect(structure(html)).toEqual(shape)
      }),
    )
  })

  test('of the text: it has as many lines whatever the values', () => {
    fc.assert(
      fc.property(hostile(), hostile(), (customer_name, product_name) => {
        const { text } = filledLetter(order({ customer_name, product_name }))
        expect(text.split(/[\n\r\u2028\u2029\v\f\u0085]/)).toHaveLength(9)
      }),
    )
  })

  test('of the subject: one line of at most 150 characters, nothing that turns its direction', () => {
    fc.assert(
      fc.property(hostile(), hostile(), (customer_name, product_name) => {
        const { subject } = filledLetter(order({ customer_name, product_name }))
        expect(Array.from(subject).length).toBeLessThanOrEqual(150)
        expect(subject).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069]/u)
      }),
    )
  })

  test('a markup name is shown as it was typed', () => {
    const { html, text } = filledLetter(order({ customer_name: `<b title="x">R&D</b> 'n'` }))
    expect(html).toContain('&lt;b title=&quot;x&quot;&gt;R&amp;D&lt;/b&gt; &#39;n&#39;')
    expect(html).not.toContain('<b ')
    expect(text).toContain(`<b title="x">R&D</b> 'n'`)
  })
})

function hostile(): fc.Arbitrary<string> {
  const fragments = [
    '<',
    '>',
    '"',
    "'",
    '&',
    '-->',
    '</style>',
    '</td>',
    '\r\n',
    '\0',
    '\u2028',
    '\u202e',
    '\ud800',
    'x'.repeat(99),
    '🧮',
    ' style=',
  ]
  return fc
    .array(fc.oneof(fc.constantFrom(...fragments), fc.string({ unit: 'binary' })))
    .map((parts) => parts.join(''))
}

/** Every tag with its attributes, in order; text left out. */
function structure(html: string): string[] {
  return html.match(/<[^>]*>/g) ?? []
}
