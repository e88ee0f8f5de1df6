import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Freshness } from '../../client/sdk/freshness.ts'
import { type LiveOptions, liveOn, type Update } from '../../client/sdk/live.ts'
import type { Row } from '../../protocol/change.ts'
import { changes, deleted, hello, inserted, oversize, reset, updated, World } from './world.ts'

type Reading = { signal: AbortSignal; resolve(rows: Row[]): void; reject(error: Error): void }

function begin(options: Partial<LiveOptions> = {}) {
  const world = new World()
  const readings: Reading[] = []
  const freshness: Freshness[] = []
  const updates: Update[] = []
  const live = liveOn(world, {
    url: 'http://127.0.0.1:8787',
    table: 'orders',
    snapshot(signal) {
      const { promise, resolve, reject } = Promise.withResolvers<Row[]>()
      readings.push({ signal, resolve, reject })
      return promise
    },
    onFreshness: (state) => freshness.push(state),
    onUpdate: (update) => updates.push(update),
    ...options,
  })
  /** Answers the newest reading. */
  async function answer(rows: Row[] | Error) {
    const reading = readings.at(-1)
    if (rows instanceof Error) reading?.reject(rows)
    else reading?.resolve(rows)
    await setImmediate()
  }
  const ids = () => [...live.rows().values()].map(({ id }) => id).sort()
  return { world, live, readings, freshness, updates, answer, ids }
}

