import { runInDurableObject } from 'cloudflare:test'
import { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { onError } from '../../worker/api/problem.ts'
import { isUpgrade } from '../../worker/api/refusal.ts'
import { admit } from '../../worker/doors/admit.ts'
import { doorkeeper, doorOf } from '../../worker/doors/door-of.ts'
import { edgeLimit } from '../../worker/doors/edge-limit.ts'
import type { Principal } from '../../worker/doors/principal.ts'
import { requestId } from '../../worker/doors/request-id.ts'
import type { Served } from '../../worker/doors/served.ts'
import type { Env } from '../../worker/env.ts'
import { bindings } from './link.ts'
import { Subscriber, within } from './subscriber.ts'

/** What stands behind the door, and how often it was reached. */
let written = 0
let asking: Principal
const door = new Hono<Served>()
door.onError(onError)
door.use(requestId, edgeLimit)
door.use((c, next) => {
  c.set('principal', asking)
  return next()
})
door.use(admit)
door.get('/', (c) => c.text('the answer', 200, { etag: '"1"' }))
door.post('/', (c) => {
  written++
  return c.text('written')
})
door.get('/ws', (c) => {
  if (isUpgrade(c.req.raw)) written++
  return c.text('no socket of a test')
})
door.get('/link', (c) => c.text('linked'))

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  written = 0
})

const context = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} }
const settings = { RATE_LIMIT_ANYONE: '3', RATE_LIMIT_USER: '3', RATE_LIMIT_STAFF: '3' }

/** Each by a name of its own, whose budget is full. */
function someone(kind: Principal['kind'], name = `${kind}:${crypto.randomUUID()}`): Principal {
  return { name, kind, user: null, scopes: [], expiresAt: null, issuedAt: null }
}

async function ask(
  as: Principal,
  { method = 'GET', path = '/', headers = {}, env = {} }: Asked = {},
): Promise<Response> {
  asking = as
  const request = new Request(`https://belfry.test${path}`, { method, headers })
  return door.fetch(request, { ...bindings, ...settings, ...env } as Env, context as never)
}
type Asked = { method?: string; path?: string; headers?: HeadersInit; env?: object }

async function statusesOf(count: number, as: Principal, asked: Asked = {}): Promise<number[]> {
  const statuses: number[] = []
  for (let each = 0; each < count; each++) statuses.push((await ask(as, asked)).status)
  return statuses
}

describe('P101 who asks too much', () => {
  it.each(['user', 'token', 'key', 'anyone'] as const)('as %s gets 429', async (kind) => {
    expect(await statusesOf(4, someone(kind), { headers: { 'cf-connecting-ip': kind } })).toEqual([
      200, 200, 200, 429,
    ])
  })

  it('is told when to come back, and nothing of the answer', async () => {
    const user = someone('user')
    await statusesOf(3, user)
    const refused = await ask(user)
    expect(Object.fromEntries(refused.headers)).toMatchObject({
      'content-type': 'application/problem+json',
      'retry-after': '4',
      'ratelimit-policy': '"default";q=3;w=10',
      ratelimit: '"default";r=0;t=10',
    })
    expect(refused.headers.has('etag')).toBe(false)
    expect(await refused.json()).toMatchObject({
      code: 'rate_limited',
      retry: true,
      detail: 'At most 3 requests in 10 s. Ask again in 4 s.',
      request_id: refused.headers.get('x-request-id'),
    })
  })

  it('writes nothing and opens nothing', async () => {
    const user = someone('user')
    await statusesOf(3, user)
    expect((await ask(user, { method: 'POST' })).status).toBe(429)
    const { webSocket } = await ask(user, { path: '/ws', headers: { upgrade: 'websocket' } })
    expect(written).toBe(0)
    const socket = new Subscriber(webSocket as WebSocket)
    expect(await within(socket.closed, 'the close')).toMatchObject({ code: 4429 })
  })

  it('takes nothing from others', async () => {
    const [one, other] = [someone('user'), someone('user')]
    await statusesOf(10, one)
    expect((await ask(other)).headers.get('ratelimit')).toBe('"default";r=2;t=4')
  })

  it('is counted by its address if it does not say who it is: of IPv6, by its household', async () => {
    const anyone = someone('anyone', 'anyone')
    const from = (address: string) => ({ headers: { 'cf-connecting-ip': address } })
    await statusesOf(2, anyone, from('2001:db8:0:7::1'))
    await statusesOf(2, anyone, from('2001:DB8::7:ffff:0:0:2'))
    expect((await ask(anyone, from('2001:db8:0:7:1::'))).status).toBe(429)
    expect((await ask(anyone, from('2001:db8:0:8::1'))).status).toBe(200)
    expect((await ask(anyone, from('192.0.2.7'))).status).toBe(200)
  })

  it('may go on once its time has passed', async () => {
    const key = someone('key')
    expect(await statusesOf(4, key)).toEqual([200, 200, 200, 429])
    vi.advanceTimersByTime(3_334)
    expect(await statusesOf(2, key)).toEqual([200, 429])
  })

  it('costs the Doorkeeper no more calls', async () => {
    const key = someone('key')
    await statusesOf(4, key)
    const DOORKEEPER = {
      getByName: () => {
        throw new Error('was asked')
      },
    }
    expect((await ask(key, { env: { DOORKEEPER } })).status).toBe(429)
  })

  it.each([
    ['the operator', someone('operator', 'operator'), {}],
    ['whom a setting of 0 lets', someone('user'), { env: { RATE_LIMIT_USER: '0' } }],
    ['a listener, whom its signature lets', someone('anyone', 'anyone'), { path: '/link' }],
  ])('%s ask without end', async (_who, as, asked) => {
    expect(await statusesOf(5, as, asked)).toEqual([200, 200, 200, 200, 200])
  })

  it('is not let in by a setting that is no number', async () => {
    const { headers } = await ask(someone('user'), { env: { RATE_LIMIT_USER: 'many' } })
    expect(headers.get('ratelimit-policy')).toBe('"default";q=200;w=10')
  })
})

