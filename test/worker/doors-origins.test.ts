import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { app } from '../../worker/app.ts'
import { readOrigins } from '../../worker/doors/origins.ts'
import type { Env } from '../../worker/env.ts'
import { bindings, operator, startAfresh } from './link.ts'
import { Subscriber, within } from './subscriber.ts'

const OURS = 'https://belfry.test'
const SHOP = 'https://shop.example'
const EVIL = 'https://evil.example'
const context = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} }

type Asked = { origin?: string; method?: string; headers?: HeadersInit; env?: object }

function ask(path: string, { origin, method = 'GET', headers, env }: Asked = {}) {
  const request = new Request(`${OURS}${path}`, { method, headers: new Headers(headers) })
  if (origin !== undefined) request.headers.set('origin', origin)
  const settings = { ...bindings, ALLOWED_ORIGINS: `${SHOP}, http://127.0.0.1:5173`, ...env }
  return app.fetch(request, settings as Env, context as never)
}

const preflight = {
  method: 'OPTIONS',
  headers: { 'access-control-request-method': 'POST' },
}

afterEach(() => {
  vi.restoreAllMocks()
})
afterAll(startAfresh)

describe('P97 a page of another origin', () => {
  const others: [what: string, origin: string][] = [
    ['elsewhere', EVIL],
    ['in a frame without one', 'null'],
    ['over http', 'http://belfry.test'],
    ['on another port', `${OURS}:8443`],
    ['below ours', 'https://evil.belfry.test'],
    ['whose name begins with an allowed one', `${SHOP}.evil.example`],
    ['in capitals', SHOP.toUpperCase()],
    ['with a path', `${SHOP}/`],
  ]
  it.each(others)('%s writes nothing', async (_what, origin) => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const answer = await ask('/api/orders', { origin, method, headers: operator })
      expect([answer.status, await answer.json()]).toMatchObject([403, { code: 'origin_refused' }])
      expect(answer.headers.has('access-control-allow-origin')).toBe(false)
    }
  })

  it.each(others)('%s is not told that it may', async (_what, origin) => {
    const answer = await ask('/api/orders', { origin, ...preflight })
    expect(answer.status).toBe(403)
    expect(answer.headers.has('access-control-allow-origin')).toBe(false)
  })

  it.each([
    '/api/changes/ws',
    '/api/me/notifications/ws',
    '/api/me/orders/ws',
    '/api/emails/live',
    '/link',
  ])('opens no socket at %s', async (path) => {
    const headers = { ...operator, upgrade: 'websocket' }
    const { status, webSocket } = await ask(path, { origin: EVIL, headers })
    expect(status).toBe(101)
    const socket = new Subscriber(webSocket as WebSocket)
    expect(await within(socket.closed, 'the close')).toMatchObject({ code: 4403 })
  })

  it('is answered what anyone may read, and cannot see it', async () => {
    const answer = await ask('/openapi.json', { origin: EVIL })
    expect(answer.status).toBe(200)
    expect(answer.headers.has('access-control-allow-origin')).toBe(false)
    expect(answer.headers.get('cross-origin-resource-policy')).toBe('same-origin')
  })
})

