import { evictDurableObject } from 'cloudflare:test'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CapturedChange, Change, Row } from '../../protocol/change.ts'
import { bindings, openLink, orderChange, startAfresh, type TestLink } from './link.ts'
import { ADA, BOB, bearer, MeWorld, orderOf, SECRET, token } from './me-world.ts'
import { type Subscriber, within, worker } from './subscriber.ts'

/* A user's own orders, over the real feed and its shards. */

let world: MeWorld
let link: TestLink
let adas: Record<string, string>
let bobs: Record<string, string>

beforeAll(async () => {
  await worker.fetch('http://belfry.test/openapi.json')
  adas = bearer(await token(ADA))
  bobs = bearer(await token(BOB))
})
beforeEach(async () => {
  world = new MeWorld()
  link = await openLink()
})
afterEach(async () => {
  vi.restoreAllMocks()
  await startAfresh()
})
afterAll(startAfresh)

const insert = (owner: string | null, id: number) =>
  orderChange({ op: 'insert', key: { id }, new: orderOf(owner, id), old: null })
const remove = (owner: string | null, id: number) =>
  orderChange({ op: 'delete', key: { id }, new: null, old: orderOf(owner, id) })
const move = (from: string | null, to: string | null, id: number) =>
  orderChange({ op: 'update', key: { id }, old: orderOf(from, id), new: orderOf(to, id) })

const told = (changes: Change[]) =>
  changes.map(({ offset, op, key, new: now, old }) => [offset, op, key?.id, !!now, !!old])

/** Orders come, go and change hands. */
const moves = [
  insert(BOB, 1),
  insert(ADA, 2),
  move(BOB, ADA, 1),
  move(ADA, ADA, 2),
  move(BOB, BOB, 3),
  move(ADA, BOB, 2),
  move(ADA, null, 1),
  remove(BOB, 2),
  insert(null, 4),
  orderChange({ op: 'update', key: { id: 5 }, new: null, old: null, oversize: true }),
  orderChange({ op: 'truncate', key: null, new: null, old: null }),
]
const asAdaHears = [
  [2, 'insert', 2, true, false],
  [3, 'insert', 1, true, false],
  [4, 'update', 2, true, true],
  [6, 'delete', 2, false, true],
  [7, 'delete', 1, false, true],
  [10, 'update', 5, false, false],
  [11, 'truncate', undefined, false, false],
]

describe('P91 an order that changes hands', () => {
  it('comes as an insert and goes as a delete, live, to the one and to the other', async () => {
    const ada = await world.socket('/api/me/orders/ws', adas)
    const bob = await world.socket('/api/me/orders/ws', bobs)
    for (const each of [ada, bob]) await each.frame('hello')
    for (const each of moves) await link.deliver([each])
    const heard = await ada.readTo(0, 11)
    expect(told(heard)).toEqual(asAdaHears)
    expect(JSON.stringify(heard)).not.toContain(SECRET)
    expect(told(await bob.readTo(0, 11))).toEqual([
      [1, 'insert', 1, true, false],
      [3, 'delete', 1, false, true],
      [5, 'update', 3, true, true],
      [6, 'insert', 2, true, false],
      [8, 'delete', 2, false, true],
      [10, 'update', 5, false, false],
      [11, 'truncate', undefined, false, false],
    ])
  })

  it('does so when it is caught up on, and from wherever one resumes', async () => {
    await link.deliver(moves)
    for (const after of [0, 2, 5, 6, 10]) {
      const ada = await world.socket(`/api/me/orders/ws?after=${after}`, adas)
      await ada.frame('hello')
      const heard = await ada.readTo(after, 11)
      expect(told(heard)).toEqual(asAdaHears.filter(([offset]) => Number(offset) > after))
      expect(JSON.stringify(heard)).not.toContain(SECRET)
    }
  })

  it('does so for one who slept, in a shard that slept', async () => {
    const ada = await world.socket('/api/me/orders/ws', adas)
    await ada.frame('hello')
    await link.deliver(moves.slice(0, 4))
    expect(told(await ada.readTo(0, 4))).toEqual(asAdaHears.slice(0, 3))
    await evictDurableObject(bindings.SHARD.getByName('enam-0'))
    await link.deliver(moves.slice(4))
    expect(told(await ada.readTo(4, 11))).toEqual(asAdaHears.slice(3))
  })

  it('does so over server-sent events, and after Last-Event-ID', async () => {
    await link.deliver(moves)
    const { epoch } = await bindings.FEED.getByName('main').status()
    const headers = { ...adas, 'last-event-id': `${epoch}:2` }
    const response = await world.ask('GET', '/api/me/orders/stream', { headers })
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    let said = ''
    while (reader && !said.includes(`id: ${epoch}:11`))
      said += (await within(reader.read(), 'an event')).value ?? ''
    await reader?.cancel()
    const frames = said.match(/^data: .*$/gm)?.map((line) => JSON.parse(line.slice(6)))
    expect(told(frames?.[1].changes)).toEqual(asAdaHears.slice(1))
    expect(said).not.toContain(SECRET)
  })

  it('is asked about under filters as it is told', async () => {
    const shipped = { ...orderOf(BOB, 7), status: 'shipped' }
    const deletes = await world.socket('/api/me/orders/ws?op=delete', adas)
    const statuses = await world.socket('/api/me/orders/ws?status=shipped', adas)
    for (const each of [deletes, statuses]) await each.frame('hello')
    await link.deliver([
      move(ADA, BOB, 1),
      orderChange({ op: 'update', key: { id: 7 }, old: orderOf(ADA, 7), new: shipped }),
      orderChange({ op: 'update', key: { id: 8 }, old: shipped, new: orderOf(ADA, 8) }),
    ])
    expect(told(await deletes.readTo(0, 3))).toEqual([
      [1, 'delete', 1, false, true],
      [2, 'delete', 7, false, true],
    ])
    expect(told(await statuses.readTo(0, 3))).toEqual([])
  })
})

