import { listDurableObjectIds, runInDurableObject } from 'cloudflare:test'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { closeCodes } from '../../protocol/close-codes.ts'
import { bindings, startAfresh } from './link.ts'
import { ADA, AUTH_SECRET, BOB, MeWorld } from './me-world.ts'
import { within, worker } from './subscriber.ts'

let world: MeWorld

beforeAll(() => worker.fetch('http://belfry.test/openapi.json'))
beforeEach(() => {
  world = new MeWorld()
})
afterEach(() => {
  vi.restoreAllMocks()
})
afterAll(startAfresh)

describe('P90 a ticket', () => {
  const open = async (path: string) => {
    const socket = await world.socket(path)
    const heard = socket.text().then((text) => JSON.parse(text).type as string)
    const closed = socket.closed.then(({ code }) => code)
    heard.catch(() => undefined)
    return within(Promise.race([heard, closed]), 'a word')
  }
  const refused = closeCodes.unauthorized.code

  it.each(['notifications', 'orders'] as const)('opens one socket of %s, once', async (topic) => {
    const ticket = await world.ticket(ADA, topic)
    expect(await open(`/api/me/${topic}/ws?ticket=${ticket}`)).toBe('hello')
    expect(await open(`/api/me/${topic}/ws?ticket=${ticket}`)).toBe(refused)
  })

  it('opens one of two sockets that come at once', async () => {
    const ticket = await world.ticket(ADA, 'orders')
    const path = `/api/me/orders/ws?ticket=${ticket}`
    const outcomes = await Promise.all([open(path), open(path), open(path)])
    expect(outcomes.filter((outcome) => outcome === 'hello')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === refused)).toHaveLength(2)
  })

  it('opens one stream, once', async () => {
    const ticket = await world.ticket(ADA, 'orders')
    const path = `/api/me/orders/stream?ticket=${ticket}`
    const first = await world.ask('GET', path, { headers: {} })
    expect(first.status).toBe(200)
    await first.body?.cancel()
    expect((await world.ask('GET', path, { headers: {} })).status).toBe(401)
  })

  it('of one topic opens none of the other, and is used up by it', async () => {
    const ticket = await world.ticket(ADA, 'orders')
    expect(await open(`/api/me/notifications/ws?ticket=${ticket}`)).toBe(refused)
    expect(await open(`/api/me/orders/ws?ticket=${ticket}`)).toBe(refused)
  })

  it('is good for 30 s', async () => {
    const ticket = await world.ticket(ADA, 'orders')
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 30_001 })
    try {
      expect(await open(`/api/me/orders/ws?ticket=${ticket}`)).toBe(refused)
    } finally {
      vi.useRealTimers()
    }
  })

  it('of one user opens nothing of another’s, whatever is written into it', async () => {
    const ours = await world.ticket(ADA, 'orders')
    const [door = '', random = ''] = ours.split('.')
    const otherSeal = random.slice(0, -1) + (random.endsWith('A') ? 'B' : 'A')
    for (const ticket of [
      `${(Number(door) + 1) % 16}.${random}`,
      `${door}.${'a'.repeat(54)}`,
      `${door}${random}`,
      `0${door}.${random}`,
      `99.${random}`,
      `${door}.${random}.${BOB}`,
      `${door}.${otherSeal}`,
      `.${random}`,
      '',
      'x'.repeat(10_000),
    ])
      expect(await open(`/api/me/orders/ws?ticket=${encodeURIComponent(ticket)}`)).toBe(refused)
    expect(await open(`/api/me/orders/ws?ticket=${ours}`)).toBe('hello')
  })

  it.each([
    'GET /api/me',
    'GET /api/me/notifications',
    'GET /api/me/preferences',
    'POST /api/me/tickets',
    'GET /api/me/orders',
    'GET /api/emails',
  ])('opens no other door: %s', async (route) => {
    const [method = '', path = ''] = route.split(' ')
    const ticket = await world.ticket(ADA, 'orders')
    const response = await world.ask(method, `${path}?ticket=${ticket}`, { headers: {} })
    expect([401, 426]).toContain(response.status)
    expect(await open(`/api/me/orders/ws?ticket=${ticket}`)).toBe('hello')
  })

  it('that we have not given out asks no object, and so makes none', async () => {
    const [door = '', random = ''] = (await world.ticket(ADA, 'orders')).split('.')
    const before = await listDurableObjectIds(bindings.DOORKEEPER)
    const unsealed = random.slice(0, -22)
    for (let other = 0; other < 16; other++)
      if (other !== Number(door))
        for (const ticket of [random, unsealed, 'a'.repeat(54), unsealed + 'a'.repeat(22)])
          expect(await open(`/api/me/orders/ws?ticket=${other}.${ticket}`)).toBe(refused)
    expect(await listDurableObjectIds(bindings.DOORKEEPER)).toHaveLength(before.length)
  })

  it('is good while the secret is rotated, and not after', async () => {
    for (const [LINK_SECRET_PREVIOUS, status] of [
      [bindings.LINK_SECRET, 200],
      ['', 401],
    ] as const) {
      const path = `/api/me/orders/stream?ticket=${await world.ticket(ADA, 'orders')}`
      const request = new Request(`http://belfry.test${path}`)
      const settings = { AUTH_SECRET, LINK_SECRET: 'the next one', LINK_SECRET_PREVIOUS }
      const response = await world.database.fetch(request, settings)
      expect(response.status).toBe(status)
      await response.body?.cancel()
    }
  })

  it('stands in no storage of a shard', async () => {
    const ticket = await world.ticket(ADA, 'orders')
    expect(await open(`/api/me/orders/ws?ticket=${ticket}`)).toBe('hello')
    const [, random = ''] = ticket.split('.')
    await runInDurableObject(bindings.SHARD.getByName('enam-0'), (shard) => {
      const kept = [...shard.getConnections()].map(({ uri, state }) => JSON.stringify([uri, state]))
      expect(kept.length).toBeGreaterThan(0)
      expect(kept.join()).not.toContain(random)
    })
  })
})
