import { createExecutionContext } from 'cloudflare:test'
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { app } from '../../worker/app.ts'
import { anyoneOf } from '../../worker/doors/anyone.ts'
import { verifyCredential } from '../../worker/doors/credential.ts'
import type { Env } from '../../worker/env.ts'
import { hashOf, keyOf } from './api-key.ts'
import { DatabaseStandIn } from './database-stand-in.ts'
import { bindings, startAfresh } from './link.ts'
import { ADA, AUTH_SECRET, bearer, token } from './me-world.ts'

/* What is shown at a door, and who that is: keys, ADMIN_TOKEN, and nothing at all. */

const NOW = Date.now()
const [good, ended, spent] = [keyOf('g'), keyOf('e'), keyOf('s')]
let database: DatabaseStandIn

beforeEach(async () => {
  vi.restoreAllMocks()
  vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  await startAfresh()
  database = new DatabaseStandIn(() => Response.error())
  const hashes = await Promise.all([good, ended, spent].map(hashOf))
  const [ofGood = '', ofEnded = '', ofSpent = ''] = hashes
  database.ring = {
    keys: [
      { id: 7, hash: ofGood, scopes: ['orders:read', 'nonsense'], expires_ms: NOW + 3_600_000 },
      { id: 8, hash: ofEnded, scopes: ['admin'], expires_ms: NOW - 1 },
      { id: 9, hash: ofSpent, scopes: ['admin'], expires_ms: null },
    ],
    revoked: { 'key:9': NOW, [`user:${ADA}`]: NOW - 10_000 },
  }
})
afterAll(async () => {
  vi.restoreAllMocks()
  await startAfresh()
})

const settings = { AUTH_SECRET, ADMIN_TOKEN: 'the one', ADMIN_TOKEN_PREVIOUS: 'the old one' }
/** Each with a keyring of its own, as if this isolate knew nothing yet. */
const verify = (credential: string, given: Partial<Env> = {}) => {
  const { KEYRING } = bindings
  const namespace = { getByName: (name: string) => KEYRING.getByName(name) }
  const unread = namespace as unknown as Env['KEYRING']
  return verifyCredential({ ...bindings, ...settings, KEYRING: unread, ...given }, credential)
}

describe('P95 an API key', () => {
  it('is known by its hash, with its scopes', async () => {
    expect(await verify(good)).toEqual({
      name: 'key:7',
      kind: 'key',
      user: null,
      scopes: ['orders:read'],
      expiresAt: NOW + 3_600_000,
      issuedAt: null,
    })
  })

  it.each([
    ['that has ended', () => ended, 'expired'],
    ['P96 that was revoked', () => spent, 'revoked'],
    ['that there is not', () => keyOf('x'), 'no key of ours'],
    ['with a character less', () => good.slice(0, -1), 'no key of ours'],
    ['with a character more', () => `${good}g`, 'no key of ours'],
    ['without its beginning', () => good.slice('belfry_'.length), 'no key of ours'],
    ['in capitals', () => good.toUpperCase(), 'no key of ours'],
    ['that is its own hash', () => hashOf(good), 'no key of ours'],
    ['with the hash behind its beginning', async () => `belfry_${await hashOf(good)}`, 'no key of'],
    ['and nothing of it', () => 'belfry_', 'no key of ours'],
  ])('%s opens nothing', async (_, make, why) => {
    const expected = { denied: 'unauthorized', why: expect.stringContaining(why) }
    expect(await verify(await make())).toEqual(expected)
  })
})