describe('a live table', () => {
  it('P30 reads the snapshot after hello, never before', () => {
    const { world, readings, live } = begin()
    expect(readings).toHaveLength(0)
    world.socket.say(hello('a', 5))
    expect(readings).toHaveLength(1)
    expect(world.socket.query).toEqual({ table: 'orders' })
    expect(live.freshness).toEqual({ state: 'loading' })
  })

  it('applies what came during the read to the snapshot, in order', async () => {
    const { world, live, answer, ids, updates, freshness } = begin()
    world.socket.say(hello('a', 5))
    world.socket.say(changes('a', 5, [inserted(6, { id: 6 }), deleted(7, { id: 1 })]))
    expect(ids()).toEqual([])
    await answer([{ id: 1 }, { id: 2 }])
    // Row 1 was read before it was deleted, and does not come back.
    expect(ids()).toEqual([2, 6])
    expect(updates).toEqual([{ kind: 'snapshot' }])
    expect(freshness).toEqual([{ state: 'current' }])
    world.socket.say(changes('a', 7, [updated(8, { id: 2 }, { id: 3 })]))
    expect(ids()).toEqual([3, 6])
    expect(updates[1]).toMatchObject({
      applied: [{ before: { id: 2 }, after: null }, { after: { id: 3 } }],
    })
    expect(live.connection.position).toEqual({ epoch: 'a', offset: 8 })
  })

  it('a row does not step back while changes catch up with the snapshot', async () => {
    const { world, answer, live } = begin({ version: 'version' })
    world.socket.say(hello('a', 5))
    const v = (version: number) => ({ id: 1, version })
    world.socket.say(changes('a', 5, [updated(6, v(1), v(2))]))
    await answer([v(4)])
    world.socket.say(changes('a', 6, [updated(7, v(2), v(3)), updated(8, v(3), v(4))]))
    expect([...live.rows().values()]).toEqual([v(4)])
    world.socket.say(changes('a', 8, [updated(9, v(4), v(5))]))
    expect([...live.rows().values()]).toEqual([v(5)])
  })

  it('P34 after a reset shows the old rows until the new snapshot is there', async () => {
    const { world, answer, ids, live, readings } = begin()
    world.socket.say(hello('a', 5))
    await answer([{ id: 1 }])
    world.socket.say(reset('b', 9, 'pruned'))
    expect(live.freshness).toEqual({ state: 'reloading', because: 'pruned' })
    expect(ids()).toEqual([1])
    world.socket.say(changes('b', 9, [inserted(10, { id: 10 })]))
    await answer([{ id: 2 }])
    expect(ids()).toEqual([10, 2])
    expect(readings).toHaveLength(2)
    expect(live.freshness).toEqual({ state: 'current' })
  })

  it('a reset during a read gives that read up', async () => {
    const { world, answer, ids, readings } = begin()
    world.socket.say(hello('a', 5))
    world.socket.say(reset('b', 9))
    expect(readings.map(({ signal }) => signal.aborted)).toEqual([true, false])
    readings[0]?.resolve([{ id: 'of before' }])
    await answer([{ id: 2 }])
    expect(ids()).toEqual([2])
  })

  it('P6 a row that stayed behind is fetched by a new snapshot', async () => {
    const { world, answer, ids, live } = begin()
    world.socket.say(hello('a', 5))
    await answer([{ id: 1 }])
    world.socket.say(changes('a', 5, [oversize(6, 'insert', { id: 6 })]))
    expect(live.freshness).toEqual({ state: 'reloading', because: 'oversize' })
    expect(ids()).toEqual([1])
    await answer([{ id: 1 }, { id: 6 }])
    expect(ids()).toEqual([1, 6])
  })

  it('a snapshot that fails is read again, and what failed is said', async () => {
    const { world, answer, ids, live, readings } = begin()
    world.socket.say(hello('a', 5))
    await answer(new Error('503'))
    expect(live.freshness).toEqual({
      state: 'failing',
      attempt: 1,
      retryInMs: 125,
      error: new Error('503'),
    })
    world.pass(125)
    await answer([{ no: 'id' }])
    expect(live.freshness).toMatchObject({
      state: 'failing',
      attempt: 2,
      error: { message: 'a row has no column "id", named in its key' },
    })
    world.pass(250)
    await answer([{ id: 1 }])
    expect([ids(), readings.length]).toEqual([[1], 3])
  })

  it('a break needs no new snapshot', async () => {
    const { world, answer, ids, readings } = begin()
    world.socket.say(hello('a', 5))
    await answer([{ id: 1 }])
    world.socket.break()
    world.pass(250)
    expect(world.socket.query).toEqual({ table: 'orders', after: '5', epoch: 'a' })
    world.socket.say(hello('a', 5))
    world.socket.say(changes('a', 5, [inserted(6)]))
    expect([ids(), readings.length]).toEqual([[1, 6], 1])
  })

  it('a key that the table has not is reported, and the rows stay as they are', async () => {
    const { world, answer, ids } = begin({ key: ['id', 'line'] })
    world.socket.say(hello('a', 5))
    await answer([{ id: 1, line: 1 }])
    world.socket.say(changes('a', 5, [inserted(6)]))
    expect(String(world.reported[0])).toMatch('the primary key of "orders" is (id), not (id, line)')
    expect(ids()).toEqual([1])
  })

  it('tells whoever subscribed, until they leave', async () => {
    const { world, answer, live } = begin()
    const told: string[] = []
    const leave = live.subscribe(({ kind }) => told.push(kind))
    world.socket.say(hello('a', 5))
    await answer([])
    world.socket.say(changes('a', 5, [inserted(6), inserted(7)]))
    world.socket.say(changes('a', 7, []))
    leave()
    world.socket.say(changes('a', 7, [inserted(8)]))
    expect(told).toEqual(['snapshot', 'changes'])
  })

  it('closed, it gives up the read and says nothing more', async () => {
    const { world, answer, live, readings, updates, freshness } = begin()
    world.socket.say(hello('a', 5))
    live.close()
    expect(readings[0]?.signal.aborted).toBe(true)
    await answer([{ id: 1 }])
    expect([updates, freshness, world.timers]).toEqual([[], [], 0])
    expect(live.connection.state).toEqual({ state: 'closed', reason: { kind: 'asked' } })
  })
})
