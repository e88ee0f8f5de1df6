import { createHmac } from 'node:crypto'
import { got } from './answer.ts'
import type { Attack } from './attack.ts'
import { compose, signWithSecret } from './identity.ts'
import { claims } from './people.ts'
import { secrets } from './settings.ts'
import type { World } from './world.ts'

/** Tokens that are not what they say, each at a route that an admin may open. */
const REFUSED = '401 unauthorized'
const admin = () => ({ ...claims('staff'), scope: 'admin' })

function token(
  id: string,
  what: string,
  make: (world: World) => Promise<string> | string,
  expected: string | RegExp = REFUSED,
): Attack {
  return {
    id: `tokens.${id}`,
    owasp: 'API2',
    what,
    expected,
    how: async (world) => got(await world.ask('/api/users?limit=1', { as: await make(world) })),
  }
}

export const tokens: readonly Attack[] = [
  token(
    'good-key-set',
    'A good token of the key set, for comparison',
    (w) => w.identity.sign(admin()),
    '200',
  ),
  token(
    'good-secret',
    'A good token of the secret, for comparison',
    () => signWithSecret(secrets.AUTH_SECRET, admin()),
    '200',
  ),
  ...['none', 'None', 'NONE', 'nOnE', ''].map((alg) =>
    token(`alg-${alg || 'empty'}`, `A token with alg "${alg}"`, () =>
      compose({ alg, typ: 'JWT' }, admin()),
    ),
  ),
  token('alg-none-signed', 'alg none, with the signature of a good token', async (w) => {
    const [, , signature] = (await w.identity.sign(admin())).split('.')
    return compose({ alg: 'none' }, admin(), signature)
  }),
  token('alg-missing', 'A header without alg', () => compose({ typ: 'JWT' }, admin(), 'AAAA')),
  token('swap-pem', 'HS256 with the public key’s PEM as the secret', (w) =>
    signWithSecret(w.identity.publicPem, admin(), { kid: w.identity.kid }),
  ),
  token('swap-pem-trimmed', 'HS256 with the PEM without its last line break', (w) =>
    signWithSecret(w.identity.publicPem.trim(), admin(), { kid: w.identity.kid }),
  ),
  token('swap-jwk', 'HS256 with the public key’s JWK as the secret', (w) =>
    signWithSecret(JSON.stringify(w.identity.publicJwk), admin(), { kid: w.identity.kid }),
  ),
  token('swap-modulus', 'HS256 with the public modulus as the secret', (w) =>
    signWithSecret(Buffer.from(w.identity.publicJwk.n ?? '', 'base64url'), admin()),
  ),
  token('other-secret', 'HS256 with another secret', () =>
    signWithSecret('a secret of our own, thirty-two bytes', admin()),
  ),
  token('empty-secret', 'HS256 with an empty secret', () => hmac('sha256', 'HS256', '')),
  token('null-secret', 'HS256 with the secret "null"', () => hmac('sha256', 'HS256', 'null')),
  token('hs512', 'HS512 with the right secret', () => hmac('sha512', 'HS512', secrets.AUTH_SECRET)),
  token('hs384', 'HS384 with the right secret', () => hmac('sha384', 'HS384', secrets.AUTH_SECRET)),
  token('link-secret', 'HS256 with the secret of the link', () =>
    signWithSecret(secrets.LINK_SECRET, admin()),
  ),
  token('admin-token-as-secret', 'HS256 with the admin token as the secret', () =>
    signWithSecret(secrets.ADMIN_TOKEN, admin()),
  ),
  token('other-key', 'RS256 with a key of our own', (w) =>
    w.identity.sign(admin(), {}, w.identity.evilKey),
  ),
  token('alg-of-key', 'The right key under another alg', async (w) => {
    const [, body, signature] = (await w.identity.sign(admin())).split('.')
    const header = compose({ alg: 'PS256', kid: w.identity.kid }, '').split('.')[0]
    return `${header}.${body}.${signature}`
  }),
  token('other-audience', 'For another audience', (w) =>
    w.identity.sign({ ...admin(), aud: 'another-shop' }),
  ),
  token('no-audience', 'Without an audience', (w) => w.identity.sign(without('aud'))),
  token('audience-prefix', 'For an audience that begins like ours', (w) =>
    w.identity.sign({ ...admin(), aud: `${w.identity.audience}-test` }),
  ),
  token('other-issuer', 'Of another issuer', (w) =>
    w.identity.sign({ ...admin(), iss: 'https://evil.test/' }),
  ),
  token('no-issuer', 'Without an issuer', (w) => w.identity.sign(without('iss'))),
  token('issuer-slash', 'Of our issuer without its last slash', (w) =>
    w.identity.sign({ ...admin(), iss: w.identity.issuer.slice(0, -1) }),
  ),
  token('secret-other-audience', 'Signed with the secret, for another audience', () =>
    signWithSecret(secrets.AUTH_SECRET, { ...admin(), aud: 'another-shop' }),
  ),
  token('expired', 'Expired a second ago', (w) =>
    w.identity.sign({ ...admin(), exp: seconds() - 1 }),
  ),
  token('expired-long-ago', 'Expired in 1970', (w) => w.identity.sign({ ...admin(), exp: 1 })),
  token('no-exp', 'That never expires', (w) => w.identity.sign(without('exp'))),
  token('exp-text', 'Whose exp is text', () =>
    signWithSecret(secrets.AUTH_SECRET, { ...admin(), exp: '9999999999' as never }),
  ),
  token('exp-negative', 'Whose exp is negative', (w) => w.identity.sign({ ...admin(), exp: -1 })),
  token('not-yet', 'Not yet good, for five minutes more', (w) =>
    w.identity.sign({ ...admin(), nbf: seconds() + 300 }),
  ),
  token('future', 'Issued five minutes from now', (w) =>
    w.identity.sign({ ...admin(), iat: seconds() + 300 }),
  ),
  token('no-sub', 'Without a sub', (w) => w.identity.sign(without('sub'))),
  token('empty-sub', 'With an empty sub', (w) => w.identity.sign({ ...admin(), sub: '' })),
  token('sub-fraction', 'Whose sub is a fraction', (w) =>
    w.identity.sign({ ...admin(), sub: 7.5 as never }),
  ),
  token('sub-object', 'Whose sub is an object', (w) =>
    w.identity.sign({ ...admin(), sub: { toString: '71' } as never }),
  ),
  token('huge', 'Of 12 kB, well signed', (w) =>
    w.identity.sign({ ...admin(), pad: 'x'.repeat(9_000) }),
  ),
  token('kid-unknown', 'With a kid that the key set does not have', (w) =>
    w.identity.sign(admin(), { kid: 'no-such-key' }),
  ),
  token('kid-path', 'Whose kid is a path', (w) =>
    w.identity.sign(admin(), { kid: '../../../dev/null' }, w.identity.evilKey),
  ),
  token('kid-sql', 'Whose kid is SQL', (w) =>
    w.identity.sign(admin(), { kid: "' UNION SELECT 'x" }, w.identity.evilKey),
  ),
  token('kid-proto', 'Whose kid is __proto__', (w) =>
    w.identity.sign(admin(), { kid: '__proto__' }, w.identity.evilKey),
  ),
  token('jwk', 'That brings its own key (jwk)', (w) =>
    w.identity.sign(
      admin(),
      { jwk: w.identity.evilJwk, kid: w.identity.evilJwk.kid ?? '' },
      w.identity.evilKey,
    ),
  ),
  ...(['jku', 'x5u'] as const).map((name) => elsewhere(name)),
  token('x5c', 'That brings a chain of certificates (x5c)', (w) =>
    w.identity.sign(admin(), { x5c: ['MIIB'] }, w.identity.evilKey),
  ),
  token('crit', 'With a crit that nobody knows', async (w) => {
    const [, body, signature] = (await w.identity.sign(admin())).split('.')
    const header = compose({ alg: 'RS256', kid: w.identity.kid, crit: ['exp'], exp: 1 }, '').split(
      '.',
    )[0]
    return `${header}.${body}.${signature}`
  }),
  token('crit-signed', 'With an unknown crit, well signed', () =>
    hmac('sha256', 'HS256', secrets.AUTH_SECRET, { crit: ['of-our-own'], 'of-our-own': 1 }),
  ),
  token('alg-twice', 'With alg twice, the second none', () =>
    compose('{"alg":"HS256","alg":"none"}', admin()),
  ),
  token('header-no-json', 'Whose header is no JSON', () => compose('not json', admin(), 'AAAA')),
  token('header-list', 'Whose header is a list', () => compose([], admin(), 'AAAA')),
  token('claims-list', 'Whose claims are a list, well signed', () =>
    hmacOver('{"alg":"HS256"}', '[]'),
  ),
  token('claims-null', 'Whose claims are null, well signed', () =>
    hmacOver('{"alg":"HS256"}', 'null'),
  ),
  token('claims-no-json', 'Whose claims are no JSON, well signed', () =>
    hmacOver('{"alg":"HS256"}', 'sub=71'),
  ),
  token('jwe', 'Of five parts', () => 'eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA'),
  token('deep', 'Whose claims are nested 4,000 deep', () =>
    hmacOver('{"alg":"HS256"}', `{"sub":${'['.repeat(2_500)}${']'.repeat(2_500)}}`),
  ),
]

