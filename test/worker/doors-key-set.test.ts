import { exportSPKI, generateKeyPair, importJWK, type JWK } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { verifyCredential } from '../../worker/doors/credential.ts'
import { DatabaseStandIn, ids } from './database-stand-in.ts'
import { AUDIENCE, algorithms, IdentityProvider, ISSUER, seconds } from './identity-provider.ts'
import { bindings, startAfresh } from './link.ts'
import { ADA, token as signed } from './me-world.ts'

/* Tokens of an identity provider, whose key set we read: what is believed of them, and what not. */

let provider: IdentityProvider
let stranger: CryptoKeyPair

beforeAll(async () => {
  provider = await IdentityProvider.start()
  stranger = (await generateKeyPair('RS256', { extractable: true })) as CryptoKeyPair
})
beforeEach(() => {
  vi.restoreAllMocks()
  vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  new DatabaseStandIn((statement, [subject]) =>
    statement.includes('subject = $1') && subject === 'auth0|ada' ? ids(ADA) : ids(),
  )
  provider.listen()
})
afterAll(async () => {
  vi.restoreAllMocks()
  await startAfresh()
})

const SECRET = 'shared with nobody else'
const settings = () => ({
  ...bindings,
  AUTH_SECRET: SECRET,
  AUTH_JWKS_URL: provider.url,
  AUTH_ISSUER: ISSUER,
  AUTH_AUDIENCE: AUDIENCE,
})
const verify = (token: string, given: Record<string, unknown> = {}) =>
  verifyCredential({ ...settings(), ...given }, token)
const refused = { denied: 'unauthorized', why: expect.stringMatching(/\w/) }

describe('P95 a token of a key set', () => {
  it.each(algorithms)('is good with %s', async (alg) => {
    const claims = { scope: 'openid orders:read', iat: seconds() }
    expect(await verify(await provider.token({ alg, claims }))).toEqual({
      name: 'token:auth0|7',
      kind: 'token',
      user: null,
      scopes: ['orders:read'],
      expiresAt: (seconds() + 600) * 1000,
      issuedAt: claims.iat * 1000,
    })
  })

  it('is a user’s if its subject is, and never by a number that it says', async () => {
    const named = await provider.token({ claims: { sub: 'auth0|ada' } })
    expect(await verify(named)).toMatchObject({ name: `user:${ADA}`, user: ADA })
    const numbered = await provider.token({ claims: { sub: ADA } })
    expect(await verify(numbered)).toMatchObject({ name: `token:${ADA}`, user: null })
  })

  it.each([
    ['for several audiences', { aud: ['https://other.test', AUDIENCE] }],
    ['with an nbf and an iat just ahead', { nbf: seconds() + 40, iat: seconds() + 40 }],
    ['with scopes as a list', { scope: ['openid', 'admin'] }],
  ])('is good %s', async (_, claims) => {
    expect(await verify(await provider.token({ claims }))).toMatchObject({ kind: 'token' })
  })

  it('may name its scopes by another claim', async () => {
    const claims = { scope: 'admin', permissions: ['orders:read', 7, null, 'orders:read'] }
    const read = await verify(await provider.token({ claims }), { AUTH_SCOPE_CLAIM: 'permissions' })
    expect(read).toMatchObject({ scopes: ['orders:read'] })
    const none = await verify(await provider.token(), { AUTH_SCOPE_CLAIM: 'constructor' })
    expect(none).toMatchObject({ scopes: [] })
  })

  it.each([
    ['no audience', { aud: undefined }, '"aud"'],
    ['another audience', { aud: 'https://other.test' }, '"aud"'],
    ['other audiences', { aud: ['https://other.test', `${AUDIENCE}/`] }, '"aud"'],
    ['an audience that is none', { aud: { [AUDIENCE]: true } }, '"aud"'],
    ['no issuer', { iss: undefined }, '"iss"'],
    ['another issuer', { iss: 'https://id.test' }, '"iss"'],
    ['issuers', { iss: [ISSUER] }, '"iss"'],
    ['no end', { exp: undefined }, '"exp"'],
    ['an end that is no time', { exp: String(seconds() + 600) }, '"exp"'],
    ['an end that is now', { exp: seconds() }, 'expired'],
    ['an end within what clocks differ by', { exp: seconds() - 30 }, 'expired'],
    ['a beginning that lies ahead', { nbf: seconds() + 90 }, '"nbf"'],
    ['an issue that lies ahead', { iat: seconds() + 90 }, '"iat"'],
    ['no subject', { sub: undefined }, '"sub"'],
    ['a subject that is none', { sub: { id: 7 } }, '"sub"'],
    ['a thousand scopes', { scope: Array.from({ length: 99 }, (_, n) => `t${n}:read`) }, 'scopes'],
  ])('with %s is refused, with the reason', async (_, claims, why) => {
    const read = await verify(await provider.token({ claims }))
    expect(read).toEqual({ denied: 'unauthorized', why: expect.stringContaining(why) })
  })
})

