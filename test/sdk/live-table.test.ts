import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Freshness } from '../../client/sdk/freshness.ts'
import { liveOn } from '../../client/sdk/live.ts'
import type { Snapshot } from '../../client/sdk/snapshot.ts'
import type { Change, Row } from '../../protocol/change.ts'
import { changes, hello, inserted, oversize, updated, World } from './world.ts'

/** A live table with nothing but its name; the test answers each reading of its rows. */
function begin() {
  const world = new World()
  const readings: { signal: AbortSignal; answer: PromiseWithResolvers<Snapshot> }[] = []
  const freshness: Freshness[] = []
  const live = liveOn<Row>(
    world,
    {
      url: 'http://127.0.0.1:8787',
      table: 'lines',
      onFreshness: (state) => freshness.push(state),
    },
    (signal) => {
      const answer = Promise.withResolvers<Snapshot>()
      readings.push({ signal, answer })
      return answer.promise
    },
  )
  const answer = async (key: string[], rows: Row[], tooLarge: Row[] = []) => {
    readings.at(-1)?.answer.resolve({ key, rows, oversize: tooLarge })
    await setImmediate()
  }
  return { world, live, readings, freshness, answer, rows: () => [...live.rows().values()] }
}

const line = (offset: number, row: Row): Change => ({
  ...inserted(offset, row),
  key: { no: row.no ?? null, order: row.order ?? null },
})

describe('live() with a table’s name alone', () => {
  it('has its key from the worker, also for what came before the rows', async () => {
    const { world, live, answer, rows } = begin()
    world.socket.say(hello('a', 5))
    world.socket.say(changes('a', 5, [line(6, { order: 1, no: 2, n: 'new' })]))
    await answer(['order', 'no'], [{ order: 1, no: 1 }])
    expect(rows()).toEqual([
      { order: 1, no: 1 },
      { order: 1, no: 2, n: 'new' },
    ])
    expect([...live.rows().keys()]).toEqual(['{"no":1,"order":1}', '{"no":2,"order":1}'])
    expect(world.reported).toEqual([])
  })

  it('reads again when the table has another key, and goes on with that', async () => {
    const { world, live, answer, rows, readings, freshness } = begin()
    world.socket.say(hello('a', 5))
    await answer(['id'], [{ id: 1 }])
    world.socket.say(changes('a', 5, [line(6, { order: 1, no: 1 })]))
    expect(live.freshness).toEqual({ state: 'reloading', because: 'key' })
    expect(rows()).toEqual([{ id: 1 }])
    world.socket.say(changes('a', 6, [line(7, { order: 1, no: 2 })]))
    await answer(['order', 'no'], [{ order: 1, no: 1 }])
    expect(rows()).toHaveLength(2)
    expect([readings.length, world.reported]).toEqual([2, []])
    expect(freshness.map(({ state }) => state)).toEqual(['current', 'reloading', 'current'])
  })

  it('does not mix two keys that met in one reading', async () => {
    const { world, live, answer } = begin()
    world.socket.say(hello('a', 5))
    world.socket.say(changes('a', 5, [line(6, { order: 1, no: 1 })]))
    await answer(['id'], [{ id: 1 }])
    expect(live.freshness).toMatchObject({
      state: 'failing',
      error: { message: 'the primary key of "lines" has changed; reading it again' },
    })
    world.pass(125)
    await answer(['order', 'no'], [{ order: 1, no: 1 }])
    expect(live.freshness).toEqual({ state: 'current' })
  })

  it('P6 shows the key of a row that is too large, and the row once it is not', async () => {
    const { world, live, answer, rows } = begin()
    world.socket.say(hello('a', 5))
    await answer(['id'], [{ id: 1, n: 'small' }], [{ id: 2 }, { id: 3 }])
    expect(rows()).toEqual([{ id: 1, n: 'small' }, { id: 2 }, { id: 3 }])
    expect([...live.partial]).toEqual(['{"id":2}', '{"id":3}'])
    world.socket.say(
      changes('a', 5, [
        updated(6, { id: 2, n: 'x' }, { id: 2, n: 'y' }),
        oversize(7, 'delete', { id: 3 }),
      ]),
    )
    expect(rows()).toEqual([
      { id: 1, n: 'small' },
      { id: 2, n: 'y' },
    ])
    expect([...live.partial]).toEqual([])
  })

  it('P60 stops reading when the worker refuses for good, and keeps what it shows', async () => {
    const { world, live, answer, readings, rows } = begin()
    world.socket.say(hello('a', 5))
    await answer(['id'], [{ id: 1 }])
    world.socket.say(changes('a', 5, [oversize(6, 'insert', { id: 2 })]))
    expect(readings).toHaveLength(2)
    world.socket.break(4400, 'table: "lines" is not watched')
    expect(readings[1]?.signal.aborted).toBe(true)
    await answer(['id'], [{ id: 9 }])
    expect(rows()).toEqual([{ id: 1 }])
    expect([live.connection.state.state, world.timers]).toEqual(['closed', 0])
  })
})