/** It is refused, and nobody is sent to where it points. */
function elsewhere(name: 'jku' | 'x5u'): Attack {
  return {
    id: `tokens.${name}`,
    owasp: 'API7',
    what: `A token that says where its key is (${name})`,
    expected: '401 unauthorized, and nothing was fetched from there',
    how: async (world) => {
      const { identity } = world
      const before = identity.asked('/evil')
      const header = { [name]: identity.evilUrl, kid: identity.evilJwk.kid ?? '' }
      const as = await identity.sign(admin(), header, identity.evilKey)
      const answer = got(await world.ask('/api/users?limit=1', { as }))
      const asked = identity.asked('/evil') - before
      return `${answer}, and ${asked === 0 ? 'nothing was' : `it was ${asked} times`} fetched from there`
    },
  }
}

function without(claim: string) {
  return Object.fromEntries(Object.entries(admin()).filter(([name]) => name !== claim))
}

function seconds(): number {
  return Math.floor(Date.now() / 1000)
}

function hmac(hash: string, alg: string, secret: string, more: object = {}): string {
  return hmacOver(
    JSON.stringify({ alg, typ: 'JWT', ...more }),
    JSON.stringify(admin()),
    hash,
    secret,
  )
}

function hmacOver(
  header: string,
  body: string,
  hash = 'sha256',
  secret: string = secrets.AUTH_SECRET,
): string {
  const signed = compose(header, body).slice(0, -1)
  return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`
}
