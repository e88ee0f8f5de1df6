import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { MAX_SKEW_MS, signLink, verifyLink } from '../../protocol/signature.ts'

const NOW = Date.UTC(2026, 10, 21, 8, 33, 55)
const NONCE = '0f8fad5b-d9cb-469f-a165-70867728950e'
const SECRET = 'a secret'

const header = (secret = SECRET, at = NOW) => signLink(secret, at, NONCE)

describe('the link’s signature', () => {
  test('a signature made with the secret is good, and its nonce is told', async () => {
    expect(await verifyLink(await header(), [SECRET], NOW)).toEqual({
      ok: true,
      nonce: NONCE,
      signedAt: NOW,
    })
  })

  test('it is the one that other implementations would make', async () => {
    expect(await header()).toBe(
      `Belfry t=1795250035,n=${NONCE},v=${hmac(`belfry link\n1795250035\n${NONCE}`)}`,
    )
  })

  test('while rotating, the new secret and the old one are both good', async () => {
    for (const secrets of [
      ['new', SECRET],
      [SECRET, 'old'],
      [SECRET, undefined],
      [undefined, SECRET],
    ])
      expect(await verifyLink(await header(), secrets, NOW)).toMatchObject({ ok: true })
  })

  test('another secret’s signature is wrong', async () => {
    expect(await verifyLink(await header('another'), [SECRET], NOW)).toEqual({
      ok: false,
      reason: 'wrong',
    })
  })

  test('without a secret nothing is good, not even what an empty one would sign', async () => {
    for (const secrets of [[], [undefined], ['']])
      expect(await verifyLink(await header(), secrets, NOW)).toMatchObject({ ok: false })
  })

  test.each([
    ['a little early', -MAX_SKEW_MS + 1_000, true],
    ['a little late', MAX_SKEW_MS - 1_000, true],
    ['too early', -MAX_SKEW_MS - 1_000, false],
    ['too late', MAX_SKEW_MS + 1_000, false],
  ])('a signature seen %s', async (_, laterMs, good) => {
    const verdict = await verifyLink(await header(), [SECRET], NOW + laterMs)
    expect(verdict).toMatchObject(good ? { ok: true } : { ok: false, reason: 'expired' })
  })

  test('time and nonce are signed too', async () => {
    const signed = await header()
    const changed = [
      signed.replace('t=1795250035', 't=1795250036'),
      signed.replace('0f8fad5b', '1f8fad5b'),
      signed.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
    ]
    for (const text of changed)
      expect(await verifyLink(text, [SECRET], NOW)).toEqual({ ok: false, reason: 'wrong' })
  })

  test.each([
    [null, 'missing'],
    ['', 'missing'],
    ['Bearer abc', 'malformed'],
    ['Belfry', 'malformed'],
    [`Belfry t=1,n=${NONCE},v=abc`, 'malformed'],
    [`Belfry t=1,n=short,v=${'0'.repeat(64)}`, 'malformed'],
    [`Belfry t=-1,n=${NONCE},v=${'0'.repeat(64)}`, 'malformed'],
    [`Belfry t=1,n=${NONCE},v=${'0'.repeat(64)} and more`, 'malformed'],
    [`Belfry t=1,n=${NONCE},v=${'0'.repeat(64)}`, 'expired'],
  ])('P60 the header %j is %s', async (text, reason) => {
    expect(await verifyLink(text, [SECRET], NOW)).toEqual({ ok: false, reason })
  })
})

function hmac(message: string): string {
  return createHmac('sha256', SECRET).update(message).digest('hex')
}
