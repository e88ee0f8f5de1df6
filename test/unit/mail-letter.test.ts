import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import type { CapturedChange, Row } from '../../protocol/change.ts'
import { type Block, safeUrl } from '../../worker/mail/content.ts'
import { type Letter, letter, readMailBody, renderMail } from '../../worker/mail/letter.ts'
import { onOneLine } from '../../worker/mail/line.ts'
import { templateNamed, templates } from '../../worker/mail/templates/all.ts'

const LINK = 'https://belfry.example.com/api/unsubscribe/dG9rZW4'

function body(template: string, data: unknown, audience: 'staff' | 'customer' = 'staff'): string {
  return JSON.stringify({ template, audience, category: 'orders', data })
}

function order(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: 42,
    customer_name: 'Ada Lovelace',
    product_name: 'Difference engine',
    amount: 1234.5,
    updated_at: '2026-11-21T08:33:55.123456+00:00',
    ...fields,
  }
}

const filled = (fields: Record<string, unknown> = {}, unsubscribeUrl: string | null = null) =>
  renderMail(body('order-filled', order(fields)), { unsubscribeUrl })

describe('the letter', () => {
  it('says in its subject, its HTML and its text which order is filled', () => {
    const { subject, html, text } = filled()
    expect(subject).toBe('Order 42 is filled: Difference engine for Ada Lovelace')
    expect(text).toBe(
      [
        'Order 42 is filled',
        '',
        'Product:  Difference engine',
        'Customer: Ada Lovelace',
        'Amount:   1,234.50',
        'Filled:   21 November 2026, 08:33 UTC',
        '',
        '-- ',
        'You get this mail because you look after orders.',
        '',
      ].join('\n'),
    )
    for (const value of ['Order 42 is filled', 'Difference engine', 'Ada Lovelace', '1,234.50'])
      expect(html).toContain(value)
  })

  test.each(templates.map(({ name }) => name))(
    '%s is the same for the same, byte for byte',
    (name) => {
      const data = templateNamed(name)?.sample
      const render = () => renderMail(body(name, data, 'customer'), { unsubscribeUrl: LINK })
      expect(render()).toEqual(render())
    },
  )

  it('shows what changed of a row, and an update before an unchanged column', () => {
    const change = update({ id: 7, paid: false, total: 12, note: null }, { paid: true, total: 13 })
    const kept = templateNamed('row-changed')?.rules?.keep(change)
    const { text } = renderMail(body('row-changed', kept?.ok && kept.data), {
      unsubscribeUrl: null,
    })
    expect(text).toContain(
      [
        'invoices 7 was changed',
        '',
        'paid:  no → yes',
        'total: 12 → 13',
        'id:    7',
        'note:  nothing',
        'When:  21 November 2026, 08:34 UTC',
      ].join('\n'),
    )
  })

  it('of a row with many columns shows 24, those that changed among them', () => {
    const old: Row = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`c${n}`, n]))
    const kept = templateNamed('row-changed')?.rules?.keep(update(old, { c99: 'new' }))
    const data = kept?.ok ? kept.data : null
    const { text } = renderMail(body('row-changed', data), { unsubscribeUrl: null })
    expect(text).toContain('c99:  99 → new')
    expect(text).toContain('76 more columns')
    expect(JSON.stringify(data).length).toBeLessThan(2_000)
  })

  it('of a row of 2 MB keeps little', () => {
    const old: Row = Object.fromEntries(
      Array.from({ length: 20 }, (_, n) => [`c${n}`, '𝄞'.repeat(50_000)]),
    )
    const kept = templateNamed('row-changed')?.rules?.keep(update(old, {}))
    expect(JSON.stringify(kept).length).toBeLessThan(20_000)
  })

  test.each<[string, string | null, string, string]>([
    ['shipped', 'filled', 'Order 42 is on its way', 'Filled → Shipped'],
    ['cancelled', 'filled', 'Order 42 is cancelled', 'Filled → Cancelled'],
    ['pending', null, 'Order 42 is pending', 'Status:   Pending\n'],
    ['on hold', 'pending', 'Order 42 is now on hold', 'Pending → on hold'],
  ])('says of a status %s what it means', (status, before, title, fact) => {
    const { subject, text } = renderMail(body('order-status', order({ status, before })), {
      unsubscribeUrl: null,
    })
    expect(subject).toContain(title)
    expect(text).toContain(fact)
  })

  it('takes what only psql could store', () => {
    const { text } = filled({ id: '9223372036854775807', amount: 'NaN', updated_at: 'infinity' })
    expect(text).toContain('Order 9223372036854775807 is filled')
    expect(text).toContain('Amount:   NaN')
    expect(text).toContain('Filled:   infinity')
  })

  it('carries the link to unsubscribe when there is one, in both forms', () => {
    expect(filled().html).not.toContain('<a ')
    const { html, text } = filled({}, `${LINK}?a=1&b=2`)
    expect(html.match(/<a [^>]*>/g)).toHaveLength(1)
    expect(html).toContain(`href="${LINK}?a=1&amp;b=2"`)
    expect(text).toContain(`Unsubscribe: ${LINK}?a=1&b=2`)
  })

  it('tells a customer why in other words than staff', () => {
    const toCustomer = renderMail(body('order-filled', order(), 'customer'), {
      unsubscribeUrl: LINK,
    })
    expect(toCustomer.text).toContain('because this order is yours')
  })

  test.each<[string, string]>([
    ['no JSON', '{'],
    ['not an object', '[]'],
    ['of no template', body('nosuch', order())],
    ['of other data', body('order-filled', { id: 1 })],
    [
      'of an audience that there is not',
      JSON.stringify({ ...JSON.parse(body('order-filled', order())), audience: 'boss' }),
    ],
  ])('is not made of a body that is %s', (_what, text) => {
    expect(() => renderMail(text, { unsubscribeUrl: null })).toThrow()
  })

  it('says of its body what it is', () => {
    expect(readMailBody(body('order-filled', { a: 1 }))).toEqual({
      ...{ template: 'order-filled', audience: 'staff', category: 'orders', data: { a: 1 } },
    })
    expect(() => readMailBody('{}')).toThrow()
  })
})

