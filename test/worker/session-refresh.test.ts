import { evictDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { closeCodes } from '../../protocol/close-codes.ts'
import { formatRefresh } from '../../protocol/session.ts'
import { revoke } from './keyring-world.ts'
import { bindings, openLink, orderChanges, startAfresh } from './link.ts'
import { codeOf, isOpen, SessionWorld, shard, UNAUTHORIZED, USER } from './session-world.ts'
import { type Subscriber, worker } from './subscriber.ts'

/** The text frame `refresh <token>`. */

let world: SessionWorld

beforeEach(async () => {
  await worker.fetch('http://belfry.test/openapi.json')
  world = new SessionWorld()
})
afterEach(async () => {
  world.end()
  await startAfresh()
})

describe('P96 a session is refreshed', () => {
  const refresh = async (socket: Subscriber, token: string) => {
    socket.send(formatRefresh(token))
    return JSON.parse(await socket.text())
  }
  const begin = async (path = '/api/changes/ws') => {
    const socket = await world.open(await world.token(4), path)
    await socket.frame('hello')
    return socket
  }

  it.each(['/api/changes/ws?acks=1', '/api/me/orders/ws'])(
    'in band, and lasts as long as the new token: %s',
    async (path) => {
      const socket = await begin(path)
      world.pass(3_000)
      expect(await refresh(socket, await world.token(60))).toEqual({
        type: 'refreshed',
        expires_in_ms: 60_000,
      })
      world.pass(59_000)
      await world.ring()
      await isOpen(socket)
      world.pass(1_000)
      await world.ring()
      expect(await codeOf(socket)).toBe(UNAUTHORIZED)
    },
  )

  it('after an eviction, and stays live through another', async () => {
    const link = await openLink()
    const socket = await world.openUnrevocable(4_000)
    await socket.frame('hello')
    await evictDurableObject(shard())
    const refreshed = await refresh(socket, bindings.ADMIN_TOKEN ?? '')
    expect(refreshed).toEqual({ type: 'refreshed', expires_in_ms: null })
    await evictDurableObject(shard())
    await link.deliver(orderChanges(1))
    expect(await socket.readTo(0, 1)).toHaveLength(1)
    world.pass(4_000)
    await world.ring()
    await isOpen(socket)
  })

  it('twice at once, in whichever order, by the longer of the two', async () => {
    const socket = await begin()
    socket.send(formatRefresh(await world.token(60)))
    socket.send(formatRefresh(await world.token(30)))
    const heard = [JSON.parse(await socket.text()), JSON.parse(await socket.text())]
    expect(heard.map(({ expires_in_ms }) => expires_in_ms).toSorted()).toContain(60_000)
    expect(await refresh(socket, await world.token(10))).toMatchObject({ expires_in_ms: 60_000 })
  })

  it('while it is being caught up, and goes on', async () => {
    const link = await openLink()
    const large = orderChanges(80).map((change) => ({
      ...change,
      new: { note: 'x'.repeat(6_000) },
    }))
    for (let batch = 0; batch < 10; batch++)
      await link.deliver(large.map((change) => ({ ...change, id: crypto.randomUUID() })))
    const socket = await world.open(await world.token(4), '/api/changes/ws?after=0&acks=1')
    // It acknowledges nothing until it is refreshed, so it cannot have been caught up by then.
    const frames: { type: string; epoch: string; after: number; through: number }[] = []
    socket.send(formatRefresh(await world.token(60)))
    while (frames.at(-1)?.type !== 'refreshed') frames.push(JSON.parse(await socket.text()))
    let told = 0
    for (let next = 0; told < 800; next++) {
      const frame = frames[next] ?? JSON.parse(await socket.text())
      if (frame.type !== 'changes') continue
      expect(frame.after).toBe(told)
      told = frame.through
      socket.send(`ack ${frame.epoch}:${told}`)
    }
    world.pass(59_000)
    await world.ring()
    await isOpen(socket)
  })

  it('by no token of somebody else’s, none that reads less, and none that is not good', async () => {
    const good = await world.token(600)
    const bad = {
      'of another user': await world.token(600, { sub: '800000008' }),
      'that reads less': await world.token(600, { scope: 'parcels:read' }),
      'that has expired': await world.token(-1),
      'of another secret': `${good.slice(0, -4)}AAAA`,
      'that is none': 'junk',
      'of who runs it': bindings.ADMIN_TOKEN ?? '',
    }
    const beside = await world.open(good)
    await beside.frame('hello')
    for (const [which, token] of Object.entries(bad)) {
      const socket = await world.open(good)
      await socket.frame('hello')
      socket.send(formatRefresh(token))
      expect([which, await codeOf(socket)]).toEqual([which, UNAUTHORIZED])
    }
    revoke(world.database, `user:${USER}`, world.now)
    world.pass(6_000)
    expect(await isOpen(beside)).toEqual([])
    beside.send(formatRefresh(good))
    expect(await codeOf(beside)).toBe(UNAUTHORIZED)
  })

  it('by no frame that is too long, or holds no token', async () => {
    for (const frame of [
      'refresh ',
      'refresh a b',
      formatRefresh('x'.repeat(8_193)),
      formatRefresh('x'.repeat(1_000_000)),
    ]) {
      const socket = await begin()
      socket.send(frame)
      expect(await codeOf(socket)).toBe(closeCodes.bad_frame.code)
    }
  })

  it('not once it is over, before the alarm has rung', async () => {
    const socket = await begin()
    world.pass(4_000)
    socket.send(formatRefresh(await world.token(60)))
    expect(await codeOf(socket)).toBe(UNAUTHORIZED)
  })

  it('a few times at once, while nobody can say yet whether the token is good', async () => {
    const socket = await world.open(await world.token(60))
    await socket.frame('hello')
    world.pass(6_000)
    const never = { read: () => new Promise(() => undefined) }
    vi.spyOn(bindings.KEYRING, 'getByName').mockReturnValue(never as never)
    const token = await world.token(60)
    for (let n = 0; n < 4; n++) socket.send(formatRefresh(token))
    expect(await isOpen(socket)).toEqual([])
    socket.send(formatRefresh(token))
    expect(await codeOf(socket)).toBe(closeCodes.bad_frame.code)
  })

  it('of anyone, who has none, by no token', async () => {
    const socket = await world.open(null)
    await socket.frame('hello')
    socket.send(formatRefresh(await world.token(60)))
    expect(await codeOf(socket)).toBe(UNAUTHORIZED)
  })
})
