import { afterEach, describe, expect, it, vi } from 'vitest'
import { describe as sentence } from '../../client/sdk/reasons.ts'
import { begin, settled } from './connected.ts'
import { TicketDesk } from './ticket-desk.ts'

const SECRET = 's3cret'

describe('a worker that gives no ticket now', () => {
  it.each([429, 503])(
    'P101 and says with %i when to come back, is not asked sooner',
    async (status) => {
      const desk = new TicketDesk().refuse(status, 'Too many requests', { 'retry-after': '7' })
      const { world, connection } = begin({ token: SECRET }, desk)
      await settled()
      const { state } = connection
      expect(state).toMatchObject({ state: 'waiting', retryInMs: 7_125, attempt: 1 })
      expect(state.state === 'waiting' && sentence(state.reason)).toBe(
        'there is no ticket for the socket: Too many requests',
      )
      world.pass(7_124)
      await settled()
      expect(desk.asked).toHaveLength(1)
      world.pass(1)
      await settled()
      expect(world.socket.query).toEqual({ ticket: 't1' })
    },
  )

  it('P101 is not believed that it takes longer than a minute', async () => {
    const desk = new TicketDesk()
    desk.refuse(503, 'Later', { 'retry-after': '86400' })
    const { connection } = begin({ token: SECRET }, desk)
    await settled()
    expect(connection.state).toMatchObject({ state: 'waiting', retryInMs: 60_125 })
  })

  it('or does not answer at all is one more way that broke', async () => {
    const desk = new TicketDesk()
    desk.refusals.push(new TypeError('fetch failed'))
    const { world, connection } = begin({ token: SECRET }, desk)
    await settled()
    expect(connection.state).toMatchObject({
      state: 'waiting',
      retryInMs: 125,
      reason: { kind: 'closed', code: 1006, detail: '' },
    })
    world.pass(125)
    await settled()
    expect(world.sockets).toHaveLength(1)
  })

  it('or answers something else is tried again', async () => {
    const desk = new TicketDesk()
    desk.refusals.push(Response.json({}))
    const { connection } = begin({ token: SECRET }, desk)
    await settled()
    expect(connection.state).toMatchObject({ state: 'waiting', attempt: 1 })
  })

  it('within fifteen seconds has not given one', async () => {
    const token = () => new Promise<string>(() => undefined)
    const { world, connection } = begin({ token })
    world.pass(15_000)
    expect(connection.state).toMatchObject({
      state: 'waiting',
      reason: { kind: 'ticket', detail: 'none was given in 15 s' },
    })
    connection.close()
  })
})

it('what is said of an attempt that was given up does not end the next', async () => {
  const desk = new TicketDesk()
  const late = Promise.withResolvers<Response>()
  desk.refusals.push(late.promise)
  const { world, connection, states } = begin({ token: SECRET }, desk)
  connection.reconnect()
  await settled()
  expect(world.socket.query).toEqual({ ticket: 't1' })
  late.resolve(Response.json({ title: 'Too many requests' }, { status: 429 }))
  await settled()
  expect([connection.state.state, world.sockets.length]).toEqual(['connecting', 1])
  expect(states.map(({ state }) => state)).toEqual(['connecting'])
})

describe('a page of another site', () => {
  afterEach(() => void vi.unstubAllGlobals())

  it.each([
    ['https://shop.example', 'if it is up, add https://shop.example to its ALLOWED_ORIGINS'],
    ['http://127.0.0.1:8787', ''],
  ])(
    'P97 at %s is not told that it may not ask, so the way there may be that',
    async (origin, hint) => {
      vi.stubGlobal('location', { origin })
      const desk = new TicketDesk()
      desk.refusals.push(new TypeError('Failed to fetch'))
      const { connection } = begin({ token: SECRET }, desk)
      await settled()
      expect(connection.state).toMatchObject({ reason: { code: 1006, detail: hint } })
      connection.close()
    },
  )
})
