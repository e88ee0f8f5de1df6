import { expect, it } from 'vitest'
import { begin } from './connected.ts'
import { begin as beginInbox } from './inbox-begun.ts'
import { changes, hello } from './world.ts'

const CLOSING = 2

it('P96 a socket that the server has closed is left within 3 s, though its event does not come', () => {
  const { world, connection } = begin()
  world.socket.say(hello('a', 5))
  world.pass(2_500)
  world.socket.readyState = CLOSING
  world.pass(2_499)
  expect(connection.state.state).toBe('live')
  world.pass(1)
  expect(connection.state).toMatchObject({
    state: 'waiting',
    reason: { kind: 'closed', code: 1005 },
  })
  world.pass(250)
  world.socket.say(hello('a', 5))
  world.pass(20_000)
  expect([world.sockets.length, connection.state.state]).toEqual([2, 'live'])
  connection.close()
  expect(world.timers).toBe(0)
})

it('P60 and if the event comes meanwhile, its code decides', () => {
  const { world, connection } = begin()
  world.socket.say(hello('a', 5))
  world.socket.readyState = CLOSING
  world.pass(2_000)
  world.socket.say(changes('a', 5, []))
  world.socket.break(4400, 'no')
  expect(connection.state).toMatchObject({ state: 'closed', reason: { name: 'bad_request' } })
  expect(world.timers).toBe(0)
})

it('P96 so is that of an inbox', async () => {
  const { world, inbox } = await beginInbox()
  world.socket.readyState = CLOSING
  world.pass(3_000)
  expect(inbox.connection).toMatchObject({ state: 'waiting', reason: { code: 1005 } })
  inbox.close()
  expect(world.timers).toBe(0)
})
