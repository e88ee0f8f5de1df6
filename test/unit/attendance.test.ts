import { describe, expect, it } from 'vitest'
import { Attendance } from '../../worker/shard/attendance.ts'

const HEAD = { epoch: 'a', head: 7 }

/** A feed that answers when it is told to. */
function world() {
  const told: { sockets: number; answer: PromiseWithResolvers<typeof HEAD> }[] = []
  const failures: unknown[] = []
  const state = { sockets: 0 }
  const attendance = new Attendance(
    (sockets) => {
      const answer = Promise.withResolvers<typeof HEAD>()
      told.push({ sockets, answer })
      return answer.promise
    },
    () => state.sockets,
    (error) => failures.push(error),
  )
  const answerLast = async () => {
    told.at(-1)?.answer.resolve(HEAD)
    await new Promise(setImmediate)
  }
  return { told, failures, state, attendance, answerLast }
}

describe('telling the feed of the sockets', () => {
  it('a thousand who come at once cost two calls, and the last count is told', async () => {
    const { told, state, attendance, answerLast } = world()
    for (state.sockets = 1; state.sockets < 1_000; state.sockets++) attendance.recount()
    expect(told.map(({ sockets }) => sockets)).toEqual([1])
    await answerLast()
    await answerLast()
    expect(told.map(({ sockets }) => sockets)).toEqual([1, 1_000])
    attendance.recount()
    expect(told).toHaveLength(2)
  })

  it('whoever asks while a call is under way is answered by it', async () => {
    const { told, attendance, answerLast } = world()
    const answers = Promise.all([attendance.announce(), attendance.announce()])
    await answerLast()
    expect(await answers).toEqual([HEAD, HEAD])
    expect(told).toHaveLength(1)
  })

  it('a call that fails is not pursued, and made again at the next occasion', async () => {
    const { told, failures, state, attendance, answerLast } = world()
    state.sockets = 1
    attendance.recount()
    told[0]?.answer.reject(new Error('lost'))
    await new Promise(setImmediate)
    expect(failures).toEqual([new Error('lost')])
    expect(told).toHaveLength(1)
    attendance.recount()
    await answerLast()
    expect(told.map(({ sockets }) => sockets)).toEqual([1, 1])
  })

  it('the last who leaves is told, also when it left during a call', async () => {
    const { told, state, attendance, answerLast } = world()
    state.sockets = 1
    attendance.recount()
    state.sockets = 0
    attendance.recount()
    await answerLast()
    await answerLast()
    expect(told.map(({ sockets }) => sockets)).toEqual([1, 0])
  })
})
