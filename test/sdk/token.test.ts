import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { describe as sentence } from '../../client/sdk/reasons.ts'
import type { Token } from '../../client/sdk/token.ts'
import { closeCodes } from '../../protocol/close-codes.ts'
import { begin } from './connected.ts'
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
      await setImmediate()
    },
    async fail(error: unknown) {
      questions.at(-1)?.reject(error)
      await setImmediate()
    },
  }
}

describe('a token that is a text', () => {
  it('goes with every attempt', () => {
    const { world } = begin({ token: SECRET, table: 'orders' })
    expect(world.socket.query).toEqual({ table: 'orders', token: SECRET })
    world.socket.say(hello('a', 5))
    world.socket.break()
    world.pass(250)
    expect(world.socket.query).toEqual({ table: 'orders', after: '5', epoch: 'a', token: SECRET })
  })

  it('P60 once refused ends the connection', () => {
    const { world, connection } = begin({ token: SECRET })
    world.socket.break(unauthorized.code, 'too old')
    expect(connection.state).toMatchObject({
      state: 'closed',
      reason: { kind: 'refused', name: 'unauthorized', detail: 'too old' },
    })
    world.pass(60_000)
    expect(world.sockets).toHaveLength(1)
  })

  it.each(['', 5, null, {}])('P60 that is %j is refused at once', (token) => {
    expect(() => begin({ token: token as Token })).toThrow(/^token: give a text/)
  })
})

describe('a token that is asked for', () => {
  it('is asked for anew before every attempt, and no socket opens without it', async () => {
    const { token, questions, answer } = asked()
    const { world, states } = begin({ token })
    expect([world.sockets.length, questions.length]).toEqual([0, 1])
    await answer('first')
    expect(world.socket.query).toEqual({ token: 'first' })
    world.socket.say(hello('a', 5))
    world.socket.break()
    world.pass(250)
    expect([world.sockets.length, questions.length]).toEqual([1, 2])
    await answer('second')
    expect(world.socket.query).toEqual({ after: '5', epoch: 'a', token: 'second' })
    expect(states.map(({ state }) => state)).toEqual([
      'connecting',
      'live',
      'waiting',
      'connecting',
    ])
  })

  it('P60 once refused is asked for again, with backoff', async () => {
    const { token, answer } = asked()
    const { world, connection, states } = begin({ token })
    for (const [given, waitMs] of [
      ['one', 125],
      ['two', 250],
      ['three', 500],
    ] as const) {
      await answer(given)
      expect(world.socket.query).toEqual({ token: given })
      world.socket.break(unauthorized.code, 'too old')
      expect(connection.state).toMatchObject({
        state: 'waiting',
        retryInMs: waitMs,
        reason: { kind: 'closed', name: 'unauthorized' },
      })
      world.pass(waitMs)
    }
    await answer('four')
    world.socket.say(hello('a', 1))
    expect(states.at(-1)).toMatchObject({ state: 'live' })
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
  })

  it.each([undefined, '', 7, null])('that is %j is none', async (given) => {
    const { world, connection } = begin({ token: () => given as string })
    await setImmediate()
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
    await setImmediate()
    expect(connection.state).toMatchObject({ reason: { kind: 'token', detail: 'no session' } })
  })

  it('after ten seconds is too late: the attempt is over, and its token is not used', async () => {
    const { token, questions, answer } = asked()
    const { world, connection } = begin({ token })
    world.pass(10_000)
    expect(connection.state).toMatchObject({
      state: 'waiting',
      reason: { kind: 'token', detail: 'none was given in 10 s' },
    })
    questions[0]?.resolve('late')
    await setImmediate()
    expect(world.sockets).toHaveLength(0)
    world.pass(125)
    questions[0]?.reject(new Error('late'))
    await answer('in time')
    expect(world.sockets.map(({ query }) => query)).toEqual([{ token: 'in time' }])
  })

  it('an answer to an earlier question is not used, nor its failure', async () => {
    const { token, questions, answer } = asked()
    const { world, connection } = begin({ token })
    connection.reconnect()
    connection.reconnect()
    questions[0]?.resolve('old')
    questions[1]?.reject(new Error('old'))
    await setImmediate()
    expect([world.sockets.length, connection.state.state]).toEqual([0, 'connecting'])
    await answer('new')
    expect(world.socket.query).toEqual({ token: 'new' })
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
  it('not when the server repeats it in its reason', () => {
    const { world, states } = begin({ token: SECRET })
    world.socket.break(1001, `bad token ${SECRET} (${encodeURIComponent(SECRET)})`)
    expect(states.at(-1)).toMatchObject({ reason: { detail: 'bad token … (…)' } })
    world.pass(250)
    world.socket.break(unauthorized.code, SECRET)
    expect(JSON.stringify(states)).not.toMatch(/s3cret/)
  })

  it('not when the function repeats the one before in its error', async () => {
    const { token, answer, fail } = asked()
    const { world, states } = begin({ token })
    await answer(SECRET)
    world.socket.break()
    world.pass(250)
    await fail(new Error(`${SECRET} was revoked`))
    expect(states.at(-1)).toMatchObject({ reason: { detail: '… was revoked' } })
  })

  it('not when the runtime refuses the address', async () => {
    const { world, states, connection } = begin({ token: SECRET, url: 'http://127.0.0.1:1' })
    Object.assign(world, {
      WebSocket: class {
        constructor(url: string) {
          throw new DOMException(`The URL '${url}' is not allowed here.`, 'SecurityError')
        }
      },
    })
    connection.reconnect()
    await setImmediate()
    expect(connection.state).toMatchObject({ state: 'waiting', reason: { code: 1006 } })
    expect(JSON.stringify(states)).toMatch(/is not allowed here/)
    expect(JSON.stringify(states)).not.toMatch(/s3cret/)
  })
})
