import { describe, expect, it } from 'vitest'
import { connect } from '../../client/sdk/belfry.ts'
import { pokesOn } from '../../client/sdk/pokes.ts'
import { begin, settled } from './connected.ts'
import { begin as beginInbox } from './inbox-begun.ts'
import { serveSockets } from './small-socket-server.ts'
import { TicketDesk } from './ticket-desk.ts'
import { changes, hello, helloFor, World } from './world.ts'

const refreshed = (expires_in_ms: number | null) =>
  JSON.stringify({ type: 'refreshed', expires_in_ms })

/** `token 1`, `token 2` … */
function tokens() {
  let asked = 0
  return { token: () => `token ${++asked}`, asked: () => asked }
}

const refreshes = ({ sent }: { sent: string[] }) => sent.filter((text) => text !== 'ping')

/** Heartbeats come, so that the socket is not left for its silence. */
function passWithHeartbeats(world: World, ms: number) {
  const end = world.now() + ms
  while (world.now() < end) {
    world.pass(Math.min(10_000, end - world.now()))
    world.socket.say(changes('a', 5, []))
  }
}

describe('P96 a session that ends', () => {
  it('is prolonged in time over the same socket, again and again', async () => {
    const { token, asked } = tokens()
    const { world, desk, states } = begin({ token })
    await settled()
    world.socket.say(helloFor(100_000))
    passWithHeartbeats(world, 79_999)
    expect([asked(), world.socket.sent]).toEqual([1, []])
    passWithHeartbeats(world, 1)
    await settled()
    expect(refreshes(world.socket)).toEqual(['refresh token 2'])
    world.socket.say(refreshed(50_000))
    passWithHeartbeats(world, 40_000)
    await settled()
    expect(refreshes(world.socket)).toEqual(['refresh token 2', 'refresh token 3'])
    world.socket.say(refreshed(null))
    passWithHeartbeats(world, 600_000)
    await settled()
    expect([asked(), world.sockets.length, desk.tokens]).toEqual([3, 1, ['token 1']])
    expect(states.map(({ state }) => state)).toEqual(['connecting', 'live'])
  })

  it('of a token that is a text is not prolonged, and neither is one that does not end', async () => {
    const { world } = begin({ token: 's3cret' })
    await settled()
    world.socket.say(helloFor(20_000))
    passWithHeartbeats(world, 60_000)
    const { token, asked } = tokens()
    const other = begin({ token })
    await settled()
    other.world.socket.say(hello('a', 5))
    passWithHeartbeats(other.world, 600_000)
    expect([world.socket.sent, other.world.socket.sent, asked()]).toEqual([[], [], 1])
  })

  it('is asked for again when no token was to be had, and cut it goes on with another ticket', async () => {
    let works = true
    let asked = 0
    const token = () => {
      asked++
      if (!works) throw new Error('the login is offline')
      return `token ${asked}`
    }
    const { world, desk, connection } = begin({ token })
    await settled()
    world.socket.say(helloFor(30_000))
    works = false
    passWithHeartbeats(world, 20_000)
    await settled()
    expect(asked).toBe(2)
    passWithHeartbeats(world, 125)
    await settled()
    expect([asked, connection.state.state]).toEqual([3, 'live'])
    world.socket.break(4401, 'the session has ended')
    works = true
    world.pass(250)
    await settled()
    expect(world.socket.query).toMatchObject({ ticket: 't2', after: '5' })
    expect(desk.tokens).toEqual(['token 1', 'token 4'])
  })

  it('of a socket that was left is not prolonged on the next one', async () => {
    const questions: PromiseWithResolvers<string>[] = []
    const token = () => {
      const question = Promise.withResolvers<string>()
      questions.push(question)
      return question.promise
    }
    const { world, connection } = begin({ token })
    questions[0]?.resolve('one')
    await settled()
    world.socket.say(helloFor(30_000))
    passWithHeartbeats(world, 20_000)
    expect(questions).toHaveLength(2)
    connection.reconnect()
    questions[1]?.resolve('two')
    await settled()
    expect([world.sockets.length, world.sockets.flatMap(({ sent }) => sent)]).toEqual([2, []])
    connection.close()
  })

  it('of an inbox is prolonged too', async () => {
    const { token } = tokens()
    const { world, server, inbox, settled } = await beginInbox({ token })
    const { counts } = server
    const [epoch, after] = ['e1', 0]
    // The greeting of before had no end.
    inbox.reconnect()
    await settled()
    world.socket.say(refreshed(30_000))
    world.pass(15_000)
    world.socket.say('pong')
    world.pass(5_000)
    await settled()
    expect(refreshes(world.socket)).toEqual([expect.stringMatching(/^refresh token \d$/)])
    expect(inbox.connection.state).toBe('live')
    world.socket.say(JSON.stringify({ type: 'hello', protocol: 1, epoch, after, counts }))
    expect(inbox.connection.state).toBe('waiting')
    inbox.close()
  })

  it('of pokes is prolonged too, and each of their sockets has a ticket for mails', async () => {
    const { token } = tokens()
    const [world, desk] = [new World(), new TicketDesk()]
    let heard = 0
    const options = {
      url: 'https://belfry.example/base',
      path: 'api/emails/live',
      door: { token, topic: 'mails' },
    } as const
    const pokes = pokesOn(world, { ...options, onPoke: () => heard++ }, desk.fetch)
    await settled()
    expect(world.socket.url).toBe('wss://belfry.example/base/api/emails/live?ticket=t1')
    expect(desk.asked).toEqual([{ path: '/base/api/tickets', token: 'token 1', topic: 'mails' }])
    world.socket.say('{"type":"moved","expires_in_ms":30000}')
    world.pass(15_000)
    world.socket.say('pong')
    world.pass(5_000)
    await settled()
    world.socket.say(refreshed(60_000))
    expect([refreshes(world.socket), heard]).toEqual([['refresh token 2'], 1])
    pokes.close()
  })
})

it('P96 P97 over a real socket: a ticket, a session that is prolonged, and no token in an address', async () => {
  const heard: string[] = []
  const prolonged = Promise.withResolvers<void>()
  const long = 'x'.repeat(900)
  await using server = await serveSockets((visitor) => {
    heard.push(visitor.url)
    visitor.onText((text) => {
      heard.push(text)
      visitor.say(refreshed(null))
      prolonged.resolve()
    })
    visitor.say(JSON.stringify(helloFor(1)))
  })
  let asked = 0
  using connection = connect({ url: server.url, token: () => `${++asked}${long}` })
  await prolonged.promise
  expect(heard).toEqual(['/api/changes/ws?acks=1&deflate=1&ticket=1.once', `refresh 2${long}`])
  expect(connection.state.state).toBe('live')
})
