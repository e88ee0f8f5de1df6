import { describe, expect, it } from 'vitest'
import { connectOn } from '../../client/sdk/connect.ts'
import { describe as sentence } from '../../client/sdk/reasons.ts'
import { closeCodes } from '../../protocol/close-codes.ts'
import { HEARTBEAT_MS } from '../../protocol/heartbeat.ts'
import type { Position } from '../../protocol/position.ts'
import { begin } from './connected.ts'
import { changes, hello, inserted, reset, World } from './world.ts'

describe('the address', () => {
  it('is the socket of the worker, with what is wanted', () => {
    const { world } = begin({
      url: 'https://belfry.example/base/',
      table: 'orders',
      ops: ['insert', 'update'],
      filter: { status: 'filled', table: 'a&b' },
      position: { epoch: 'k3v', offset: 41 },
    })
    expect(world.socket.url).toMatch('wss://belfry.example/base/api/changes/ws?')
    expect(world.socket.query).toEqual({
      table: 'orders',
      op: 'insert,update',
      'where.status': 'filled',
      'where.table': 'a&b',
      after: '41',
      epoch: 'k3v',
    })
  })

  it('asks from now on without a position, and without an epoch where none is known', () => {
    expect(begin().world.socket.url).toBe('ws://127.0.0.1:8787/api/changes/ws?acks=1')
    expect(begin({ position: { epoch: null, offset: 7 } }).world.socket.query).toEqual({
      after: '7',
    })
  })

  it('where there is no WebSocket it says so at once', () => {
    const world = Object.assign(new World(), { WebSocket: undefined })
    const bare = world as unknown as World
    expect(() => connectOn(bare, { url: 'http://127.0.0.1:8787' })).toThrow(
      'there is no WebSocket here: use Node 22 or later, or a browser',
    )
  })

  it.each(['', 'localhost:8787', 'ftp://x', '/api'])('"%s" is refused with a sentence', (url) => {
    expect(() => begin({ url })).toThrow(/is not an http\(s\) address, such as/)
  })
})

describe('following', () => {
  it('P30 is live with the hello, at its position, and sends nothing to begin', () => {
    const { world, connection, states } = begin()
    expect(connection.position).toBeNull()
    world.socket.say(hello('a', 5))
    expect(connection.position).toEqual({ epoch: 'a', offset: 5 })
    expect(states).toEqual([
      { state: 'connecting', attempt: 1 },
      { state: 'live', since: world.now() },
    ])
    expect(world.socket.sent).toEqual([])
  })

  it('P32 hands over each change with the position after it, and the frame as a whole', () => {
    const places: string[] = []
    const { world, connection } = begin({
      onChange: ({ offset }, at) =>
        places.push(`${offset} at ${at.offset}, ${connection.position?.offset}`),
      onChanges: (list, at) =>
        places.push(`${list.length} at ${at.offset}, ${connection.position?.offset}`),
    })
    world.socket.say(hello('a', 5))
    world.socket.say(changes('a', 5, [inserted(6), inserted(8)], 9))
    expect(places).toEqual(['6 at 6, 6', '8 at 8, 8', '2 at 9, 9'])
  })

  it('P31 a gap is asked for again from our position, and nothing is handed over twice', () => {
    const { world, got, states } = begin({ position: { epoch: 'a', offset: 5 } })
    world.socket.say(hello('a', 5))
    world.socket.say(changes('a', 5, [inserted(6)]))
    world.socket.say(changes('a', 8, [inserted(9)]))
    const first = world.socket
    expect(first.closed).toBe(true)
    expect(states.at(-1)).toMatchObject({
      state: 'waiting',
      reason: { kind: 'gap', mine: 'a:6', theirs: 'a:8' },
    })
    world.pass(250)
    expect(world.socket.query).toEqual({ after: '6', epoch: 'a' })
    first.say(changes('a', 6, [inserted(7)]))
    world.socket.say(hello('a', 6))
    world.socket.say(changes('a', 5, [inserted(6), inserted(7), inserted(8), inserted(9)]))
    expect(got).toEqual([6, 7, 8, 9])
  })

  it('P34 a reset is said, and following goes on from the given head', () => {
    const resets: [string, Position][] = []
    const { world, connection, got } = begin({
      position: { epoch: 'a', offset: 5 },
      onReset: (reason, position) => resets.push([reason, position]),
    })
    world.socket.say(hello('b', 40))
    world.socket.say(reset('b', 40, 'epoch'))
    world.socket.say(changes('b', 40, [inserted(41)]))
    expect(resets).toEqual([['epoch', { epoch: 'b', offset: 40 }]])
    expect(got).toEqual([41])
    connection.reconnect()
    expect(world.socket.query).toEqual({ after: '41', epoch: 'b' })
  })

  it('a callback that throws is reported and stops nothing', () => {
    const { world, got } = begin({
      onChanges: () => {
        throw new Error('mine')
      },
    })
    world.socket.say(hello('a', 5))
    world.socket.say(changes('a', 5, [inserted(6)]))
    world.socket.say(changes('a', 6, [inserted(7)]))
    expect(got).toEqual([6, 7])
    expect(world.reported).toEqual([new Error('mine'), new Error('mine')])
  })
})

