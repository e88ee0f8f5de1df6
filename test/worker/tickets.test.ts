import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest'
import { closeCodes } from '../../protocol/close-codes.ts'
import { TICKET_MS } from '../../protocol/ticket.ts'
import { doorkeeper, doorOf } from '../../worker/doors/door-of.ts'
import type { Principal } from '../../worker/doors/principal.ts'
import { issueTicket, redeemTicket } from '../../worker/doors/tickets.ts'
import { DatabaseStandIn, watched } from './database-stand-in.ts'
import { freshKeyring, operator, revoke, userOf } from './keyring-world.ts'
import { bindings } from './link.ts'
import { Subscriber, within } from './subscriber.ts'

/** Tickets of all kinds, in the Doorkeeper and at the doors that they open. */

let database: DatabaseStandIn
let users = 0
/** Somebody whose tickets are nobody else's. */
const someone = (given: Partial<Principal> = {}) => userOf(`${Date.now()}${++users}`, given)
const issue = (asking: Principal) => issueTicket(bindings, asking, 'orders')
const redeem = (ticket: string) => redeemTicket(bindings, ticket, 'orders')

beforeEach(() => {
  freshKeyring()
  database = new DatabaseStandIn(() => watched({ orders: ['id', 'status'] }))
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

describe('P97 a ticket', () => {
  test('is its whole principal, once, through an eviction', async () => {
    const asking = someone({
      scopes: ['orders:read', 'täble:read'],
      expiresAt: Date.now() + 60_000,
    })
    const ticket = await issue(asking)
    await evictDurableObject(doorkeeper(bindings, doorOf(asking.name)))
    expect(await redeem(ticket)).toEqual(asking)
    expect(await redeem(ticket)).toBeNull()
  })

  test('shown at three doors at once opens one', async () => {
    const ticket = await issue(someone())
    const shown = await Promise.all([redeem(ticket), redeem(ticket), redeem(ticket)])
    expect(shown.filter((each) => each !== null)).toHaveLength(1)
  })

  test('for another topic opens nothing, and is used up', async () => {
    const ticket = await issue(someone())
    expect(await redeemTicket(bindings, ticket, 'notifications')).toBeNull()
    expect(await redeem(ticket)).toBeNull()
  })

  test.each([
    ['for 30 s', TICKET_MS - 1_000, true],
    ['and not for longer', TICKET_MS, false],
    ['and not once the clock has gone back', -3_600_000, false],
  ])('is good %s', async (_, ms, isGood) => {
    const ticket = await issue(someone())
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms })
    expect((await redeem(ticket)) !== null).toBe(isGood)
  })

  test('ends with the token that it was given for', async () => {
    const ticket = await issue(someone({ expiresAt: Date.now() + 5_000 }))
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 5_000 })
    expect(await redeem(ticket)).toBeNull()
  })

  test('P96 of whoever was revoked since opens nothing', async () => {
    const [asking, later] = [someone(), someone({ issuedAt: Date.now() + 1_000 })]
    const tickets = [await issue(asking), await issue(later), await issue(operator)]
    revoke(database, asking.name)
    revoke(database, later.name)
    const opened = await Promise.all(tickets.map(redeem))
    expect(opened).toEqual([null, later, operator])
  })

  test('leaves nothing at rest that would open a socket', async () => {
    const asking = someone()
    const ticket = await issue(asking)
    const object = doorkeeper(bindings, doorOf(asking.name))
    const kept = await runInDurableObject(object, (_, { storage }) =>
      JSON.stringify(storage.sql.exec('SELECT * FROM tickets').toArray()),
    )
    expect(kept).not.toContain(ticket.slice(ticket.indexOf('.') + 1, -22))
    expect(kept).toContain(asking.name)
  })

  test('more than 64 forget the oldest, and only one’s own', async () => {
    const [asking, other] = [someone(), someone()]
    const theirs = await issue(other)
    const tickets: string[] = []
    for (let n = 0; n < 66; n++) tickets.push(await issue(asking))
    expect(await redeem(tickets[1] ?? '')).toBeNull()
    expect(await redeem(tickets[2] ?? '')).toEqual(asking)
    expect(await redeem(theirs)).toEqual(other)
  })
})

describe('P97 POST /api/tickets', () => {
  const closed = { ANONYMOUS_SCOPES: '' }
  const ask = (topic: unknown, settings = {}, headers: Record<string, string> = {}) =>
    database.fetch(
      new Request('http://belfry.test/api/tickets', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(topic === undefined ? {} : { topic }),
      }),
      settings,
    )
  const admin = { authorization: `Bearer ${bindings.ADMIN_TOKEN}` }
  async function opens(path: string, ticket: string): Promise<string | number> {
    const response = await database.fetch(
      new Request(`http://belfry.test${path}?ticket=${ticket}`, {
        headers: { upgrade: 'websocket' },
      }),
      closed,
    )
    const socket = new Subscriber(response.webSocket as WebSocket)
    const heard = socket.text().then((text) => JSON.parse(text).type as string)
    heard.catch(() => undefined)
    const code = socket.closed.then((close) => close.code)
    return within(Promise.race([heard, code]), 'a word')
  }

  it.each([
    ['changes', '/api/changes/ws', 'hello'],
    ['mails', '/api/emails/live', 'moved'],
  ])('opens a socket of %s, once, and none of the others', async (topic, path, word) => {
    const others = ['/api/changes/ws', '/api/emails/live', '/api/me/orders/ws']
    const give = async () =>
      (await (await ask(topic, closed, admin)).json<{ ticket: string }>()).ticket
    const ticket = await give()
    expect(await opens(path, ticket)).toBe(word)
    expect(await opens(path, ticket)).toBe(closeCodes.unauthorized.code)
    for (const other of others.filter((each) => each !== path))
      expect(await opens(other, await give())).toBe(closeCodes.unauthorized.code)
  })

  it.each([
    ['nobody', 'changes', closed, {}, 401],
    ['anyone who may read', 'changes', {}, {}, 201],
    ['anyone, for mails', 'mails', {}, {}, 403],
    ['who runs it, for a user’s topic', 'orders', closed, admin, 400],
    ['who runs it, for none', undefined, closed, admin, 400],
    ['a wrong token', 'changes', {}, { authorization: 'Bearer wrong' }, 401],
  ])('%s asks for %s: %o', async (_, topic, settings, headers, status) => {
    expect((await ask(topic, settings, headers)).status).toBe(status)
  })
})
