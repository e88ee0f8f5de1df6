import { runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { TICKET_MS, userOfTicket } from '../../protocol/ticket.ts'
import { InboxWorld } from './inbox-world.ts'

let world: InboxWorld

beforeEach(() => {
  world = new InboxWorld()
})
afterEach(() => {
  vi.restoreAllMocks()
})

describe('a ticket', () => {
  test('P90: names its user, and is good once, through an eviction', async () => {
    const ticket = await world.inbox.issueTicket('notifications')
    expect(userOfTicket(ticket)).toBe(world.name)
    await world.evict()
    expect(await world.inbox.redeemTicket(ticket, 'notifications')).toBe(true)
    expect(await world.inbox.redeemTicket(ticket, 'notifications')).toBe(false)
    expect(await world.kept()).toEqual({ tickets: 0 })
  })

  test('P90: shown at two doors at once opens one', async () => {
    const ticket = await world.inbox.issueTicket('orders')
    const shown = [1, 2, 3].map(() => world.inbox.redeemTicket(ticket, 'orders'))
    expect((await Promise.all(shown)).filter(Boolean)).toHaveLength(1)
  })

  test('P90: for another topic opens nothing, and is used up', async () => {
    const ticket = await world.inbox.issueTicket('orders')
    expect(await world.inbox.redeemTicket(ticket, 'notifications')).toBe(false)
    expect(await world.inbox.redeemTicket(ticket, 'orders')).toBe(false)
  })

  test('P90: is good for 30 s', async () => {
    const [first, second] = [
      await world.inbox.issueTicket('orders'),
      await world.inbox.issueTicket('orders'),
    ]
    const now = Date.now()
    const clock = vi.spyOn(Date, 'now').mockReturnValue(now + TICKET_MS - 1_000)
    expect(await world.inbox.redeemTicket(first, 'orders')).toBe(true)
    clock.mockReturnValue(now + TICKET_MS)
    expect(await world.inbox.redeemTicket(second, 'orders')).toBe(false)
  })

  test('P90: of another user, or made up, opens nothing', async () => {
    const other = new InboxWorld()
    const ticket = await other.inbox.issueTicket('orders')
    for (const shown of [ticket, `${world.name}.${'a'.repeat(32)}`, '', 'x'.repeat(100_000)])
      expect(await world.inbox.redeemTicket(shown, 'orders')).toBe(false)
    expect(await other.inbox.redeemTicket(ticket, 'orders')).toBe(true)
  })

  test('P90: leaves nothing at rest that would open a socket', async () => {
    const ticket = await world.inbox.issueTicket('orders')
    const stored = await runInDurableObject(world.object, (_inbox, { storage }) =>
      JSON.stringify(storage.sql.exec('SELECT * FROM tickets').toArray()),
    )
    expect(stored).not.toContain(ticket.split('.')[1])
    expect(stored).toContain('orders')
  })

  test('P84: more than 64 forget the oldest', async () => {
    const tickets: string[] = []
    for (let n = 0; n < 66; n++) tickets.push(await world.inbox.issueTicket('orders'))
    expect(await world.kept()).toEqual({ tickets: 64 })
    expect(await world.inbox.redeemTicket(tickets[0] ?? '', 'orders')).toBe(false)
    expect(await world.inbox.redeemTicket(tickets[2] ?? '', 'orders')).toBe(true)
  })
})