/** Each template with every text of its data replaced. */
const hostileMails: [string, (texts: () => string) => Letter][] = [
  ['order-filled', (text) => filled(orderOf(text), LINK)],
  [
    'order-status',
    (text) =>
      render('order-status', order({ ...orderOf(text), status: text(), before: `${text()}z` })),
  ],
  [
    'row-changed',
    (text) =>
      render('row-changed', {
        ...{ table: text(), key: text(), op: 'update', at: text(), more: 3 },
        facts: [
          { label: text(), value: text(), before: text() },
          { label: text(), value: text() },
        ],
      }),
  ],
  [
    'webhook-off',
    (text) =>
      render('webhook-off', {
        ...{ endpoint: text(), url: text(), since: text(), last_error: text() },
        link: 'https://belfry.example.com/',
      }),
  ],
]

describe.each(hostileMails)('P53 no value breaks out of its place in %s', (_name, render) => {
  const plain = render(() => 'x')
  const shape = structure(plain.html)
  const lines = linesOf(plain.text).length

  test('of the HTML: its elements and attributes are the same whatever the values', () => {
    fc.assert(
      fc.property(fc.array(hostile(), { minLength: 8, maxLength: 8 }), (texts) => {
        expect(structure(render(cycle(texts)).html)).toEqual(shape)
      }),
    )
  })

  test('of the text: it has as many lines whatever the values', () => {
    fc.assert(
      fc.property(fc.array(hostile(), { minLength: 8, maxLength: 8 }), (texts) => {
        expect(linesOf(render(cycle(texts)).text)).toHaveLength(lines)
      }),
    )
  })

  test('of the subject: one line of at most 150 characters, nothing that turns its direction', () => {
    fc.assert(
      fc.property(fc.array(hostile(), { minLength: 8, maxLength: 8 }), (texts) => {
        const { subject, html, text } = render(cycle(texts))
        expect(Array.from(subject).length).toBeLessThanOrEqual(150)
        expect(subject).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u)
        for (const form of [subject, text, html])
          expect(form).not.toMatch(
            /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/u,
          )
      }),
    )
  })

  test('10 kB of each are cut', () => {
    const { subject, html, text } = render(() => 'W'.repeat(10_000))
    expect(subject).toHaveLength(150)
    expect(text.length).toBeLessThan(3_000)
    expect(html.length - plain.html.length).toBeLessThan(3_000)
  })
})

describe('P53 what is shown is what was typed', () => {
  test('markup', () => {
    const { html, text } = filled({ customer_name: `<b title="x">R&D</b> 'n'` })
    expect(html).toContain('&lt;b title=&quot;x&quot;&gt;R&amp;D&lt;/b&gt; &#39;n&#39;')
    expect(html).not.toContain('<b ')
    expect(text).toContain(`<b title="x">R&D</b> 'n'`)
  })

  test.each<[string, string]>([
    ['a\r\nBcc: x@example.com', 'a Bcc: x@example.com'],
    ['\ttab\u0000nul\u0085nel\u2028ls\u2029ps', 'tab nul nel ls ps'],
    ['\u202egnp.exe\u202c', 'gnp.exe'],
    ['\u2066isolated\u2069\u200f\u061c', 'isolated'],
    ['zero\u200bwidth\ufeff\u00ad\u2060', 'zerowidth'],
    ['half \ud83d a pair', 'half \ufffd a pair'],
    ['عربى עברית', 'عربى עברית'],
    ['\u0600\u0661\u0662', '\u0600\u0661\u0662'],
    ['می‌خواهم 👩‍👩‍👧', 'می‌خواهم 👩‍👩‍👧'],
    ['❤\ufe0f', '❤\ufe0f'],
    ['\u3164\u115f\u{e0000}\u034f', ''],
    ['   ', ''],
  ])('%j as %j', (typed, shown) => {
    expect(onOneLine(typed, 100)).toBe(shown)
  })

  test('but for what is too long, cut between characters', () => {
    expect(onOneLine('🧮🧮🧮🧮', 3)).toBe('🧮🧮…')
    expect(onOneLine('🧮🧮🧮', 3)).toBe('🧮🧮🧮')
    expect(onOneLine('ab cd', 4)).toBe('ab…')
  })
})

