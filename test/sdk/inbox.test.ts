import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { begin, withTen } from './inbox-begun.ts'

describe('an inbox', () => {
  it('P83 is read, and its socket begins where the list stood, with a ticket and no token', async () => {
    const { world, inbox, titles } = await begin({ pageSize: 3 }, withTen())
    expect(titles()).toEqual(['10', '9', '8'])
    expect(world.socket.url).toBe(
      'wss://belfry.example/base/api/me/notifications/ws?epoch=e1&after=10&ticket=3.once',
    )
    expect([inbox.connection.state, inbox.freshness.state]).toEqual(['live', 'current'])
    expect(inbox.counts).toEqual({ unseen: 10, unread: 10, capped: false })
  })

  it('P82 shows what is delivered, and says it once', async () => {
    const { server, titles, arrived, settled } = await begin({}, withTen())
    server.deliver('11')
    await settled()
    expect(titles()[0]).toBe('11')
    expect(arrived).toEqual(['11'])
  })

  it('reads older pages until there are none, also while others arrive', async () => {
    const { server, inbox, titles, settled } = await begin({ pageSize: 4 }, withTen())
    expect(inbox.hasOlder()).toBe(true)
    server.deliver('11')
    await inbox.older()
    expect(titles()).toEqual(['11', '10', '9', '8', '7', '6', '5', '4', '3'])
    await inbox.older()
    await inbox.older()
    await settled()
    expect([titles().length, inbox.hasOlder()]).toEqual([11, false])
  })

  it('has each listing when it is asked for', async () => {
    const { server, inbox, titles, settled } = await begin({}, withTen())
    server.mark(4, 'archived', true)
    server.mark(5, 'read', true)
    await settled()
    expect(titles('archived')).toEqual([])
    await inbox.older('archived')
    await inbox.older('unread')
    expect([titles('archived'), titles('unread').length, titles().length]).toEqual([['4'], 8, 9])
    server.mark(4, 'archived', false)
    await settled()
    expect([titles('archived'), titles().length]).toEqual([[], 10])
  })

  it('P83 after a break goes on from where it was', async () => {
    const { server, world, titles, settled } = await begin({}, withTen())
    server.breakOff(world.socket)
    server.deliver('11')
    server.remove(10)
    world.pass(250)
    await settled()
    expect(world.socket.query).toMatchObject({ epoch: 'e1', after: '10' })
    expect(titles().slice(0, 2)).toEqual(['11', '9'])
    expect(server.asked.filter((asked) => asked === 'GET notifications')).toHaveLength(1)
  })

  it('P83 after a reset reads every listing again that was read', async () => {
    const { server, world, inbox, titles, settled } = await begin({}, withTen())
    await inbox.older('archived')
    server.restart()
    server.mark(10, 'archived', true)
    world.pass(250)
    await settled()
    expect([titles()[0], titles('archived')]).toEqual(['9', ['10']])
    expect(inbox.freshness.state).toBe('current')
  })

  it('P82 what is filed all at once empties one listing, and the other is read again', async () => {
    const { server, inbox, titles, settled } = await begin({ pageSize: 3 }, withTen())
    await inbox.older('archived')
    server.markAll('archived')
    await settled()
    expect([titles(), inbox.hasOlder('archived')]).toEqual([[], true])
    await inbox.older('archived')
    expect(titles('archived')).toEqual(['10', '9', '8'])
  })

  it('a frame that leaves a hole is not believed', async () => {
    const { server, world, titles, settled } = await begin({}, withTen())
    const counts = { unseen: 0, unread: 0, capped: false }
    const frame = { type: 'notifications', epoch: 'e1', after: 12, through: 13, all: {} }
    world.socket.say(JSON.stringify({ ...frame, notifications: [], removed: [10], counts }))
    server.deliver('11')
    world.pass(250)
    await settled()
    expect(titles().slice(0, 2)).toEqual(['11', '10'])
    expect(world.sockets).toHaveLength(2)
  })

  it('P84 holds 500 more than was asked for: what arrives beyond begins the list anew', async () => {
    const { server, world, inbox, settled } = await begin({}, withTen())
    const [first] = inbox.list()
    const many = Array.from({ length: 501 }, (_, index) => ({ ...first, id: 100 + index }))
    const counts = { unseen: 511, unread: 511, capped: false }
    const frame = { type: 'notifications', epoch: 'e1', after: 10, through: 11, all: {}, counts }
    const all = { ...frame, notifications: many.slice(1), removed: [] }
    world.socket.say(JSON.stringify(all))
    await settled()
    expect([inbox.list().length, server.asked.length]).toEqual([510, 2])
    const last = { ...frame, notifications: many.slice(0, 1), removed: [], after: 11, through: 12 }
    world.socket.say(JSON.stringify(last))
    await settled()
    expect([inbox.list().length, server.asked.length]).toEqual([10, 3])
  })

  it('P83 what was heard before is not heard again, nor the page that was asked for twice', async () => {
    const { server, world, inbox, titles, arrived, settled } = await begin(
      { pageSize: 2 },
      withTen(),
    )
    server.deliver('11')
    const counts = { unseen: 0, unread: 0, capped: false }
    const frame = { type: 'notifications', epoch: 'e1', after: 9, through: 10, all: {} }
    world.socket.say(JSON.stringify({ ...frame, notifications: [], removed: [10], counts }))
    expect([titles()[1], arrived, inbox.counts.unread]).toEqual(['10', ['11'], 11])
    server.isSlow = true
    const twice = [inbox.older(), inbox.older()]
    await setImmediate()
    const [first, second] = server.coming.splice(0)
    first?.()
    await setImmediate()
    server.going.splice(0)[0]?.()
    await twice[0]
    server.isSlow = false
    await inbox.older()
    second?.()
    await settled()
    expect([titles().length, inbox.hasOlder()]).toEqual([7, true])
  })
})

