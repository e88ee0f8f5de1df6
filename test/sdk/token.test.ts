import { describe, expect, it } from 'vitest'
import { describe as sentence } from '../../client/sdk/reasons.ts'
import type { Token } from '../../client/sdk/token.ts'
import { closeCodes } from '../../protocol/close-codes.ts'
import { begin, settled } from './connected.ts'
import { TicketDesk } from './ticket-desk.ts'
import { hello } from './world.ts'

const SECRET = 's3cret/+ &?'
const { unauthorized } = closeCodes

/** Tokens 1, 2, 3 … each given when the test says so. */
function asked() {
  const questions: PromiseWithResolvers<string>[] = []
  return {
    questions,
    token: () => {
      const question = Promise.withResolvers<string>()
      questions.push(question)
      return question.promise
    },
    async answer(given: string) {
      questions.at(-1)?.resolve(given)
      await settled()
    },
    async fail(error: unknown) {
      questions.at(-1)?.reject(error)
      await settled()
    },
  }
}

describe('a token that is a text', () => {
  it('P97 goes in a header for a ticket, of which each attempt has one, and in no address', async () => {
    const { world, desk } = begin({ token: SECRET, table: 'orders' })
    expect(world.sockets).toHaveLength(0)
    await settled()
    expect(world.socket.query).toEqual({ table: 'orders', ticket: 't1' })
    world.socket.say(hello('a', 5))
    world.socket.break()
    world.pass(250)
    await settled()
    expect(world.socket.query).toEqual({ table: 'orders', after: '5', epoch: 'a', ticket: 't2' })
    const once = { path: '/api/tickets', token: SECRET, topic: 'changes' }
    expect(desk.asked).toEqual([once, once])
    expect(world.sockets.map(({ url }) => url).join()).not.toMatch(/s3cret/)
  })

  it('P60 once refused ends the connection, and says why', async () => {
    const { world, desk, connection } = begin({ token: SECRET })
    await settled()
    world.socket.say(hello('a', 5))
    desk.refuse(401, 'Credentials are missing or wrong')
    world.socket.break(unauthorized.code, 'the session has ended')
    expect(connection.state).toMatchObject({ state: 'waiting', reason: { name: 'unauthorized' } })
    world.pass(250)
    await settled()
    const { state } = connection
    expect(state).toMatchObject({
      state: 'closed',
      reason: { kind: 'refused', name: 'unauthorized', detail: 'Credentials are missing or wrong' },
    })
    expect(state.state === 'closed' && sentence(state.reason)).toBe(
      'the worker does not let you in: Credentials are missing or wrong',
    )
    world.pass(60_000)
    expect([world.sockets.length, world.timers]).toEqual([1, 0])
  })

  it('P60 whose ticket was good for nothing is given up', async () => {
    const { world, connection } = begin({ token: SECRET })
    await settled()
    world.socket.break(unauthorized.code, 'the ticket is of another topic')
    expect(connection.state).toMatchObject({
      state: 'closed',
      reason: { kind: 'refused', detail: 'the ticket is of another topic' },
    })
  })

  it('P94 that does not open what is asked for ends the connection too', async () => {
    const desk = new TicketDesk()
    desk.refuse(403, 'Your credentials do not open this')
    const { world, connection } = begin({ token: SECRET }, desk)
    await settled()
    expect(connection.state).toMatchObject({
      state: 'closed',
      reason: { kind: 'refused', detail: 'Your credentials do not open this' },
    })
    expect(world.sockets).toHaveLength(0)
  })

  it.each(['', 5, null, {}])('P60 that is %j is refused at once', (token) => {
    expect(() => begin({ token: token as Token })).toThrow(/^token: give a text/)
  })
})

describe('without a token', () => {
  it('P97 no ticket is asked for: the worker may be open to anyone', async () => {
    const { world, desk, connection } = begin()
    expect(world.socket.query).toEqual({})
    world.socket.break(unauthorized.code, 'send a token')
    await settled()
    expect(connection.state).toMatchObject({ state: 'closed', reason: { name: 'unauthorized' } })
    expect(desk.asked).toEqual([])
  })
})

