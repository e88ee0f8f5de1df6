import { expect, it } from 'vitest'
import { connect, type Ending } from '../../client/sdk/belfry.ts'
import { serveSockets } from './small-socket-server.ts'
import { changes, hello, inserted } from './world.ts'

it('P30 P37 over a real socket: hello, changes, ping, a break, and a refusal for good', async () => {
  const visits: string[] = []
  await using server = await serveSockets((visitor) => {
    visits.push(visitor.url)
    if (visits.length === 3) return visitor.close(4400, 'after: no')
    const after = visits.length === 1 ? 5 : 6
    visitor.say(JSON.stringify(hello('a', after)))
    visitor.say(JSON.stringify(changes('a', after, [inserted(after + 1)])))
  })

  const got: number[] = []
  const second = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<Ending>()
  using connection = connect({
    url: server.url,
    table: 'orders',
    position: { epoch: 'a', offset: 5 },
    onChange({ offset }) {
      got.push(offset)
      if (got.length === 1) connection.ping().then(() => connection.reconnect(), ended.reject)
      else second.resolve()
    },
    onState(state) {
      if (state.state === 'closed') ended.resolve(state.reason)
    },
  })
  await second.promise
  connection.reconnect()

  expect(await ended.promise).toEqual({
    kind: 'refused',
    code: 4400,
    name: 'bad_request',
    detail: 'after: no',
  })
  expect(got).toEqual([6, 7])
  expect(visits).toEqual(
    [5, 6, 7].map(
      (after) => `/api/changes/ws?table=orders&after=${after}&epoch=a&acks=1&deflate=1`,
    ),
  )
})
