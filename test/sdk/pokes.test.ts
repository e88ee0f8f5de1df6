import { describe, expect, it } from 'vitest'
import type { ConnectionState } from '../../client/sdk/connection-state.ts'
import { platform } from '../../client/sdk/platform.ts'
import { type PokesOptions, pokesOn } from '../../client/sdk/pokes.ts'
import { closeCodes } from '../../protocol/close-codes.ts'
import { HEARTBEAT_MS } from '../../protocol/heartbeat.ts'
import { serveSockets } from './small-socket-server.ts'
import { World } from './world.ts'

const moved = '{"type":"moved","counts":{"queued":1}}'

function begin(options: Partial<PokesOptions> = {}) {
  const world = new World()
  const states: ConnectionState[] = []
  let heard = 0
  const pokes = pokesOn(world, {
    url: 'https://belfry.example/base/',
    path: 'api/emails/live',
    onPoke: () => heard++,
    onState: (state) => states.push(state),
    ...options,
  })
  return { world, pokes, states, heard: () => heard }
}

describe('pokes', () => {
  it('are heard at the address, and the first one is the greeting', () => {
    const { world, states, heard } = begin()
    expect(world.socket.url).toBe('wss://belfry.example/base/api/emails/live')
    expect(heard()).toBe(0)
    world.socket.say(moved)
    world.socket.say(moved)
    expect(heard()).toBe(2)
    expect(states).toEqual([
      { state: 'connecting', attempt: 1 },
      { state: 'live', since: world.now() },
    ])
  })

  it('come again after a break, by a new socket with full jitter, for ever', () => {
    const { world, heard } = begin()
    world.socket.say(moved)
    for (const ceilingMs of [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]) {
      const before = world.sockets.length
      world.socket.break()
      world.pass(ceilingMs / 2 - 1)
      expect(world.sockets).toHaveLength(before)
      world.pass(1)
      expect(world.sockets).toHaveLength(before + 1)
    }
    world.socket.say(moved)
    expect(heard()).toBe(2)
  })

  it('end only when the server says that no attempt would help', () => {
    const { world, states } = begin()
    world.socket.say(moved)
    world.socket.break(closeCodes.going_away.code)
    world.pass(250)
    world.socket.break(closeCodes.bad_request.code, 'no')
    expect(states.at(-1)).toMatchObject({ state: 'closed', reason: { kind: 'refused' } })
    expect([world.timers, world.sockets.length]).toEqual([0, 2])
  })

  it('silence is asked about every heartbeat, and an answer is enough', () => {
    const { world, heard, states } = begin()
    world.socket.say(moved)
    for (let beats = 1; beats <= 10; beats++) {
      world.pass(HEARTBEAT_MS)
      expect(world.socket.sent).toHaveLength(beats)
      world.socket.say('pong')
    }
    expect(new Set(world.socket.sent)).toEqual(new Set(['ping']))
    expect([world.sockets.length, heard(), states.length]).toEqual([1, 1, 2])
  })

  it('a dead way is found within 20 s and left', () => {
    const { world, states } = begin()
    world.socket.say(moved)
    world.pass(HEARTBEAT_MS + 4_999)
    expect(world.sockets[0]?.closed).toBe(false)
    world.pass(1)
    expect(world.sockets[0]?.closed).toBe(true)
    expect(states.at(-1)).toMatchObject({ state: 'waiting', reason: { kind: 'silent' } })
    world.sockets[0]?.say(moved)
    world.pass(250)
    expect(world.sockets).toHaveLength(2)
  })

  it('a socket that opens and says nothing is left after 10 s', () => {
    const { world } = begin()
    world.pass(9_999)
    expect(world.sockets[0]?.closed).toBe(false)
    world.pass(1)
    expect(world.sockets[0]?.closed).toBe(true)
  })

  it('a page that is shown again, or a network that is back, does not wait for a timer', () => {
    const { world } = begin()
    world.socket.say(moved)
    world.sleep(10 * 60_000)
    world.comeBack('shown')
    expect(world.socket.sent).toEqual(['ping'])
    world.socket.break()
    world.comeBack('online')
    expect(world.sockets).toHaveLength(2)
  })

  it('a network that is back is tried at once, a page that is shown only after a silence', () => {
    const { world } = begin()
    world.socket.say(moved)
    world.comeBack('shown')
    expect(world.socket.sent).toEqual([])
    world.comeBack('online')
    expect(world.socket.sent).toEqual(['ping'])
  })

  it.each(['hello', '{"type":"changes"}', '[]', '{', ''])('%j is no poke: begun anew', (text) => {
    const { world, heard, states } = begin()
    world.socket.say(text)
    expect(heard()).toBe(0)
    expect(states.at(-1)).toMatchObject({ state: 'waiting', reason: { kind: 'malformed' } })
    expect(world.sockets[0]?.closed).toBe(true)
  })

  it('a callback that throws is reported, and the next poke comes', () => {
    let heard = 0
    const { world } = begin({
      onPoke() {
        heard++
        throw new Error('mine')
      },
    })
    world.socket.say(moved)
    world.socket.say(moved)
    expect([heard, world.reported.length]).toEqual([2, 2])
  })

  it('reconnect() drops the socket at once, close() is for good', () => {
    const { world, pokes, heard } = begin()
    world.socket.say(moved)
    pokes.reconnect()
    expect([world.sockets.length, world.sockets[0]?.closed]).toEqual([2, true])
    world.socket.say(moved)
    pokes.close()
    world.socket.say(moved)
    pokes.reconnect()
    world.pass(60_000)
    expect([heard(), world.timers, world.listeners, world.sockets.length]).toEqual([2, 0, 0, 2])
  })
})

it('over a real socket: a poke, a break, a poke', async () => {
  let visits = 0
  await using server = await serveSockets((visitor) => {
    visits++
    visitor.say(moved)
    if (visits === 1) visitor.close(1001, '')
  })
  const heardTwice = Promise.withResolvers<void>()
  let heard = 0
  const pokes = pokesOn(platform, {
    url: server.url,
    path: 'api/emails/live',
    onPoke: () => ++heard === 2 && heardTwice.resolve(),
  })
  await heardTwice.promise
  pokes.close()
  expect([visits, heard]).toEqual([2, 2])
})