describe('a token that is asked for', () => {
  it('is asked for anew before every attempt, and no socket opens without it', async () => {
    const { token, questions, answer } = asked()
    const { world, desk, states } = begin({ token })
    expect([world.sockets.length, questions.length]).toEqual([0, 1])
    await answer('first')
    expect(world.socket.query).toEqual({ ticket: 't1' })
    world.socket.say(hello('a', 5))
    world.socket.break()
    world.pass(250)
    expect([world.sockets.length, questions.length]).toEqual([1, 2])
    await answer('second')
    expect(world.socket.query).toEqual({ after: '5', epoch: 'a', ticket: 't2' })
    expect(desk.tokens).toEqual(['first', 'second'])
    expect(states.map(({ state }) => state)).toEqual([
      'connecting',
      'live',
      'waiting',
      'connecting',
    ])
  })

  it('P60 once refused is asked for again at once, and then with backoff', async () => {
    const { token, answer } = asked()
    const { world, desk, connection, states } = begin({ token })
    for (const waitMs of [125, 250]) {
      desk.refuse(401, 'Credentials are missing or wrong')
      desk.refuse(401, 'Credentials are missing or wrong')
      await answer('old')
      await answer('older')
      expect(connection.state).toMatchObject({
        state: 'waiting',
        retryInMs: waitMs,
        reason: { kind: 'ticket', detail: 'Credentials are missing or wrong' },
      })
      world.pass(waitMs)
    }
    await answer('good')
    world.socket.break(unauthorized.code, 'revoked')
    expect(connection.state).toMatchObject({ state: 'waiting', retryInMs: 500 })
    world.pass(500)
    await answer('better')
    world.socket.say(hello('a', 1))
    expect(states.at(-1)).toMatchObject({ state: 'live' })
    expect(desk.tokens).toEqual(['old', 'older', 'old', 'older', 'good', 'better'])
  })

  it('that cannot be had is a loss with its reason, and tried again', async () => {
    const { token, questions, fail } = asked()
    const { world, connection } = begin({ token })
    await fail(new Error('the login is offline'))
    expect(connection.state).toMatchObject({
      state: 'waiting',
      attempt: 1,
      reason: { kind: 'token', detail: 'the login is offline' },
    })
    const { state } = connection
    expect(state.state === 'waiting' && sentence(state.reason)).toBe(
      'there is no token: the login is offline',
    )
    world.pass(125)
    expect([questions.length, world.sockets.length]).toEqual([2, 0])
    connection.close()
    await fail(new Error('still offline'))
  })

  it.each([undefined, '', 7, null])('that is %j is none', async (given) => {
    const { world, connection } = begin({ token: () => given as string })
    await settled()
    expect(connection.state).toMatchObject({
      state: 'waiting',
      reason: { kind: 'token', detail: 'the function did not give a text' },
    })
    expect(world.sockets).toHaveLength(0)
  })

  it('by a function that throws at once is a loss too', async () => {
    const token = () => {
      throw new TypeError('no session')
    }
    const { connection } = begin({ token })
    expect(connection.state).toEqual({ state: 'connecting', attempt: 1 })
    await settled()
    expect(connection.state).toMatchObject({ reason: { kind: 'token', detail: 'no session' } })
  })

  it('a ticket that comes too late opens nothing', async () => {
    const { token, questions, answer } = asked()
    const { world, desk, connection } = begin({ token })
    world.pass(15_000)
    expect(connection.state.state).toBe('waiting')
    await answer('late')
    expect([desk.asked.length, world.sockets.length]).toEqual([1, 0])
    world.pass(125)
    expect(questions).toHaveLength(2)
    await answer('in time')
    expect(world.sockets.map(({ query }) => query)).toEqual([{ ticket: 't2' }])
  })

  it('of several attempts at once only the newest opens a socket', async () => {
    const { token, answer } = asked()
    const { world, connection } = begin({ token })
    connection.reconnect()
    connection.reconnect()
    await answer('new')
    expect([world.sockets.length, connection.state.state]).toEqual([1, 'connecting'])
  })

  it('closed while it is asked for, nothing opens and no timer is left', async () => {
    const { token, answer } = asked()
    const { world, connection } = begin({ token })
    connection.close()
    await answer('too late')
    expect([world.sockets.length, world.timers]).toEqual([0, 0])
    expect(connection.state).toEqual({ state: 'closed', reason: { kind: 'asked' } })
  })
})

describe('a token is told to nobody but the worker', () => {
  it('P106 not when the server repeats it in its reason', async () => {
    const { world, desk, states } = begin({ token: SECRET })
    await settled()
    world.socket.break(1001, `bad token ${SECRET} (${encodeURIComponent(SECRET)}), ticket t1`)
    expect(states.at(-1)).toMatchObject({ reason: { detail: 'bad token … (…), ticket …' } })
    desk.refuse(401, `not ${SECRET}`)
    world.pass(250)
    await settled()
    expect(states.at(-1)).toMatchObject({ state: 'closed', reason: { detail: 'not …' } })
    expect(JSON.stringify(states)).not.toMatch(/s3cret/)
  })

  it('P106 not when the function repeats the one before in its error', async () => {
    const { token, answer, fail } = asked()
    const { world, states } = begin({ token })
    await answer(SECRET)
    world.socket.break()
    world.pass(250)
    await fail(new Error(`${SECRET} was revoked`))
    expect(states.at(-1)).toMatchObject({ reason: { detail: '… was revoked' } })
  })

  it('P106 nor is the ticket, when the runtime refuses the address', async () => {
    const { world, states, connection } = begin({ token: SECRET, url: 'http://127.0.0.1:1' })
    Object.assign(world, {
      WebSocket: class {
        constructor(url: string) {
          throw new DOMException(`The URL '${url}' is not allowed here.`, 'SecurityError')
        }
      },
    })
    await settled()
    expect(connection.state).toMatchObject({ state: 'waiting', reason: { code: 1006 } })
    expect(JSON.stringify(states)).toMatch(/ticket=….* is not allowed here/)
    expect(JSON.stringify(states)).not.toMatch(/s3cret|t1/)
  })
})