describe('P91 whatever becomes of orders', () => {
  const step: fc.Arbitrary<Step> = fc.record({
    id: fc.integer({ min: 1, max: 4 }),
    to: fc.constantFrom(ADA, ADA, BOB, BOB, null, 'deleted'),
  })
  const round = fc.record({
    steps: fc.array(step, { minLength: 1, maxLength: 6 }),
    after: fc.constantFrom('goes on', 'resumes', 'begins again'),
  })

  it('what a user has heard is what is theirs, and nothing of another’s was in it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 5 }), async (rounds) => {
        const rows = new Map<number, Row>()
        let ada = new Reader(await world.socket('/api/me/orders/ws', adas))
        await ada.begin()
        const began = ada.at
        let head = began
        const deliver = async (changes: CapturedChange[]) => {
          await link.deliver(changes)
          head += changes.length
        }
        await deliver([orderChange({ op: 'truncate', key: null, new: null, old: null })])
        for (const { steps, after } of rounds) {
          // The last one is heard, and so nobody waits to be told that nothing was.
          const last = changeOf(rows, { id: 5, to: ADA })
          await deliver([...steps.flatMap((each) => changeOf(rows, each)), ...last])
          if (after === 'goes on') continue
          if (after === 'resumes') await ada.readTo(head)
          ada.close()
          const from = after === 'resumes' ? head : began
          const socket = await world.socket(`/api/me/orders/ws?after=${from}`, adas)
          ada = new Reader(socket, after === 'resumes' ? ada.orders : new Map())
          await ada.begin()
        }
        await ada.readTo(head)
        ada.close()
        const theirs = [...rows].filter(([, row]) => row.customer_id === Number(ADA))
        expect(ada.orders).toEqual(new Map(theirs))
        expect(ada.said).not.toContain(SECRET)
        expect(ada.said).not.toContain(BOB)
      }),
      { numRuns: 25 },
    )
  })
})

/** Keeps what it has heard of, as a page of one's own orders would. */
class Reader {
  readonly #socket: Subscriber
  readonly orders: Map<number, Row>
  said = ''
  at = 0

  constructor(socket: Subscriber, orders = new Map<number, Row>()) {
    this.#socket = socket
    this.orders = orders
  }

  async begin() {
    this.at = (await this.#socket.frame('hello')).after
  }

  async readTo(through: number) {
    const changes = await this.#socket.readTo(this.at, through)
    this.at = through
    this.said += JSON.stringify(changes)
    for (const { op, key, new: row } of changes) {
      const id = Number(key?.id)
      // An insert of what is there, or a delete of what is not, would be a row of somebody else's.
      if (op === 'insert' && this.orders.has(id)) throw new Error(`${id} was here`)
      if (op === 'delete' && !this.orders.has(id)) throw new Error(`${id} was not here`)
      if (op === 'truncate') this.orders.clear()
      else if (row) this.orders.set(id, row)
      else this.orders.delete(id)
    }
  }

  close() {
    this.#socket.close()
  }
}

/** `to`: whose it is from then on, or nobody's (null). */
type Step = { id: number; to: string | null }

function changeOf(rows: Map<number, Row>, { id, to }: Step): CapturedChange[] {
  const old = rows.get(id) ?? null
  if (to === 'deleted') {
    rows.delete(id)
    return old ? [orderChange({ op: 'delete', key: { id }, new: null, old })] : []
  }
  const row = { ...orderOf(to, id), version: Number(old?.version ?? 0) + 1 }
  rows.set(id, row)
  return [orderChange({ op: old ? 'update' : 'insert', key: { id }, new: row, old })]
}
