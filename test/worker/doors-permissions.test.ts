import { createExecutionContext } from 'cloudflare:test'
import { type Context, Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { ProblemCode } from '../../protocol/problems.ts'
import { app } from '../../worker/app.ts'
import { guard } from '../../worker/doors/guard.ts'
import { identify } from '../../worker/doors/identify.ts'
import { type Permission, permissionOf } from '../../worker/doors/permissions.ts'
import type { ServedUser } from '../../worker/doors/served.ts'
import { hashOf, keyOf } from './api-key.ts'
import { DatabaseStandIn, refusedWith } from './database-stand-in.ts'
import { bindings, operator, startAfresh } from './link.ts'
import { ADA, AUTH_SECRET, bearer, token } from './me-world.ts'
import { routesBy } from './routes-by-permission.ts'

/* Who may do what: every route there is, asked by everyone there is. */

const [readers, writers, all] = [keyOf('r'), keyOf('w'), keyOf('a')]
const people: Record<string, { headers: () => Promise<Headers>; opens: Permission[] }> = {
  anyone: { headers: async () => ({}), opens: [] },
  'a user': { headers: () => signed({}), opens: ['user'] },
  'a user with orders:read': {
    headers: () => signed({ scope: 'openid orders:read' }),
    opens: ['user', 'orders:read', 'some', 'any'],
  },
  'a user with admin': {
    headers: () => signed({ scope: ['admin'] }),
    opens: ['user', 'orders:read', 'orders:write', 'some', 'any', 'admin'],
  },
  'a token with shop.parcels:read': {
    headers: () => signed({ sub: 'auth0|7', scope: 'shop.parcels:read' }),
    opens: ['some', 'any'],
  },
  'a key with orders:read': {
    headers: async () => bearer(readers),
    opens: ['orders:read', 'some', 'any'],
  },
  'a key with orders:write': {
    headers: async () => bearer(writers),
    opens: ['orders:write', 'any'],
  },
  'a key with *:read': { headers: async () => bearer(all), opens: ['orders:read', 'some', 'any'] },
  'who runs it': {
    headers: async () => operator,
    opens: ['orders:read', 'orders:write', 'some', 'any', 'admin'],
  },
}
type Headers = Record<string, string>

async function signed(claims: Record<string, unknown>): Promise<Headers> {
  return bearer(await token(ADA, claims))
}

const settings = { AUTH_SECRET, ANONYMOUS_SCOPES: '', RATE_LIMIT_USER: '0', RATE_LIMIT_STAFF: '0' }
let database: DatabaseStandIn

beforeAll(async () => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  database = new DatabaseStandIn(() => refusedWith('XX000'))
  database.ring.keys = [
    { id: 1, hash: await hashOf(readers), scopes: ['orders:read'], expires_ms: null },
    { id: 2, hash: await hashOf(writers), scopes: ['orders:write'], expires_ms: null },
    { id: 3, hash: await hashOf(all), scopes: ['*:read'], expires_ms: null },
  ]
})
afterAll(async () => {
  vi.restoreAllMocks()
  await startAfresh()
})

async function ask(route: string, headers: Headers) {
  const [method = '', path = ''] = route.split(' ')
  const address = `http://belfry.test${path.replace(/:\w+/g, '7')}`
  const response = await database.fetch(new Request(address, { method, headers }), settings)
  const isProblem =
    method !== 'HEAD' && response.headers.get('content-type') === 'application/problem+json'
  const said = isProblem ? await response.json<{ code: ProblemCode; detail?: string }>() : null
  if (!isProblem) await response.body?.cancel()
  return { response, code: said?.code ?? null, detail: said?.detail ?? '' }
}

const inTable = Object.entries(routesBy) as [Permission, string[]][]
const every = inTable.flatMap(([permission, each]) => each.map((route) => ({ route, permission })))

describe('P94 the table of permissions', () => {
  it('has every route that there is, and no other', () => {
    const there = app.routes
      .filter(({ method, path }) => method !== 'ALL' || path !== '/*')
      .map(({ method, path }) => `${method} ${path}`)
    expect(every.map(({ route }) => route).toSorted()).toEqual([...new Set(there)].toSorted())
  })

  it.each(every)('$route needs $permission', ({ route, permission }) => {
    const [method = '', path = ''] = route.split(' ')
    expect(permissionOf(method, path)).toBe(permission)
  })

  it.each([
    'GET /api',
    'GET /',
    'POST /api/orders/:id',
    'GET /api/orders/:id/more',
    'GET /api/meet',
    'TRACE /api/status',
    'POST /metrics',
    'GET /webhooks/resend',
    'GET /api/keysmith',
  ])('knows nothing of %s', (route) => {
    const [method = '', path = ''] = route.split(' ')
    expect(permissionOf(method, path)).toBeNull()
  })
})

it('P94 a route that the table does not know opens to nobody', async () => {
  const reached = vi.fn((c: Context) => c.text('reached'))
  const another = new Hono<ServedUser>()
    .use(identify)
    .use(guard)
    .get('/api/new', reached)
    .get('/api/orders/:id/secrets', reached)
    .all('/api/all', reached)
  for (const { headers } of Object.values(people))
    for (const path of ['/api/new', '/api/orders/7/secrets', '/api/all']) {
      const request = new Request(`http://belfry.test${path}`, { headers: await headers() })
      const env = { ...bindings, ...settings }
      const response = await another.fetch(request, env, createExecutionContext())
      expect([401, 403]).toContain(response.status)
    }
  expect(reached).not.toHaveBeenCalled()
})

it.each([
  ...['HEAD /api/emails', 'GET /api//emails', 'GET /api/emails/', 'GET //api/emails'],
  ...['GET /API/emails', 'GET /api/%65mails', 'GET /api/emails%2f', 'GET /api/./emails'],
  ...['GET /api/me/../emails', 'GET /api/unsubscribe/../emails', 'GET /api/emails;x=1'],
  ...['GET /api/unsubscribe/%2e%2e/emails', 'GET /api/emails%00', 'GET /healthz/../api/emails'],
  ...['GET /api/emails?x=/healthz', 'GET /api/emails#/healthz', 'OPTIONS /api/emails'],
])('P94 %s opens no door that is shut', async (route) => {
  const { response } = await ask(route, {})
  expect([401, 404, 405]).toContain(response.status)
})

describe.each(Object.entries(people))('P94 %s', (who, { headers, opens }) => {
  it('gets to what is theirs, and to nothing else', async () => {
    const given = await headers()
    const outcomes = await Promise.all(
      every.map(async ({ route, permission }) => {
        const { response, code, detail } = await ask(route, given)
        if (code !== 'unauthorized' && code !== 'forbidden') return [route, 'opens']
        const [status, expected] = who === 'anyone' ? [401, 'unauthorized'] : [403, 'forbidden']
        expect([response.status, code], route).toEqual([status, expected])
        expect(response.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null)
        return [route, detail.includes(needed[permission]) ? 'names what it needs' : detail]
      }),
    )
    const expected = every.map(({ route, permission }) => [
      route,
      permission === 'open' || opens.includes(permission) ? 'opens' : 'names what it needs',
    ])
    expect(Object.fromEntries(outcomes)).toEqual(Object.fromEntries(expected))
  })
})

const needed: Record<Permission, string> = {
  open: '',
  user: 'the token of a user',
  'orders:read': '"orders:read"',
  'orders:write': '"orders:write"',
  some: 'a scope to read a table',
  any: 'a scope',
  admin: '"admin"',
}