describe('breaking and coming back', () => {
  it('goes on from its position after each break, waiting longer each time', () => {
    const { world, connection, states } = begin({ position: { epoch: 'a', offset: 5 } })
    for (let attempt = 1; attempt <= 4; attempt++) {
      world.socket.break()
      world.pass(10_000)
    }
    expect(world.sockets).toHaveLength(5)
    expect(states.flatMap((s) => (s.state === 'waiting' ? [s.retryInMs] : []))).toEqual([
      125, 250, 500, 1000,
    ])
    expect(states.at(-1)).toEqual({ state: 'connecting', attempt: 5 })
    expect(world.socket.query).toEqual({ after: '5', epoch: 'a' })
    world.socket.say(hello('a', 5))
    world.pass(5_000)
    world.socket.break()
    expect(connection.state).toMatchObject({ state: 'waiting', attempt: 1 })
  })

  it('P35 silence of twice the heartbeat is a loss; an empty frame is not silence', () => {
    const { world, connection } = begin()
    world.socket.say(hello('a', 5))
    world.pass(2 * HEARTBEAT_MS - 1)
    world.socket.say(changes('a', 5, []))
    world.pass(2 * HEARTBEAT_MS - 1)
    expect(connection.state.state).toBe('live')
    world.pass(1)
    expect(connection.state).toMatchObject({
      state: 'waiting',
      reason: { kind: 'silent', forMs: 30_000 },
    })
    expect(world.socket.closed).toBe(true)
  })

  it('a server that takes the socket and says nothing is a loss after ten seconds', () => {
    const { world, connection } = begin()
    world.pass(10_000)
    expect(connection.state).toMatchObject({
      state: 'waiting',
      attempt: 1,
      reason: { kind: 'silent' },
    })
  })

  it.each(['bad_request', 'unauthorized', 'bad_frame', 'origin_refused', 'other_source'] as const)(
    'P60 %s is for good, and says why',
    (name) => {
      const { world, connection } = begin()
      world.socket.break(closeCodes[name].code, 'after: a whole number')
      const { state } = connection
      expect(state).toMatchObject({ state: 'closed', reason: { kind: 'refused', name } })
      expect(state.state === 'closed' && sentence(state.reason)).toMatch(
        /.{10}: after: a whole number$/,
      )
      world.pass(60_000)
      expect(world.sockets).toHaveLength(1)
      expect(world.timers).toBe(0)
    },
  )

  it('P60 a malformed frame is a loss with its reason', () => {
    const { world, connection } = begin()
    world.socket.say(hello('a', 5))
    world.socket.say('{"type":"changes"}')
    expect(connection.state).toMatchObject({ state: 'waiting', reason: { kind: 'malformed' } })
  })

  it('reconnect() begins at once on a new socket, and drops the old one', () => {
    const { world, connection } = begin()
    world.socket.say(hello('a', 5))
    const first = world.socket
    connection.reconnect()
    expect(first.closed).toBe(true)
    expect(connection.state).toEqual({ state: 'connecting', attempt: 1 })
    world.socket.say(hello('a', 5))
    first.break()
    expect(connection.state.state).toBe('live')
    expect(world.sockets).toHaveLength(2)
  })

  it('a network that is back ends the waiting', () => {
    const { world, connection } = begin()
    world.socket.break()
    world.comeBack('online')
    expect(world.sockets).toHaveLength(2)
    expect(connection.state).toEqual({ state: 'connecting', attempt: 2 })
  })

  it('a page shown after long silence asks, and without an answer connects anew', () => {
    const { world, connection } = begin()
    world.socket.say(hello('a', 5))
    world.comeBack('shown')
    expect(world.socket.sent).toEqual([])
    world.sleep(HEARTBEAT_MS + 1)
    world.comeBack('shown')
    expect(world.socket.sent).toEqual(['ping'])
    world.pass(5_000)
    expect(connection.state).toMatchObject({ state: 'waiting', reason: { kind: 'silent' } })
  })
})
