import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { closeCodes, closeReason } from '../../protocol/close-codes.ts'
import type { ProblemCode } from '../../protocol/problems.ts'
import { Shard } from '../../worker/shard/shard.ts'
import { DatabaseStandIn } from './database-stand-in.ts'
import { bindings, openLink, orderChange, orderChanges, startAfresh } from './link.ts'
import { type Subscriber, subscribe, within, worker } from './subscriber.ts'

/*
 * What the doors of the feed refuse. Each case is tried at the WebSocket, the event stream and the
 * JSON door, while another subscriber stands at each: it hears every change all the same.
 */

afterEach(async () => {
  vi.restoreAllMocks()
  await startAfresh()
})

const bytesOf = (text: string) => Uint8Array.from(text, (each) => each.charCodeAt(0)).buffer
const SHOP = { orders: ['id', 'status'], ünïts: ['id', 'größe'] }
const long = 'x'.repeat(256)
const accented = encodeURIComponent('é'.repeat(200))

/** A worker that has not read the catalog yet: another read may begin only 2 s after one. */
const unread = () => DatabaseStandIn.watching(SHOP)

/** Query → code of the problem, and what its detail must tell. */
const cases: [query: string, code: ProblemCode, detail: string][] = [
  ['after=-1', 'invalid_position', 'after: a whole number from 0'],
  ['after=1.5', 'invalid_position', 'after: a whole number'],
  ['after=1e3', 'invalid_position', 'after: a whole number'],
  ['after=0x10', 'invalid_position', 'after: a whole number'],
  ['after=', 'invalid_position', 'after: a whole number'],
  ['after=%201', 'invalid_position', 'after: a whole number'],
  ['after=%2B1', 'invalid_position', 'after: a whole number'],
  ['after=%D9%A1', 'invalid_position', 'after: a whole number'],
  ['after=NaN', 'invalid_position', 'after: a whole number'],
  ['after=1000000000000000', 'invalid_position', 'to 999999999999999'],
  [`after=${'9'.repeat(300)}`, 'invalid_position', 'after: at most 255 characters'],
  ['after=1&after=2', 'invalid_position', 'after: was given twice; give it once'],
  ['after=0&epoch=K3V', 'invalid_position', 'epoch: as the hello frame gave it'],
  ['after=0&epoch=%00', 'invalid_position', 'epoch'],
  ['after=0&epoch=', 'invalid_position', 'epoch'],
  [`after=0&epoch=${'a'.repeat(33)}`, 'invalid_position', 'epoch'],
  ['after=0&epoch=a&epoch=a', 'invalid_position', 'epoch: was given twice'],
  ['op=upsert', 'invalid_filter', 'op: "upsert" is none of insert, update, delete, truncate'],
  ['op=', 'invalid_filter', 'op: "" is none of'],
  ['op=insert&op=update', 'invalid_filter', 'op: was given twice'],
  [`op=${accented}`, 'invalid_filter', 'op: "é'],
  ['table=', 'invalid_filter', 'table: must not be empty'],
  ['table=orders&table=orders', 'invalid_filter', 'table: was given twice'],
  ['table=order', 'invalid_filter', 'table: "order" is not watched; watched are orders, ünïts'],
  ['table=Orders', 'invalid_filter', 'table: "Orders" is not watched'],
  [`table=${accented}`, 'invalid_filter', 'table: "é'],
  [`table=${long}`, 'invalid_filter', 'table: at most 255 characters'],
  ["table=orders'%3B%20DROP%20TABLE%20orders%3B--", 'invalid_filter', 'is not watched'],
  ['table=__proto__', 'invalid_filter', 'table: "__proto__" is not watched'],
  [
    'table=orders&status_=x',
    'invalid_filter',
    'status_: orders has no such column; it has id, status',
  ],
  ['table=orders&gr%C3%B6%C3%9Fe=1', 'invalid_filter', 'größe: orders has no such column'],
  ['colour=red', 'invalid_filter', 'colour: no watched table has such a column'],
  ['constructor=x', 'invalid_filter', 'constructor: no watched table'],
  ['status=a&status=b', 'invalid_filter', 'status: was given twice; give it once'],
  ['status=a&where.status=a', 'invalid_filter', 'status: was given twice'],
  ['where.=x', 'invalid_filter', 'a column has a name'],
  [`status=${long}`, 'invalid_filter', 'status: at most 255 characters'],
  [`${long}=1`, 'invalid_filter', 'at most 255 characters'],
  ['a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1', 'invalid_filter', 'at most 8 columns'],
]

