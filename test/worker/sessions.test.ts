import { evictDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { closeCodes } from '../../protocol/close-codes.ts'
import { hashOfKey, newApiKey } from '../../worker/doors/api-key.ts'
import { bookOf } from '../../worker/doors/keyring-book.ts'
import { PRINCIPAL_HEADER } from '../../worker/doors/session.ts'
import { revoke } from './keyring-world.ts'
import { bindings, openLink, orderChange, orderChanges, startAfresh } from './link.ts'
import { codeOf, isOpen, SessionWorld, shard, UNAUTHORIZED, USER } from './session-world.ts'
import { Subscriber, within, worker } from './subscriber.ts'

/** The sessions of a shard's sockets. */

let world: SessionWorld

beforeEach(async () => {
  await worker.fetch('http://belfry.test/openapi.json')
  world = new SessionWorld()
})
afterEach(async () => {
  world.end()
  await startAfresh()
})

const revocation = (principal: string, since: string) =>
  orderChange({
    ...{ table: 'revocations', key: { principal } },
    new: { principal, since, reason: 'what nobody else may hear' },
  })

describe('P96 a session', () => {
  it('says when it ends, and ends then, of all sockets of that token and of no others', async () => {
    const [short, long] = [await world.token(4), await world.token(60)]
    const ending = [await world.open(short), await world.open(short, '/api/me/orders/ws')]
    const staying = [await world.open(long), await world.open(null)]
    for (const socket of ending)
      expect(await socket.frame('hello')).toMatchObject({ expires_in_ms: 4_000 })
    expect(await staying[0]?.frame('hello')).toMatchObject({ expires_in_ms: 60_000 })
    expect(await staying[1]?.frame('hello')).not.toHaveProperty('expires_in_ms')
    expect(await world.alarmIn()).toBe(4_000)
    world.pass(3_999)
    await world.ring()
    for (const socket of ending) await isOpen(socket)
    expect(await world.alarmIn()).toBe(1)
    world.pass(1)
    await world.ring()
    for (const socket of ending) expect(await codeOf(socket)).toBe(UNAUTHORIZED)
    // It rang for them alone, and not for a heartbeat.
    for (const socket of staying) expect(await isOpen(socket)).toEqual([])
    expect(await world.alarmIn()).toBe(6_000)
  })

  it('ends after an eviction too, and by a clock that was set', async () => {
    const socket = await world.openUnrevocable(600_000)
    await socket.frame('hello')
    await evictDurableObject(shard())
    await isOpen(socket)
    world.pass(3_600_000)
    await world.ring()
    expect(await codeOf(socket)).toBe(UNAUTHORIZED)
  })

  it('of a stream ends it', async () => {
    const response = await world.visit(await world.token(4), '/api/changes/stream')
    world.pass(4_000)
    await world.ring()
    expect(await within(response.text(), 'the end')).toContain(`: closed with ${UNAUTHORIZED}`)
  })

  it('is not begun without a principal in the worker’s own header', async () => {
    for (const header of [null, '', '{}', '{"name":"operator"}']) {
      const headers = header === null ? {} : { [PRINCIPAL_HEADER]: header }
      const response = await shard().fetch('https://shard/', {
        headers: { upgrade: 'websocket', ...headers },
      })
      expect(await codeOf(new Subscriber(response.webSocket as WebSocket))).toBe(UNAUTHORIZED)
    }
  })

  it('is not begun by what a client says of itself', async () => {
    const headers = { [PRINCIPAL_HEADER]: '{"name":"operator","scopes":["admin"]}' }
    const response = await world.visit(await world.token(4), '/api/changes/ws', {
      upgrade: 'websocket',
      ...headers,
    })
    const socket = new Subscriber(response.webSocket as WebSocket)
    expect(await socket.frame('hello')).toMatchObject({ expires_in_ms: 4_000 })
  })
})

describe('P60 what is too long to be kept with a socket', () => {
  it.each([
    ['scopes', '', 250],
    [
      'a query',
      `?${Array.from({ length: 8 }, (_, n) => `${n}=${encodeURIComponent('表'.repeat(250))}`).join('&')}`,
      1,
    ],
  ])('%s: is refused in words, and harms nobody', async (_, query, length) => {
    const key = newApiKey()
    const scopes = Array.from({ length: 50 }, (_, n) => `${'表'.repeat(length)}${n}:read`)
    const [id, expires_ms] = [1, null]
    world.database.ring = {
      keys: [{ id, hash: await hashOfKey(key), scopes, expires_ms }],
      revoked: {},
    }
    const beside = await world.open(null)
    await beside.frame('hello')
    const socket = await world.open(key, `/api/changes/ws${query}`)
    expect(await codeOf(socket)).toBe(closeCodes.bad_request.code)
    await isOpen(beside)
  })
})

describe('P96 what is revoked', () => {
  it('is cut from everywhere, in all that was issued before, and nothing else', async () => {
    const [before, after] = [
      await world.token(60),
      await world.token(60, { iat: world.now / 1000 + 10 }),
    ]
    const other = await world.token(60, { sub: '800000008' })
    const [cut, ...kept] = [
      await world.open(before),
      await world.open(after),
      await world.open(other),
      await world.open(null),
    ]
    for (const socket of [cut, ...kept]) await socket?.frame('hello')
    await bindings.FEED.getByName('main').cut({
      principal: `user:${USER}`,
      sinceMs: world.now + 5_000,
    })
    expect(await codeOf(cut as Subscriber)).toBe(UNAUTHORIZED)
    for (const socket of kept) await isOpen(socket)
  })

  it('is found in the feed, by whoever sees no such change', async () => {
    const link = await openLink()
    const sockets = [await world.open(await world.token(60)), await world.open(null)]
    for (const socket of sockets) await socket.frame('hello')
    const since = new Date(world.now + 1_000).toISOString()
    await link.deliver([orderChange(), revocation(`user:${USER}`, since)])
    expect(await codeOf(sockets[0] as Subscriber)).toBe(UNAUTHORIZED)
    expect(await sockets[1]?.readTo(0, 1)).toMatchObject([{ table: 'orders' }])
  })

  it('is found by who was asleep when it came, and by who is being caught up', async () => {
    const link = await openLink()
    await link.deliver(orderChanges(300))
    const live = await world.open(await world.token(60))
    await live.frame('hello')
    const behind = await world.open(await world.token(60), '/api/changes/ws?after=0&acks=1')
    await behind.frame('hello')
    await world.alarmIn()
    // As if the feed had never known of the shard: nothing is pushed.
    await bindings.FEED.getByName('main').attend('enam-0', 0)
    await link.deliver([revocation(`user:${USER}`, new Date(world.now + 1_000).toISOString())])
    await world.ring()
    for (const socket of [live, behind]) expect(await codeOf(socket)).toBe(UNAUTHORIZED)
  })

  it('in the very moment of subscribing is found a little later', async () => {
    await bookOf(bindings)
    revoke(world.database, `user:${USER}`, world.now)
    const socket = await world.open(await world.token(60))
    await socket.frame('hello')
    world.pass(3_000)
    expect(await codeOf(socket)).toBe(UNAUTHORIZED)
  })

  it('cuts two hundred sockets at once, and leaves one', async () => {
    const token = await world.token(60)
    const sockets = await Promise.all(Array.from({ length: 200 }, () => world.open(token)))
    const stays = await world.open(null)
    await stays.frame('hello')
    await shard().cut({ principal: `user:${USER}`, sinceMs: world.now })
    expect(new Set(await Promise.all(sockets.map(codeOf)))).toEqual(new Set([UNAUTHORIZED]))
    await isOpen(stays)
    await vi.waitFor(async () => {
      const { shards } = await bindings.FEED.getByName('main').status()
      expect(shards).toMatchObject([{ sockets: 1 }])
    })
  })
})
