import { describe, expect, it } from 'vitest'
import { connectOn } from '../../client/sdk/connect.ts'
import { begin } from './connected.ts'
import { changes, hello, inserted, World } from './world.ts'

describe('ping', () => {
  it('P37 measures there and back, each its own', async () => {
    const { world, connection } = begin()
    world.socket.say(hello('a', 5))
    const first = connection.ping()
    world.pass(30)
    const second = connection.ping()
    world.pass(12)
    world.socket.say('pong')
    world.socket.say('pong')
    expect(await Promise.all([first, second])).toEqual([42, 12])
    expect(world.socket.sent).toEqual(['ping', 'ping'])
  })

  it('fails when nobody answers, when the socket breaks and when there is none', async () => {
    const { world, connection } = begin()
    await expect(connection.ping()).rejects.toThrow('not connected (connecting)')
    world.socket.say(hello('a', 5))
    const broken = connection.ping()
    world.socket.break()
    await expect(broken).rejects.toThrow('broke off')
    world.pass(250)
    world.socket.say(hello('a', 5))
    const silent = connection.ping()
    world.pass(2_000)
    // A frame shows that the way is good, but it is no answer.
    world.socket.say(changes('a', 5, []))
    world.pass(3_000)
    await expect(silent).rejects.toThrow('no answer in 5000 ms')
    expect(connection.state.state).toBe('live')
  })
})

describe('closing', () => {
  it('is for good: no timer, no listener, no callback is left', () => {
    const { world, connection, states, got } = begin()
    world.socket.say(hello('a', 5))
    connection.close()
    expect(states.at(-1)).toEqual({ state: 'closed', reason: { kind: 'asked' } })
    world.socket.say(changes('a', 5, [inserted(6)]))
    world.socket.break()
    connection.reconnect()
    world.pass(60_000)
    expect([world.timers, world.listeners, world.sockets.length]).toEqual([0, 0, 1])
    expect([got, states.length]).toEqual([[], 3])
  })

  it('in a callback leaves the position at the change in hand', () => {
    const got: number[] = []
    const { world, connection } = begin({
      onChange: ({ offset }) => {
        got.push(offset)
        if (offset === 7) connection.close()
      },
    })
    world.socket.say(hello('a', 5))
    world.socket.say(changes('a', 5, [inserted(6), inserted(7), inserted(8)]))
    expect(got).toEqual([6, 7])
    expect(connection.position).toEqual({ epoch: 'a', offset: 7 })
  })

  it('reconnect() in a callback loses and repeats nothing', () => {
    const got: number[] = []
    const { world, connection } = begin({
      onChange: ({ offset }) => {
        got.push(offset)
        if (offset === 6) connection.reconnect()
      },
    })
    world.socket.say(hello('a', 5))
    world.socket.say(changes('a', 5, [inserted(6), inserted(7)]))
    expect(world.sockets).toHaveLength(2)
    expect(world.socket.query).toEqual({ after: '7', epoch: 'a' })
    expect(got).toEqual([6, 7])
  })

  it('works with using', () => {
    const world = new World()
    {
      using connection = connectOn(world, { url: 'http://127.0.0.1:8787' })
      expect(connection.state.state).toBe('connecting')
    }
    expect(world.socket.closed).toBe(true)
  })
})