describe('P60 a query that cannot be served', () => {
  it.each(cases)('?%s: %s', async (query, code, detail) => {
    const database = DatabaseStandIn.watching(SHOP)
    const link = await openLink()
    const others = [await database.subscribe(), await database.subscribe('?table=orders&id=1')]
    for (const other of others) await other.frame('hello')

    const details: string[] = []
    for (const path of ['/api/changes', '/api/changes/stream']) {
      const response = await unread().visit(`${path}?${query}`)
      expect(response.status).toBe(400)
      expect(response.headers.get('content-type')).toBe('application/problem+json')
      const body = await response.json<{ detail: string }>()
      expect(body).toMatchObject({ code, retry: false, detail: expect.stringContaining(detail) })
      details.push(body.detail)
    }
    const refused = await unread().subscribe(`?${query}`)
    const { code: closedWith, reason } = await within(refused.closed, 'the close')
    expect(closedWith).toBe(closeCodes.bad_request.code)
    expect(details).toEqual([details[0], details[0]])
    expect(reason).toBe(closeReason(details[0] ?? ''))

    await link.deliver([orderChange()])
    for (const other of others) expect(await other.readTo(0, 1)).toHaveLength(1)
  })

  it.each(['limit=0', 'limit=1001', 'limit=-1', 'limit=x', 'limit=', 'limit=1&limit=2'])(
    '?%s: invalid_query over JSON, which alone reads it',
    async (query) => {
      const database = DatabaseStandIn.watching(SHOP)
      const response = await database.visit(`/api/changes?${query}`)
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({
        code: 'invalid_query',
        detail: 'limit: a whole number from 1 to 1000, once',
      })
      await (await database.subscribe(`?${query}`)).frame('hello')
    },
  )

  it.each(['rubbish', 'a:-1', 'a:1:2', ':1', 'K:1', `a:${'1'.repeat(16)}`, 'a:1, b:2'])(
    'Last-Event-ID "%s": invalid_position, without a word to others',
    async (id) => {
      const database = DatabaseStandIn.watching(SHOP)
      const response = await database.visit('/api/changes/stream', { 'last-event-id': id })
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ code: 'invalid_position' })
    },
  )

  it.each([
    ['after=999999999999999', 'ahead'],
    ['after=0&epoch=another', 'epoch'],
  ])('P34 ?%s is readable but cannot be served: reset by each door', async (query, reason) => {
    const database = DatabaseStandIn.watching(SHOP)
    const link = await openLink()
    await link.deliver(orderChanges(2))
    const json = await database.visit(`/api/changes?${query}`)
    expect(json.status).toBe(410)
    expect(await json.json()).toMatchObject({ code: 'reset', reason, head: 2 })
    const subscriber = await database.subscribe(`?${query}`)
    await subscriber.frame('hello')
    expect(await subscriber.frame('reset')).toMatchObject({ reason, head: 2 })
    const events = await database.visit(`/api/changes/stream?${query}`)
    const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader()
    let heard = ''
    while (!heard.includes('"type":"reset"'))
      heard += (await within(reader?.read() ?? Promise.reject(), 'an event')).value
    expect(heard).toContain(`"reason":"${reason}"`)
    await reader?.cancel()
  })
})

describe('the database behind the doors', () => {
  it('lets everyone through when it cannot be reached, after one query for all', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const database = DatabaseStandIn.down()
    const link = await openLink()
    const subscribers = await Promise.all([
      database.subscribe('?table=orders'),
      database.subscribe('?table=orders&status=pending'),
      database.subscribe('?table=nonsense'),
    ])
    for (const subscriber of subscribers) await subscriber.frame('hello')
    await link.deliver([orderChange()])
    expect(await subscribers[0]?.readTo(0, 1)).toHaveLength(1)
    expect(await subscribers[1]?.readTo(0, 1)).toHaveLength(1)
    expect(await subscribers[2]?.readTo(0, 1)).toEqual([])
    expect(database.statements).toHaveLength(1)
  })

  it('is asked once by a crowd that comes back, and by nobody who names nothing', async () => {
    const database = DatabaseStandIn.watching(SHOP)
    const crowd = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        n % 5 === 0 ? database.subscribe() : database.subscribe('?table=orders'),
      ),
    )
    for (const each of crowd) await each.frame('hello')
    expect(database.statements).toHaveLength(1)
  })
})

describe('P97 a ticket in the query', () => {
  it('is not kept with the socket', async () => {
    const issued = await worker.fetch('http://belfry.test/api/tickets', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ topic: 'changes' }),
    })
    const { ticket } = await issued.json<{ ticket: string }>()
    const subscriber = await subscribe(`?ticket=${ticket}&op=insert`)
    await subscriber.frame('hello')
    await runInDurableObject(bindings.SHARD.getByName('enam-0'), (shard) => {
      expect([...shard.getConnections()].map(({ uri }) => uri)).toEqual([
        'https://shard/?op=insert',
      ])
    })
  })
})

describe('P37 P60 frames from a subscriber', () => {
  const frames: [string, (subscriber: Subscriber) => void][] = [
    ['text', (subscriber) => subscriber.send('{"type":"subscribe"}')],
    ['empty text', (subscriber) => subscriber.send('')],
    ['almost a ping', (subscriber) => subscriber.send('ping ')],
    ['binary', (subscriber) => subscriber.send(new Uint8Array([1, 2, 3]).buffer)],
    ['a binary ping', (subscriber) => subscriber.send(bytesOf('ping'))],
    ['1 MB of text', (subscriber) => subscriber.send('x'.repeat(1_000_000))],
    ['20 MB of bytes', (subscriber) => subscriber.send(new ArrayBuffer(20_000_000))],
    [
      'ten thousand, of which the first has closed it',
      (subscriber) => {
        for (let n = 0; n < 10_000; n++) subscriber.send(`junk ${n}`)
      },
    ],
  ]

  it.each(frames)('%s: 4402, and whoever stands beside hears everything', async (_, send) => {
    const [good, bad] = [await subscribe(), await subscribe()]
    await good.frame('hello')
    await bad.frame('hello')
    send(bad)
    expect(await within(bad.closed, 'the close')).toMatchObject({
      code: closeCodes.bad_frame.code,
      reason: expect.stringContaining('ping'),
    })
    const link = await openLink()
    await link.deliver(orderChanges(3))
    expect(await good.readTo(0, 3)).toHaveLength(3)
  })

  it('P37 thousands of pings are answered, and none wakes the shard', async () => {
    const woken = vi.spyOn(Shard.prototype, 'onMessage')
    const subscriber = await subscribe()
    await subscriber.frame('hello')
    await evictDurableObject(bindings.SHARD.getByName('enam-0'))
    for (let n = 0; n < 5_000; n++) subscriber.send('ping')
    for (let n = 0; n < 5_000; n++) expect(await subscriber.text()).toBe('pong')
    expect(woken).not.toHaveBeenCalled()
  })
})