describe('P101 a Doorkeeper', () => {
  it.each([
    ['that fails', () => Promise.reject(new Error('overloaded'))],
    ['that says nothing', () => new Promise(() => undefined)],
  ])('%s lets everyone in, and the log says so', async (_how, admitting) => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
    const warned = vi.spyOn(console, 'warn').mockReturnValue()
    const env = { DOORKEEPER: { getByName: () => ({ admit: admitting }) } }
    const answer = ask(someone('user'), { method: 'POST', env })
    await vi.advanceTimersByTimeAsync(1_000)
    const { status, headers } = await answer
    expect(status).toBe(200)
    expect(headers.has('ratelimit')).toBe(false)
    expect(JSON.parse(String(warned.mock.lastCall?.[0]))).toMatchObject({
      message: 'a request was let in uncounted',
      request_id: headers.get('x-request-id'),
    })
  })

  it('counts what comes at once, one by one', async () => {
    const user = someone('user')
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(user)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3)
  })

  it('keeps nothing in its storage for a request', async () => {
    const user = someone('user')
    await ask(user)
    const stub = doorkeeper(bindings, doorOf(user.name))
    const rows = await runInDurableObject(stub, (_instance, { storage }) => storage.list())
    expect([...rows.keys()].filter((key) => key.includes(user.name))).toEqual([])
  })
})

describe('P101 the edge', () => {
  const asked: string[] = []
  const edge = (success: boolean | Error) => ({
    EDGE_LIMIT: {
      limit: async ({ key }: { key: string }) => {
        asked.push(key)
        if (success instanceof Error) throw success
        return { success }
      },
    },
  })
  const from = (address: string) => ({ 'cf-connecting-ip': address })

  afterEach(() => {
    asked.length = 0
  })

  it('refuses an address before anything is asked', async () => {
    const answer = await ask(someone('user'), { headers: from('192.0.2.1'), env: edge(false) })
    expect(answer.status).toBe(429)
    expect(answer.headers.get('retry-after')).toBe('10')
    expect(await answer.json()).toMatchObject({ code: 'rate_limited' })
    expect(asked).toEqual(['192.0.2.1'])
  })

  it.each([
    ['that fails refuses nobody', from('192.0.2.1'), edge(new Error('gone')), ['192.0.2.1']],
    ['is not asked on the machine itself', from('127.0.0.1'), edge(false), []],
    ['nor on its IPv6', from('::1'), edge(false), []],
    ['nor where there is none', {}, edge(false), []],
  ])('%s', async (_what, headers, env, keys) => {
    expect((await ask(someone('user'), { headers, env })).status).toBe(200)
    expect(asked).toEqual(keys)
  })
})
