import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { closeCodes } from '../../protocol/close-codes.ts'
import type { Frame } from '../../protocol/frames.ts'
import { formatRefresh } from '../../protocol/session.ts'
import { PRINCIPAL_HEADER, writePrincipal } from '../../worker/doors/session.ts'
import { InboxWorld } from './inbox-world.ts'
import { freshKeyring, operator, userOf } from './keyring-world.ts'
import { bindings } from './link.ts'
import { configure, mailerAtRest } from './mail-world.ts'
import { AUTH_SECRET, token } from './me-world.ts'
import { Subscriber, within } from './subscriber.ts'

/** The sessions of the sockets of inboxes and of those who watch the mails. */

const UNAUTHORIZED = closeCodes.unauthorized.code
let now: number
const pass = (ms: number) => {
  now += ms
  vi.spyOn(Date, 'now').mockReturnValue(now)
}

beforeEach(() => {
  freshKeyring()
  Object.assign(bindings, { AUTH_SECRET })
  now = Math.floor(Date.now() / 1000) * 1000
  pass(0)
})
afterEach(() => {
  vi.restoreAllMocks()
})

describe('P96 a session of an inbox', () => {
  let world: InboxWorld
  beforeEach(() => {
    world = new InboxWorld()
  })
  const begin = async (expiresAt: number | null, issuedAt = 0, name = `user:${world.name}`) => {
    const tab = await world.connect('', { name, expiresAt, issuedAt })
    return { tab, hello: await tab.frame('hello') }
  }
  const refreshing = async (inS: number, sub = world.name) =>
    formatRefresh(await token(sub, { iat: now / 1000, exp: now / 1000 + inS }))

  test('says when it ends, and ends then, through an eviction', async () => {
    // Of whoever cannot be revoked nothing is looked up, so the object sleeps at once.
    const short = await begin(now + 4_000, 0, 'operator')
    const long = await begin(null, 0, 'operator')
    expect(short.hello).toMatchObject({ expires_in_ms: 4_000 })
    expect(long.hello).not.toHaveProperty('expires_in_ms')
    expect(await world.alarmIn()).toBe(4_000)
    pass(4_000)
    await world.evict()
    await world.ring()
    expect((await short.tab.closed).code).toBe(UNAUTHORIZED)
    expect(await long.tab.frames()).toEqual([])
    await world.end()
  })

  test('is refreshed in band by the same user, and by nobody else', async () => {
    const [{ tab }, { tab: other }] = [await begin(now + 4_000), await begin(now + 4_000)]
    tab.socket.send(await refreshing(60))
    expect(JSON.parse(await tab.socket.text())).toEqual({
      type: 'refreshed',
      expires_in_ms: 60_000,
    })
    other.socket.send(await refreshing(60, '1234567'))
    expect((await other.closed).code).toBe(UNAUTHORIZED)
    pass(59_999)
    await world.ring()
    expect(await tab.frames()).toEqual([])
    expect(await world.alarmIn()).toBe(1)
    pass(1)
    await world.ring()
    expect((await tab.closed).code).toBe(UNAUTHORIZED)
    await world.end()
  })

  test('is cut by a call, and by a change of the feed, of what was issued before', async () => {
    const [first, second, third] = [await begin(null), await begin(null, 20), await begin(null, 40)]
    await world.inbox.cut({ principal: `user:${world.name}`, sinceMs: 10 })
    expect((await first.tab.closed).code).toBe(UNAUTHORIZED)
    await world.inbox.cut({ principal: 'user:1234567', sinceMs: 1_000 })
    const row = { principal: `user:${world.name}`, since: '1970-01-01T00:00:00.030999+00:00' }
    const change = {
      offset: 1,
      id: crypto.randomUUID(),
      table: 'revocations',
      op: 'insert' as const,
    }
    const at = '2026-11-21T08:33:55.123456+00:00'
    await world.inbox.hear([{ ...change, key: null, old: null, new: row, at }], world.feed)
    expect((await second.tab.closed).code).toBe(UNAUTHORIZED)
    expect(await third.tab.frames()).toEqual([])
    await world.end()
  })

  test.each([
    ['no principal', {}],
    ['another user', { [PRINCIPAL_HEADER]: writePrincipal(userOf('1234567')) }],
    ['who runs it', { [PRINCIPAL_HEADER]: writePrincipal(operator) }],
    ['one that is over', { [PRINCIPAL_HEADER]: writePrincipal(userOf('1', { expiresAt: 1 })) }],
  ])('is not begun for %s', async (_, header) => {
    const response = await world.inbox.fetch(`https://inbox/?feed=${world.feed}`, {
      headers: { upgrade: 'websocket', ...header },
    })
    const { closed } = new Subscriber(response.webSocket as WebSocket)
    expect((await within(closed, 'a close')).code).toBe(UNAUTHORIZED)
  })
})

describe('P96 a session of who watches the mails', () => {
  beforeEach(configure)
  const watch = async (mailer: Awaited<ReturnType<typeof mailerAtRest>>, given = {}) => {
    const asking = writePrincipal({ ...operator, name: 'key:7', kind: 'key', ...given })
    const headers = { upgrade: 'websocket', [PRINCIPAL_HEADER]: asking }
    const { webSocket } = await mailer.fetch('https://mailer/live', { headers })
    return new Subscriber(webSocket as WebSocket)
  }
  const codeOf = async ({ closed }: Subscriber) => (await within(closed, 'a close')).code

  test('says when it ends, ends then, and is cut when it is revoked', async () => {
    const mailer = await mailerAtRest('sessions')
    const short = await watch(mailer, { name: 'operator', expiresAt: now + 4_000 })
    const first: Partial<Frame> = JSON.parse(await short.text())
    expect(first).toMatchObject({ type: 'moved', expires_in_ms: 4_000 })
    await evictDurableObject(mailer)
    const long = await watch(mailer)
    expect(JSON.parse(await long.text())).not.toHaveProperty('expires_in_ms')
    pass(4_000)
    await runDurableObjectAlarm(mailer)
    expect(await codeOf(short)).toBe(UNAUTHORIZED)
    await mailer.cut({ principal: 'key:8', sinceMs: now })
    await long.untilPong()
    await mailer.cut({ principal: 'key:7', sinceMs: now })
    expect(await codeOf(long)).toBe(UNAUTHORIZED)
  })

  test('is not begun for who is no admin', async () => {
    const mailer = await mailerAtRest('no admin')
    expect(await codeOf(await watch(mailer, { scopes: ['*:read'] }))).toBe(UNAUTHORIZED)
  })
})
