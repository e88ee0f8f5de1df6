import { createHmac, hkdfSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatCursor, parseCursor } from '../../worker/api/keyset.ts'
import { fromOpaque, toOpaque } from '../../worker/api/opaque.ts'
import { formatPageCursor, parsePageCursor } from '../../worker/api/page-cursor.ts'
import { formatPlaceCursor, parsePlaceCursor } from '../../worker/api/place-cursor.ts'
import { formatRowCursor, parseRowCursor } from '../../worker/api/row-cursor.ts'

const secrets = { LINK_SECRET: 'a secret of the tests' }
const rotated = { LINK_SECRET: 'the next one', LINK_SECRET_PREVIOUS: 'a secret of the tests' }
const others = { LINK_SECRET: 'a secret of others' }

describe('P103 a cursor is ours', () => {
  test('and comes back as it was made, with the secret it was made with or the one after', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json({ noUnicodeString: false }), async (json) => {
        const made = JSON.parse(json)
        const text = await toOpaque(secrets, made)
        expect(text).toMatch(/^[\w-]+$/)
        expect(await fromOpaque(secrets, text)).toEqual(made)
        expect(await fromOpaque(rotated, text)).toEqual(made)
      }),
    )
  })

  test('or is refused: with any one character changed, left out or added', async () => {
    const text = await toOpaque(secrets, { list: 'users', before: 7 })
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/. '
    const one = fc.constantFrom(...alphabet)
    const at = fc.nat(text.length - 1)
    await fc.assert(
      fc.asyncProperty(at, one, fc.constantFrom(0, 1), async (where, character, replaced) => {
        const altered = text.slice(0, where) + character + text.slice(where + replaced)
        if (altered === text) return
        expect(await fromOpaque(secrets, altered)).toBeNull()
      }),
    )
    // Of the last character two bits stand for nothing, which atob passes over.
    for (const character of alphabet)
      if (!text.endsWith(character))
        expect(await fromOpaque(secrets, text.slice(0, -1) + character)).toBeNull()
    for (let length = 0; length < text.length; length++)
      expect(await fromOpaque(secrets, text.slice(0, length))).toBeNull()
  })

  test.each([
    ['of others', others],
    [
      'of a secret that is gone',
      { LINK_SECRET: 'two further on', LINK_SECRET_PREVIOUS: 'the next' },
    ],
    ['of an empty previous secret', { ...others, LINK_SECRET_PREVIOUS: '' }],
  ])('or is refused: one %s', async (_whose, theirs) => {
    const text = await toOpaque(secrets, { list: 'users', before: 7 })
    expect(await fromOpaque(theirs, text)).toBeNull()
  })

  test('or is refused: what would be one but for the seal', async () => {
    const json = JSON.stringify({ list: 'users', before: 7 })
    const bare = Buffer.from(json).toString('base64url')
    const derived = hkdfSync('sha256', secrets.LINK_SECRET, '', 'belfry ticket', 32)
    const ofKeys = [secrets.LINK_SECRET, new Uint8Array(derived)].map((key) =>
      createHmac('sha256', key).update(bare).digest('base64url'),
    )
    for (const seal of ['', 'A'.repeat(43), ...ofKeys])
      expect(await fromOpaque(secrets, bare + seal)).toBeNull()
    const ours = hkdfSync('sha256', secrets.LINK_SECRET, '', 'belfry cursor', 32)
    const seal = createHmac('sha256', new Uint8Array(ours)).update(bare).digest('base64url')
    expect(await fromOpaque(secrets, bare + seal)).toEqual(JSON.parse(json))
  })

  test('or is refused: a huge one', async () => {
    const huge = await toOpaque(secrets, 'x'.repeat(20_000))
    expect(await fromOpaque(secrets, huge)).toBeNull()
  })
})

describe('P103 a cursor opens its own list and no other', () => {
  const last = { delivered_at: '2026-11-21T08:33:55.123456+00:00', id: 7 }
  const made: [kind: string, cursor: () => Promise<string | null>][] = [
    ['of orders', () => formatCursor(secrets, { sort: '-id', value: 7, id: 7 })],
    ['of users', () => formatPageCursor(secrets, 'users', 7)],
    ['of an inbox', () => formatPlaceCursor(secrets, '42', last)],
    ['of rows', () => formatRowCursor(secrets, { table: 'orders', after: ['7'] })],
    [
      'of webhooks',
      () => toOpaque(secrets, { list: 'webhooks', created_at: last.delivered_at, id: 1 }),
    ],
  ]
  const read: [kind: string, parse: (text: string) => Promise<{ ok: boolean }>][] = [
    ['of orders', (text) => parseCursor(secrets, text, '-id')],
    ['of users', (text) => parsePageCursor(secrets, 'users', text)],
    ['of notifications', (text) => parsePageCursor(secrets, 'notifications', text)],
    ['of an inbox', (text) => parsePlaceCursor(secrets, '42', text)],
    ['of another inbox', (text) => parsePlaceCursor(secrets, '43', text)],
    ['of rows', (text) => parseRowCursor(secrets, text, { table: 'orders', columns: 1 })],
    ['of other rows', (text) => parseRowCursor(secrets, text, { table: 'users', columns: 1 })],
  ]
  const pairs = made.flatMap(([from, cursor]) =>
    read.map(([of, parse]) => ({ from, cursor, of, parse })),
  )
  test.each(pairs)('one $from, for a list $of', async ({ from, cursor, of, parse }) => {
    expect((await parse((await cursor()) ?? '')).ok).toBe(from === of)
  })
})
