import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { liveOn, type Update } from '../../client/sdk/live.ts'
import type { Row } from '../../protocol/change.ts'
import { changes, hello, inserted, World } from './world.ts'

async function current() {
  const world = new World()
  const live = liveOn(world, {
    url: 'http://127.0.0.1:8787',
    table: 'orders',
    snapshot: async () => [{ id: 1 }],
  })
  world.socket.say(hello('a', 0))
  await setImmediate()
  let head = 0
  const insert = () => {
    world.socket.say(changes('a', head, [inserted(++head, { id: head + 1 })]))
  }
  return { world, live, insert }
}

const kinds = (updates: Update<Row>[]) =>
  updates.map((update) => (update.kind === 'snapshot' ? 'snapshot' : update.applied.length))

describe('a live table in a loop', () => {
  it('begins with the rows there are, gives each update, and ends with close()', async () => {
    const { live, insert } = await current()
    const seen: Update<Row>[] = []
    for await (const update of live) {
      seen.push(update)
      if (seen.length < 3) insert()
      else live.close()
    }
    expect(kinds(seen)).toEqual(['snapshot', 1, 1])
    expect(live.rows().size).toBe(3)
  })

  it('waits when there is nothing, and for every loop by itself', async () => {
    const { live, insert } = await current()
    const [one, other] = [live[Symbol.asyncIterator](), live[Symbol.asyncIterator]()]
    await one.next()
    await other.next()
    const [first, second] = [one.next(), one.next()]
    insert()
    insert()
    expect([await first, await second].map(({ value }) => value.applied[0].change.offset)).toEqual([
      1, 2,
    ])
    expect((await other.next()).value.applied[0].change.offset).toBe(1)
  })

  it('left, it keeps nothing more', async () => {
    const { live, insert } = await current()
    for await (const _ of live) break
    const loop = live[Symbol.asyncIterator]()
    await loop.return?.()
    insert()
    expect(await loop.next()).toEqual({ done: true, value: undefined })
  })

  it('far behind, it is told once that everything may be different', async () => {
    const { live, insert } = await current()
    const loop = live[Symbol.asyncIterator]()
    for (let n = 0; n < 1_003; n++) insert()
    const waiting: Update<Row>[] = []
    live.close()
    for await (const update of { [Symbol.asyncIterator]: () => loop }) waiting.push(update)
    expect(kinds(waiting)).toEqual(['snapshot', 1, 1, 1])
    expect(live.rows().size).toBe(1_004)
  })

  it('P60 fails when the worker refuses for good, also one that begins later', async () => {
    const { world, live } = await current()
    const loop = live[Symbol.asyncIterator]()
    await loop.next()
    const waiting = loop.next()
    world.socket.break(4400, 'table: "orders" is not watched')
    await expect(waiting).rejects.toThrow('the query is wrong: table: "orders" is not watched')
    expect(await loop.next()).toEqual({ done: true, value: undefined })
    const later = live[Symbol.asyncIterator]()
    expect((await later.next()).value).toEqual({ kind: 'snapshot' })
    await expect(later.next()).rejects.toThrow('the query is wrong')
  })
})