const part = (value: unknown) =>
  btoa(JSON.stringify(value)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
const withHeader = (token: string, header: unknown) => token.replace(/^[^.]+/, part(header))
const claims = () => ({ sub: ADA, iss: ISSUER, aud: AUDIENCE, exp: seconds() + 600 })
const evil = 'https://evil.id.test/jwks'

/** What a forger has: tokens of ours, our public keys, and keys of their own. */
const forged: [string, () => Promise<string> | string][] = [
  ['signed with nothing', () => `${part({ alg: 'none' })}.${part(claims())}.`],
  ['that says so, and is signed', async () => withHeader(await provider.token(), { alg: 'none' })],
  ['whose algorithm is empty', async () => withHeader(await provider.token(), { alg: '' })],
  [
    'whose algorithm is no text',
    async () => withHeader(await provider.token(), { alg: ['RS256'] }),
  ],
  [
    'signed with the public key as a secret, as PEM',
    async () => {
      const key = await importJWK({ ...provider.pair('RS256').jwk, ext: true }, 'RS256')
      const pem = await exportSPKI(key as CryptoKey)
      return signed(ADA, claims(), pem)
    },
  ],
  [
    'signed with the public key as a secret, as JSON',
    () => signed(ADA, claims(), JSON.stringify(provider.pair('RS256').jwk)),
  ],
  [
    'signed with the modulus as a secret',
    () => signed(ADA, claims(), String(provider.pair('RS256').jwk.n)),
  ],
  [
    'by the secret, that says RS256',
    async () =>
      withHeader(await signed(ADA, claims(), SECRET), { alg: 'RS256', kid: 'key for RS256' }),
  ],
  [
    'by a key, that says HS256',
    async () => withHeader(await provider.token(), { alg: 'HS256', kid: 'key for RS256' }),
  ],
  ['by a stranger, under a key of ours', () => provider.token({ by: stranger.privateKey })],
  [
    'by a stranger, that brings its key along',
    () => provider.token({ by: stranger.privateKey, header: { jwk: provider.pair('ES256').jwk } }),
  ],
  [
    'by a stranger, that says where its key is',
    () => provider.token({ by: stranger.privateKey, header: { jku: evil, x5u: evil, kid: evil } }),
  ],
  ['by the key of another algorithm', () => provider.token({ header: { kid: 'key for PS256' } })],
  [
    'by a key of no name, of which there are two',
    () => {
      const { n, e, kty } = provider.pair('RS256').jwk
      const another = { n: String(n), e: String(e), kty: String(kty), kid: 'more' }
      provider.answer = () => Response.json(provider.keySet(another))
      return provider.token({ header: { kid: undefined } })
    },
  ],
  ...[
    '../../../../dev/null',
    "x' UNION SELECT 'k",
    '',
    'key for RS256\u0000',
    'k'.repeat(4_000),
  ].map((kid): [string, () => Promise<string>] => [
    `by the key ${JSON.stringify(kid.slice(0, 30))}`,
    () => provider.token({ header: { kid } }),
  ]),
  ['by a key that is a number', () => provider.token({ header: { kid: 7 } })],
  [
    'with what must be understood, and is not',
    () => provider.token({ header: { crit: ['exp'], exp: 1 } }).catch(() => 'a.b.c'),
  ],
  [
    'whose header was changed so',
    async () =>
      withHeader(await provider.token(), {
        alg: 'RS256',
        kid: 'key for RS256',
        crit: ['b64'],
        b64: false,
      }),
  ],
  [
    'whose claims were changed',
    async () => (await provider.token()).replace(/\.[^.]+\./, `.${part(claims())}.`),
  ],
  ['that was cut', async () => (await provider.token()).slice(0, -4)],
  ['without its signature', async () => (await provider.token()).replace(/[^.]+$/, '')],
  ['of two dots more', async () => `${await provider.token()}.x.y`],
  ['that is encrypted', () => `${part({ alg: 'dir', enc: 'A256GCM' })}..iv.text.tag`],
  ['that is huge', () => provider.token({ claims: { more: 'x'.repeat(9_000) } })],
  ['with RS512', async () => withHeader(await provider.token(), { alg: 'RS512' })],
  ['with HS512', async () => withHeader(await signed(ADA, claims(), SECRET), { alg: 'HS512' })],
]

describe('P95 a token', () => {
  it.each(forged)('%s opens nothing', async (_, make) => {
    const token = await make()
    expect(await verify(token)).toEqual(refused)
    expect(await verify(token, { AUTH_SECRET: '' })).toEqual(refused)
    expect(provider.read.filter((address) => address !== provider.url)).toEqual([])
  })
})

describe('P95 a key set', () => {
  it('is read once for many tokens, and again for a key that is new', async () => {
    const { keys } = provider.keySet()
    provider.answer = () => Response.json({ keys: keys.slice(1) })
    const old = await provider.token({ alg: 'ES256' })
    for (const token of [old, old, old]) expect(await verify(token)).toMatchObject({ user: null })
    expect(provider.read).toHaveLength(1)
    provider.answer = () => Response.json({ keys })
    const token = await provider.token({ alg: 'RS256' })
    expect(await verify(token)).toEqual(refused)
    expect(provider.read).toHaveLength(1)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 30_000 })
    try {
      expect(await verify(token)).toMatchObject({ name: 'token:auth0|7' })
      expect(provider.read).toHaveLength(2)
    } finally {
      vi.useRealTimers()
    }
  })

  it.each([
    ['too short', { kty: 'RSA', n: 'u'.repeat(171), e: 'AQAB' }],
    ['nonsense', { kty: 'RSA', n: '!', e: 7 }],
    ['empty', { kty: 'RSA' }],
    ['a secret', { kty: 'oct', k: 'c2VjcmV0' }],
    ['private', { kty: 'RSA', n: 'AQAB', e: 'AQAB', d: 'AQAB' }],
  ])('with a key that is %s is good for its other keys', async (_, weak) => {
    const keys = provider.keySet({ ...weak, kid: 'weak' } as JWK)
    provider.answer = () => Response.json(keys)
    expect(await verify(await provider.token({ header: { kid: 'weak' } }))).toEqual(refused)
    expect(await verify(await provider.token())).toMatchObject({ name: 'token:auth0|7' })
  })

  it('takes a token that names no key if there is one of its kind', async () => {
    const token = await provider.token({ alg: 'ES256', header: { kid: undefined } })
    expect(await verify(token)).toMatchObject({ name: 'token:auth0|7' })
  })

  it.each<[string, () => Response | Promise<Response>]>([
    ['is not there', () => Response.json({}, { status: 404 })],
    ['is elsewhere', () => Response.redirect(evil, 302)],
    ['is no JSON', () => new Response('<html>')],
    ['is none', () => Response.json([])],
    ['holds no keys', () => Response.json({ keys: 'many' })],
    ['is huge', () => Response.json({ keys: [], more: 'x'.repeat(300_000) })],
    ['is no UTF-8', () => new Response(new Uint8Array([0x7b, 0xff, 0x7d]))],
    ['cannot be reached', () => Promise.reject(new TypeError('fetch failed'))],
  ])('that %s lets nobody in, for the moment', async (_, answer) => {
    provider.answer = answer
    expect(await verify(await provider.token())).toMatchObject({ denied: 'sign_in_unavailable' })
    expect(await verify(await signed(ADA, claims(), SECRET))).toMatchObject({ user: ADA })
    expect(provider.read).toEqual([provider.url])
  })

  it.each([
    ['without an issuer', { AUTH_ISSUER: '' }, 'AUTH_ISSUER'],
    ['without an audience', { AUTH_AUDIENCE: '' }, 'AUTH_AUDIENCE'],
    ['that anyone on the way could change', { AUTH_JWKS_URL: 'http://id.test/jwks' }, 'https'],
    ['at no address', { AUTH_JWKS_URL: 'id.test' }, 'https'],
    ['in a file', { AUTH_JWKS_URL: 'file:///etc/jwks' }, 'https'],
    ['of no setting', { AUTH_JWKS_URL: '', AUTH_SECRET: '' }, 'AUTH_JWKS_URL'],
  ])('%s is not asked', async (_, given, why) => {
    const expected = { denied: 'not_configured', why: expect.stringContaining(why) }
    expect(await verify(await provider.token(), given)).toEqual(expected)
    expect(provider.read).toEqual([])
  })

  it('and a secret are good beside each other, or each without the other', async () => {
    const shared = await signed(ADA, claims(), SECRET)
    expect(await verify(shared)).toMatchObject({ name: `user:${ADA}` })
    expect(await verify(await signed(ADA, { ...claims(), aud: 'another' }, SECRET))).toEqual(
      refused,
    )
    expect(await verify(shared, { AUTH_SECRET: '' })).toEqual(refused)
    expect(await verify(await provider.token(), { AUTH_JWKS_URL: '' })).toEqual(refused)
  })
})