describe('when it cannot', () => {
  it('reads again with backoff, and says meanwhile why not', async () => {
    const server = withTen()
    server.refusal = { status: 503, title: 'The database cannot be reached', detail: 'Wait.' }
    const { world, inbox, settled } = await begin({}, server)
    expect(inbox.freshness).toMatchObject({ state: 'failing', retryInMs: 125 })
    world.pass(125)
    await settled()
    expect([inbox.freshness.state, inbox.list().length]).toEqual(['current', 10])
  })

  it('P90 ends when its token is refused and is a text', async () => {
    const server = withTen()
    server.refusal = { status: 401, title: 'Credentials are missing or wrong', detail: 's3cret' }
    const { world, inbox, settled } = await begin({}, server)
    await settled()
    expect(inbox.freshness).toEqual({
      state: 'closed',
      error: new Error('Credentials are missing or wrong: …'),
    })
    expect([world.timers, server.asked.length]).toEqual([0, 1])
  })

  it('P90 asks a function for another token when one was refused', async () => {
    const server = withTen()
    server.refusal = { status: 401, title: 'Credentials are missing or wrong', detail: 'old' }
    let asked = 0
    const { inbox } = await begin({ token: () => `token ${++asked}` }, server)
    expect(inbox.freshness.state).toBe('current')
    // The first, after the refusal, and for the socket.
    expect(asked).toBe(3)
  })

  it('P90 a ticket that is refused for good ends it', async () => {
    const { server, world, inbox, settled } = await begin({}, withTen())
    server.breakOff(world.socket)
    server.refusal = { status: 401, title: 'Credentials are missing or wrong', detail: 'late' }
    world.pass(250)
    await settled()
    expect(inbox.freshness.state).toBe('closed')
    expect(inbox.list()).toHaveLength(10)
    expect([world.timers, world.listeners]).toEqual([0, 0])
  })

  it('closed, it keeps its list and does nothing more', async () => {
    const { server, world, inbox, settled } = await begin({}, withTen())
    let heard = 0
    inbox.subscribe(() => heard++)
    inbox.close()
    server.deliver('11')
    inbox.reconnect()
    await inbox.older()
    world.pass(60_000)
    await settled()
    expect([heard, inbox.list().length, world.timers, world.listeners]).toEqual([0, 10, 0, 0])
  })
})