describe('P96 a token', () => {
  const issued = async (iat: number | undefined) => verify(await token(ADA, { iat }))
  const second = Math.floor(NOW / 1000)

  it('that was issued before it was revoked is refused, and one from after is good', async () => {
    const refused = { denied: 'unauthorized', why: expect.stringContaining('revoked') }
    expect(await issued(second - 60)).toEqual(refused)
    expect(await issued(undefined)).toEqual(refused)
    expect(await issued(second)).toMatchObject({ name: `user:${ADA}` })
  })

  it('and a key are not believed while nobody can say what was revoked', async () => {
    database.answers(() => Response.error())
    vi.mocked(globalThis.fetch).mockImplementation(async () => Response.error())
    for (const credential of [await token(ADA), good])
      expect(await verify(credential)).toMatchObject({ denied: 'database_unavailable' })
    expect(await verify('the one')).toMatchObject({ name: 'operator' })
    for (const headers of [bearer(await token(ADA)), bearer(good)]) {
      const KEYRING = { getByName: (name: string) => bindings.KEYRING.getByName(name) }
      const given = { ...settings, KEYRING: KEYRING as unknown as Env['KEYRING'] }
      const request = new Request('http://belfry.test/api/orders', { headers })
      const response = await database.fetch(request, given)
      expect(response.status).toBe(503)
    }
  })
})

describe('P95 ADMIN_TOKEN', () => {
  it.each(['the one', 'the old one'])('is good while it is rotated: %s', async (credential) => {
    expect(await verify(credential)).toMatchObject({ name: 'operator', scopes: ['admin'] })
  })

  it.each([
    ['the older one', {}],
    ['the old one', { ADMIN_TOKEN_PREVIOUS: '' }],
    ['the one ', {}],
    ['The one', {}],
    ['', { ADMIN_TOKEN: '', ADMIN_TOKEN_PREVIOUS: '' }],
    ['undefined', { ADMIN_TOKEN: '' }],
    ['x'.repeat(8_193), { ADMIN_TOKEN: 'x'.repeat(8_193) }],
  ])('%j with %j opens nothing', async (credential, given) => {
    expect(await verify(credential, given)).toMatchObject({ denied: 'unauthorized' })
  })
})

describe('P94 whoever says nothing', () => {
  it.each([
    [undefined, []],
    ['', []],
    ['  *:read\n orders:write  *:read', ['*:read', 'orders:write']],
    ['admin', []],
    ['admin orders:read', ['orders:read']],
    ['everything, Orders:Write :read a:b:read read', []],
  ])('with ANONYMOUS_SCOPES %j has %j', (setting, scopes) => {
    const given = setting === undefined ? {} : { ANONYMOUS_SCOPES: setting }
    expect(anyoneOf(given)).toMatchObject({ name: 'anyone', user: null, scopes })
  })

  it.each([
    ['Bearer'],
    ['Bearer '],
    ['Bearer not-good'],
    ['Basic b3BlcmF0b3I6'],
    ['Bearer the one, Bearer the one'],
    [`Bearer ${keyOf('x')}`],
    ['bearer a.b.c'],
    [`Bearer ${'x'.repeat(10_000)}`],
  ])('is not whoever says %j', async (authorization) => {
    for (const path of ['/api/orders', '/api/status', '/api/nothing']) {
      const request = new Request(`http://belfry.test${path}`, { headers: { authorization } })
      const given = { ...settings, ANONYMOUS_SCOPES: '*:read' }
      const response = await database.fetch(request, given)
      expect(response.status).toBe(401)
      expect(response.headers.get('www-authenticate')).toBe('Bearer')
    }
    expect(database.statements).toEqual([])
  })
})

it('P101 whoever tries one credential after the other is stopped, and nobody else', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const env = { ...bindings, ADMIN_TOKEN: 'ours', RATE_LIMIT_ANYONE: '3' }
  const statusFrom = async (address: string, credential: string) => {
    const headers = { authorization: `Bearer ${credential}`, 'cf-connecting-ip': address }
    const request = new Request('http://belfry.test/api/status', { headers })
    return (await app.fetch(request, env, createExecutionContext())).status
  }
  for (const tried of ['a', 'b', 'c']) expect(await statusFrom('192.0.2.1', tried)).toBe(401)
  expect(await statusFrom('192.0.2.1', 'd')).toBe(429)
  expect(await statusFrom('192.0.2.2', 'd')).toBe(401)
  expect(await statusFrom('192.0.2.1', 'ours')).toBe(200)
  vi.useRealTimers()
})