describe('P53 a button leads to https, or to this very machine, or is left out', () => {
  const button = (url: string): Letter => {
    const blocks: Block[] = [{ kind: 'button', text: 'Open', url }]
    return letter({ subject: 's', preheader: 'p', blocks, footnote: 'f' }, url)
  }

  test.each<[string, string]>([
    ['https://example.com/a?b=1&c="2"', 'https://example.com/a?b=1&c=%222%22'],
    ['HTTPS://EXAMPLE.com', 'https://example.com/'],
    ['http://localhost:8787/x', 'http://localhost:8787/x'],
    ['http://127.0.0.1:8787/', 'http://127.0.0.1:8787/'],
    [' https://example.com/\n', 'https://example.com/'],
  ])('%j', (url, shown) => {
    expect(safeUrl(url)).toBe(shown)
    expect(button(url).html.match(/ href="[^"]*"/g)).toHaveLength(2)
    expect(button(url).text).toContain(`Open: ${shown}`)
  })

  test.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'java\nscript:alert(1)',
    ' javascript:alert(1)',
    '\u0001javascript:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:x',
    'file:///etc/passwd',
    'http://example.com/',
    'http://localhost.example.com/',
    '//example.com/',
    '/relative',
    'mailto:a@example.com',
    'https://user:secret@example.com/',
    'https://',
    '',
    'https://example.com/'.padEnd(2_100, 'x'),
  ])('not %j', (url) => {
    expect(safeUrl(url)).toBeNull()
    expect(button(url).html).not.toMatch(/href=|<a /)
    expect(button(url).text).not.toContain('Open')
  })

  test('whatever it is, it stays within its attribute', () => {
    fc.assert(
      fc.property(hostile(), fc.constantFrom('', 'https://x.org/', 'javascript:'), (text, head) => {
        const tags = structure(button(head + text).html)
        for (const tag of tags.filter((each) => each.startsWith('<a')))
          expect(tag).toMatch(/^<a class="\w+" href="https:\/\/[^"<>\s]*" style="[^"]*">$/)
        // A paragraph with a link, and the link of the footer: both, or neither.
        const bare = structure(button('').html)
        expect([bare.length, bare.length + 9]).toContain(tags.length)
      }),
    )
  })
})

function render(template: string, data: unknown): Letter {
  return renderMail(body(template, data), { unsubscribeUrl: LINK })
}

function orderOf(text: () => string): Record<string, unknown> {
  return {
    ...{ id: text(), customer_name: text(), product_name: text() },
    ...{ amount: text(), updated_at: text() },
  }
}

function cycle(texts: readonly string[]): () => string {
  let next = 0
  return () => texts[next++ % texts.length] as string
}

function update(old: Row, fields: Row): CapturedChange {
  return {
    ...{ id: crypto.randomUUID(), table: 'invoices', op: 'update', key: { id: 7 } },
    ...{ old, new: { ...old, ...fields }, at: '2026-11-21T08:34:55.123456+00:00' },
  }
}

function hostile(): fc.Arbitrary<string> {
  const fragments = [
    ...['<', '>', '"', "'", '&', '-->', '</style>', '</td>', '<script>', '</bdi>', 'javascript:'],
    ...['\r\n', '\0', '\u2028', '\u202e', '\u2067', '\u200f', '\ud800', '\u{e0041}', ' style='],
    ...['x'.repeat(99), '🧮', 'عربى', '&#8206;', '\u0085', '\v', ','],
  ]
  // By number, because fc.string of every character takes a second to begin.
  const character = fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code))
  return fc
    .array(fc.oneof(fc.constantFrom(...fragments), character), { maxLength: 12 })
    .map((parts) => parts.join(''))
}

function linesOf(text: string): string[] {
  return text.split(/[\n\r\u2028\u2029\v\f\u0085]/)
}

/** Every tag with its attributes, in order; text left out. */
function structure(html: string): string[] {
  return html.match(/<[^>]*>/g) ?? []
}