describe('P97 a page that may ask', () => {
  it.each([SHOP, 'http://127.0.0.1:5173'])(
    'of %s is told so, itself and no other',
    async (origin) => {
      const { status, headers } = await ask('/api/orders', { origin, ...preflight })
      expect(status).toBe(204)
      expect(headers.get('access-control-allow-origin')).toBe(origin)
      expect(headers.get('access-control-allow-methods')?.split(',')).toContain('PATCH')
      for (const name of ['authorization', 'content-type', 'idempotency-key', 'if-match'])
        expect(headers.get('access-control-allow-headers')?.split(',')).toContain(name)
      expect(headers.has('access-control-allow-credentials')).toBe(false)
      expect(headers.get('vary')).toMatch(/origin/i)
    },
  )

  it('reads a refusal too, and what stands in its head', async () => {
    const { status, headers } = await ask('/api/nothing', { origin: SHOP, headers: operator })
    expect(status).toBe(404)
    expect(headers.get('access-control-allow-origin')).toBe(SHOP)
    for (const name of ['etag', 'retry-after', 'x-request-id', 'ratelimit'])
      expect(headers.get('access-control-expose-headers')?.split(',')).toContain(name)
  })

  it.each([SHOP, OURS])('of %s opens a socket', async (origin) => {
    const headers = { ...operator, upgrade: 'websocket' }
    const { status, webSocket } = await ask('/api/changes/ws', { origin, headers })
    expect(status).toBe(101)
    const socket = new Subscriber(webSocket as WebSocket)
    expect(await socket.frame('hello')).toMatchObject({ protocol: 1 })
    socket.close()
  })

  it.each([
    ['of the worker', OURS, {}],
    [
      'of its public address',
      'https://inbox.example',
      { PUBLIC_URL: 'https://inbox.example/belfry' },
    ],
  ])('%s writes, and needs no header for it', async (_what, origin, env) => {
    const answer = await ask('/api/nothing', { origin, method: 'POST', headers: operator, env })
    expect(answer.status).toBe(404)
    expect(answer.headers.has('access-control-allow-origin')).toBe(false)
  })

  it('of a mail, whose form names none, unsubscribes', async () => {
    const answer = await ask('/api/unsubscribe/nobody', { origin: 'null', method: 'POST' })
    expect(answer.status).toBe(404)
    expect(answer.headers.get('content-type')).toContain('text/html')
  })
})

describe('P97 the setting ALLOWED_ORIGINS', () => {
  it.each<[setting: string, origins: string[], mistakes: string[]]>([
    ['', [], []],
    [' , ', [], []],
    [
      'https://a.example,https://b.example:8443',
      ['https://a.example', 'https://b.example:8443'],
      [],
    ],
    ['*', [], ['*']],
    ['https://*.example', [], ['https://*.example']],
    ['null', [], ['null']],
    ['https://a.example/', [], ['https://a.example/']],
    ['https://a.example:443', [], ['https://a.example:443']],
    ['a.example,http://b.example', ['http://b.example'], ['a.example']],
    ['file:///', [], ['file:///']],
  ])('of "%s"', (setting, origins, mistakes) => {
    expect(readOrigins(setting)).toEqual({ origins: new Set(origins), mistakes })
  })

  it('lets nobody in by a mistake, and says so once', async () => {
    const logged = vi.spyOn(console, 'error').mockReturnValue()
    const env = { ALLOWED_ORIGINS: '*' }
    for (const origin of [EVIL, SHOP])
      expect((await ask('/api/orders', { origin, method: 'POST', env })).status).toBe(403)
    expect(logged).toHaveBeenCalledTimes(1)
    expect(JSON.parse(String(logged.mock.lastCall?.[0]))).toMatchObject({ mistake: '*' })
  })
})

describe('P102 every answer', () => {
  it.each([
    ['of a route', '/openapi.json', {}],
    ['of none', '/api/nothing', {}],
    ['to nobody', '/api/keys', {}],
    ['to a page of another origin', '/api/orders', { origin: EVIL, method: 'POST' }],
    ['to another method', '/healthz', { method: 'DELETE' }],
    ['to a preflight', '/api/orders', { origin: SHOP, ...preflight }],
    ['of a page', '/api/unsubscribe/nobody', {}],
  ])(
    '%s has an id of ours and forbids a browser what it can',
    async (_what, path, asked: Asked) => {
      const headers = { 'x-request-id': 'mine', ...asked.headers }
      const answer = await ask(path, { ...asked, headers })
      const said = Object.fromEntries(answer.headers)
      expect(said).toMatchObject({
        'x-request-id': expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'content-security-policy': expect.stringMatching(
          /^default-src 'none';.*frame-ancestors 'none'$/,
        ),
        'strict-transport-security': 'max-age=31536000',
      })
      if (path.startsWith('/api/')) expect(said['cache-control']).toBe('no-store')
      if (said['content-type'] === 'application/problem+json')
        expect(await answer.json()).toMatchObject({ request_id: said['x-request-id'] })
    },
  )

  it('has an id of its own', async () => {
    const answers = await Promise.all([ask('/api/nothing'), ask('/api/nothing')])
    expect(new Set(answers.map(({ headers }) => headers.get('x-request-id'))).size).toBe(2)
  })
})
