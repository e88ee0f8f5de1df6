import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { closeCodes } from '../../protocol/close-codes.ts'
import { app } from '../../worker/app.ts'
import { startAfresh } from './link.ts'
import { ADA, AUTH_SECRET, AUTH_SECRET_PREVIOUS, BOB, bearer, MeWorld, token } from './me-world.ts'
import { within, worker } from './subscriber.ts'

/* Who is who: what is no token of a user, and where such a token opens nothing. */

let world: MeWorld

beforeAll(() => worker.fetch('http://belfry.test/openapi.json'))
beforeEach(() => {
  world = new MeWorld()
})
afterEach(() => {
  vi.restoreAllMocks()
})
afterAll(startAfresh)

const now = () => Math.floor(Date.now() / 1000)
const whoAmI = (headers: Record<string, string>) => world.ask('GET', '/api/me', { headers })
const userOf = async (response: Response) =>
  (await response.json<{ user: { id: number } }>()).user.id

describe('P90 P95 a token', () => {
  it.each([
    ['is good', {}, AUTH_SECRET],
    ['is good while its secret is rotated', {}, AUTH_SECRET_PREVIOUS],
    ['may name its user by a number', { sub: Number(ADA) }, AUTH_SECRET],
    ['may begin just now by another clock', { iat: now() + 20, nbf: now() + 20 }, AUTH_SECRET],
    ['may say more', { role: 'admin', user: BOB, iss: 'x', aud: 'y' }, AUTH_SECRET],
  ])('%s', async (_, claims, secret) => {
    const response = await whoAmI(bearer(await token(ADA, claims, secret)))
    expect(response.status).toBe(200)
    expect(await userOf(response)).toBe(Number(ADA))
  })

  it('is read whatever the secret looks like', async () => {
    const secret = '-----BEGIN PUBLIC KEY-----'
    const request = new Request('http://belfry.test/api/me', {
      headers: bearer(await token(ADA, {}, secret)),
    })
    const response = await world.database.fetch(request, { AUTH_SECRET: secret })
    expect(response.status).toBe(200)
  })

  const claims: [claims: Record<string, unknown>, detail: string][] = [
    [{ exp: undefined }, '"exp"'],
    [{ exp: null }, '"exp"'],
    [{ exp: '9999999999' }, '"exp"'],
    [{ exp: true }, '"exp"'],
    [{ exp: 0 }, 'expired'],
    [{ exp: -1 }, 'expired'],
    [{ exp: now() - 1 }, 'expired'],
    [{ nbf: now() + 3_600 }, '"nbf"'],
    [{ nbf: 'tomorrow' }, '"nbf"'],
    [{ iat: now() + 3_600 }, '"iat"'],
    [{ iat: null }, '"iat"'],
    ...[
      undefined,
      null,
      '',
      '7\n',
      '7\u0000',
      '1'.repeat(256),
      7.5,
      1e300,
      true,
      [ADA],
      { id: ADA },
    ].map((sub): [Record<string, unknown>, string] => [{ sub }, '"sub"']),
  ]

  it.each(claims)('that says %j is refused, with the reason', async (given, detail) => {
    const response = await whoAmI(bearer(await token(ADA, given)))
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Bearer')
    expect(await response.json()).toMatchObject({
      code: 'unauthorized',
      retry: false,
      detail: expect.stringContaining(detail),
    })
    expect(world.given).toEqual([])
  })

  const strangers = [
    ...['0', '-7', '+7', '07', '7.0', '7e0', ' 7', '٧', 'ada', '7 OR 1=1'],
    ...['9223372036854775808', '1'.repeat(255), 'auth0|42', 0, -7],
  ]

  it.each(strangers)('of %j is none of a user’s, and opens no inbox', async (sub) => {
    const response = await whoAmI(bearer(await token(ADA, { sub })))
    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({
      code: 'forbidden',
      detail: expect.stringContaining(`token:${sub}`),
    })
    expect(world.given).toEqual([])
  })

  const part = (value: unknown) =>
    btoa(JSON.stringify(value)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
  const good = () => token(ADA)
  const claimsOf = (sub: string) => part({ sub, exp: now() + 600 })
  const forged: [string, () => Promise<string> | string][] = [
    ['of another secret', () => token(ADA, {}, 'another secret')],
    ['of an empty secret', () => `${part({ alg: 'HS256', typ: 'JWT' })}.${claimsOf(ADA)}.`],
    ['with the algorithm none', () => `${part({ alg: 'none' })}.${claimsOf(ADA)}.`],
    ['with the algorithm None', () => `${part({ alg: 'None' })}.${claimsOf(ADA)}.x`],
    ['with another header', async () => (await good()).replace(/^[^.]+/, part({ alg: 'HS512' }))],
    ['with RS256', async () => (await good()).replace(/^[^.]+/, part({ alg: 'RS256' }))],
    ['without an algorithm', async () => (await good()).replace(/^[^.]+/, part({ typ: 'JWT' }))],
    ['of another user', async () => (await good()).replace(/\.[^.]+\./, `.${claimsOf(BOB)}.`)],
    ['without its signature', async () => (await good()).replace(/[^.]+$/, '')],
    ['with a part of its signature', async () => (await good()).slice(0, -6)],
    ['with one part more', async () => `${await good()}.x`],
    ['with one part less', async () => (await good()).replace(/\.[^.]+$/, '')],
    ['that holds no JSON', async () => (await good()).replace(/\.[^.]+\./, '.!!.')],
    ['that holds null', async () => (await good()).replace(/\.[^.]+\./, `.${part(null)}.`)],
    ['twice', async () => `${await good()}, Bearer ${await good()}`],
    ['with words behind it', async () => `${await good()} user=${BOB}`],
    ['that is huge', () => token(ADA, { more: 'x'.repeat(10_000) })],
    ['that is rubbish', () => 'rubbish'],
    ['that is three dots', () => '...'],
  ]

  it.each(forged)('%s opens nothing', async (_, make) => {
    const response = await whoAmI(bearer(await make()))
    expect(response.status).toBe(401)
    expect(world.given).toEqual([])
  })

  it.each([
    ['Basic', async () => ({ authorization: `Basic ${await good()}` })],
    ['no scheme', async () => ({ authorization: await good() })],
    ['a cookie', async () => ({ cookie: `token=${await good()}` })],
    ['another header', async () => ({ 'x-authorization': `Bearer ${await good()}` })],
  ])('is read behind Bearer, not by way of %s', async (_, headers) => {
    expect((await whoAmI(await headers())).status).toBe(401)
  })

  it('does not stand in an address', async () => {
    const response = await world.ask('GET', `/api/me?token=${await good()}`, { headers: {} })
    expect(response.status).toBe(401)
    const socket = await world.socket(`/api/me/orders/ws?token=${await good()}`)
    expect((await within(socket.closed, 'the close')).code).toBe(closeCodes.unauthorized.code)
  })
})

describe('P90 P94 a user at what is not theirs', () => {
  /** What anyone may ask for; each of them has a proof of its own. */
  const OPEN = ['/api/unsubscribe/', '/webhooks/', '/healthz', '/link', '/openapi.json']
  const staff = app.routes.filter(
    ({ method, path }) =>
      method !== 'ALL' &&
      !path.startsWith('/api/me') &&
      !OPEN.some((open) => path.startsWith(open)),
  )
  const routes = [...new Set(staff.map(({ method, path }) => `${method} ${path}`))]

  it('is at many routes', () => {
    expect(routes.length).toBeGreaterThan(40)
  })

  it.each(routes)('%s: forbidden, and nothing is asked', async (route) => {
    const [method = '', path = ''] = route.split(' ')
    const address = path.replace(/:\w+/g, '7')
    for (const [status, claims, secret] of [
      [403, {}, AUTH_SECRET],
      [403, {}, AUTH_SECRET_PREVIOUS],
      [403, { role: 'admin', scopes: ['admin'], permissions: 'admin' }, AUTH_SECRET],
      [403, { scope: 'Admin admin: admin,orders:write read:orders openid' }, AUTH_SECRET],
      [403, { scope: { admin: true } }, AUTH_SECRET],
      [401, { scope: 'admin', exp: now() - 1 }, AUTH_SECRET],
      [401, { scope: 'admin', sub: undefined }, AUTH_SECRET],
      [401, { scope: 'admin' }, 'of another system'],
    ] as const) {
      const headers = bearer(await token(ADA, claims, secret))
      const response = await world.ask(method, address, { headers })
      expect(response.status).toBe(status)
      expect(await response.json()).toMatchObject({
        code: status === 401 ? 'unauthorized' : 'forbidden',
      })
    }
    expect(world.given).toEqual([])
  })

  it('opens no socket of the feed', async () => {
    const socket = await world.socket('/api/changes/ws', bearer(await token(ADA)))
    expect(await within(socket.closed, 'the close')).toMatchObject({
      code: closeCodes.unauthorized.code,
      reason: expect.stringContaining('a scope to read a table'),
    })
  })
})
