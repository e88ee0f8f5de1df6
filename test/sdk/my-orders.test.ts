import { expect, it } from 'vitest'
import { connect, type Ending } from '../../client/sdk/belfry.ts'
import { serveSockets } from './small-socket-server.ts'
import { changes, hello, inserted } from './world.ts'

it('P90 P91 a user’s own orders are asked for with a ticket for each socket, never with the token', async () => {
  const asked: unknown[] = []
  const visits: string[] = []
  await using server = await serveSockets(
    (visitor) => {
      visits.push(visitor.url)
      const after = visits.length === 1 ? 5 : 6
      visitor.say(JSON.stringify(hello('a', after)))
      visitor.say(JSON.stringify(changes('a', after, [inserted(after + 1)])))
    },
    ({ method, url, headers }) => {
      asked.push([method, url, headers.authorization])
      return { status: 201, body: { ticket: `3.${asked.length}` } }
    },
  )
  const got: number[] = []
  const second = Promise.withResolvers<void>()
  using connection = connect({
    url: server.url,
    topic: 'my-orders',
    token: 's3cret',
    position: { epoch: 'a', offset: 5 },
    onChange({ offset }) {
      got.push(offset)
      if (got.length === 1) connection.reconnect()
      else second.resolve()
    },
  })
  await second.promise
  expect(got).toEqual([6, 7])
  expect(asked).toEqual(Array(2).fill(['POST', '/api/me/tickets', 'Bearer s3cret']))
  expect(visits).toEqual([
    '/api/me/orders/ws?after=5&epoch=a&acks=1&deflate=1&ticket=3.1',
    '/api/me/orders/ws?after=6&epoch=a&acks=1&deflate=1&ticket=3.2',
  ])
})

it('P90 a text that is refused ends it, and is not in the reason', async () => {
  await using server = await serveSockets(
    () => expect.unreachable(),
    () => ({
      status: 401,
      body: { title: 'Credentials are missing or wrong', detail: 'not s3cret' },
    }),
  )
  const ended = Promise.withResolvers<Ending>()
  using _connection = connect({
    url: server.url,
    topic: 'my-orders',
    token: 's3cret',
    onState: (state) => state.state === 'closed' && ended.resolve(state.reason),
  })
  expect(await ended.promise).toEqual({
    kind: 'refused',
    code: 4401,
    name: 'unauthorized',
    detail: 'Credentials are missing or wrong: not …',
  })
})

it('without a token it says at once whose orders it wants', () => {
  expect(() => connect({ url: 'http://127.0.0.1:8787', topic: 'my-orders' })).toThrow(
    'token: whose orders? Give the token of a user',
  )
})
