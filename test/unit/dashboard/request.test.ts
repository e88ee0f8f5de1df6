import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { hasEnded, setSource } from '../../../client/dashboard/credential.ts'
import { request } from '../../../client/dashboard/request.ts'

type Sent = { path: string; headers: Record<string, string>; body: unknown }
let sent: Sent[]
let kept: Map<string, string>

/** Lets in whoever shows `good`. */
async function worker(path: string, { headers, body }: Sent): Promise<Response> {
  sent.push({ path, headers, body })
  if (headers.authorization === 'Bearer good') return Response.json({ done: true })
  const problem = { code: 'unauthorized', title: 'Credentials are missing or wrong', detail: 'No.' }
  return Response.json(problem, { status: 401 })
}

beforeEach(() => {
  sent = []
  kept = new Map()
  hasEnded.value = false
  vi.stubGlobal('fetch', worker)
  vi.stubGlobal('sessionStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, text: string) => void kept.set(key, text),
    removeItem: (key: string) => void kept.delete(key),
  })
})
afterEach(() => void vi.unstubAllGlobals())

const shown = () => sent.map(({ headers }) => headers.authorization)

describe('a request of the dashboard', () => {
  test('P95 is sent again with another token when a local run’s has ended, once', async () => {
    setSource({ kind: 'renewed', give: async (refused) => (refused === 'old' ? 'good' : 'old') })
    const outcome = await request('POST', '/api/orders', { body: { amount: 1 }, onceKey: 'k' })
    expect(outcome).toEqual({ ok: true, value: { done: true } })
    expect(shown()).toEqual(['Bearer old', 'Bearer good'])
    expect(sent.map(({ headers, body }) => [headers['idempotency-key'], body])).toEqual([
      ['k', '{"amount":1}'],
      ['k', '{"amount":1}'],
    ])

    sent = []
    setSource({ kind: 'renewed', give: async () => 'bad' })
    expect(await request('GET', '/api/orders')).toMatchObject({ ok: false })
    expect(shown()).toEqual(['Bearer bad', 'Bearer bad'])
  })

  test('says so when a local run gives no token', async () => {
    const why = 'Start it again.'
    setSource({ kind: 'renewed', give: () => Promise.reject(new Error(why)) })
    const outcome = await request('GET', '/api/orders')
    expect(outcome).toMatchObject({ ok: false, refusal: { detail: why } })
    expect(sent).toEqual([])
  })

  test('P99 names the version that it changes', async () => {
    setSource({ kind: 'renewed', give: async () => 'good' })
    await request('PATCH', '/api/orders/7', { body: {}, version: 3 })
    expect(sent[0]?.headers['if-match']).toBe('"3"')
  })

  test('P106 of anyone shows nothing and ends nothing', async () => {
    setSource({ kind: 'anyone' })
    expect(await request('GET', '/api/orders')).toMatchObject({ ok: false })
    expect(shown()).toEqual([undefined])
    expect(hasEnded.value).toBe(false)
  })

  test('P106 with a key that is refused forgets the key, says why, and begins anew', async () => {
    setSource({ kind: 'pasted', text: 'stolen' })
    expect([...kept.values()]).toEqual(['stolen'])
    await Promise.all([request('GET', '/api/orders'), request('GET', '/api/status')])
    expect([...kept.values()]).toEqual(['Credentials are missing or wrong. No.'])
    expect(hasEnded.value).toBe(true)
  })

  test('of a server that is away says what to do', async () => {
    setSource({ kind: 'anyone' })
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('fetch failed')))
    const { refusal } = (await request('GET', '/')) as { refusal: { detail: string } }
    expect(refusal.detail).toBe('Check that Belfry is running, then try again.')
  })
})
