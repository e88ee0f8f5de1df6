import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { closeCodes } from '../../protocol/close-codes.ts'
import { DatabaseStandIn, rowPage, watched } from './database-stand-in.ts'
import { openLink, operator, orderChange, startAfresh, type TestLink } from './link.ts'
import { ADA, AUTH_SECRET, bearer, token } from './me-world.ts'
import { Subscriber, within, worker } from './subscriber.ts'

/* Who may read some tables, at every door of the feed and of the tables: those, and no other. */

const WATCHED = {
  orders: ['id', 'status'],
  'shop.parcels': ['id', 'weight'],
  'shop.größen': ['id'],
  users: ['id', 'email'],
}
/** Offsets 1 to 4, in this order. */
const written = Object.keys(WATCHED).map((table) => orderChange({ table, new: { id: 1 } }))
const LAST = written.length

/** Scopes → the tables that are theirs, and the offsets. */
const readers: [scope: string, tables: string[], offsets: number[]][] = [
  ['orders:read', ['orders'], [1]],
  ['shop.parcels:read', ['shop.parcels'], [2]],
  ['shop.größen:read', ['shop.größen'], [3]],
  ['orders:read shop.parcels:read orders:read', ['orders', 'shop.parcels'], [1, 2]],
  ['parcels:read shop:read Orders:read nothing:read', [], []],
  ['users:read', [], []],
  ['users:read orders:read', ['orders'], [1]],
  ['*:read', ['orders', 'shop.parcels', 'shop.größen'], [1, 2, 3]],
  ['*:read users:read', ['orders', 'shop.parcels', 'shop.größen'], [1, 2, 3]],
  ['admin', Object.keys(WATCHED), [1, 2, 3, 4]],
]

/** A worker that has not read the catalog yet: another read may begin only 2 s after one. */
const unread = () =>
  new DatabaseStandIn((statement) =>
    statement.includes('belfry.watched') ? watched(WATCHED) : rowPage([['{"id":1}', null, null]]),
  )
let link: TestLink

beforeAll(() => worker.fetch('http://belfry.test/openapi.json'))
beforeEach(async () => {
  unread()
  link = await openLink()
})
afterEach(async () => {
  vi.restoreAllMocks()
  await startAfresh()
})

const as = async (scope: string) => bearer(await token(ADA, { scope }))

function visit(path: string, headers: Record<string, string>): Promise<Response> {
  const settings = { AUTH_SECRET, ANONYMOUS_SCOPES: '', RATE_LIMIT_USER: '0' }
  return unread().fetch(new Request(`http://belfry.test${path}`, { headers }), settings)
}

async function open(query: string, headers: Record<string, string>): Promise<Subscriber> {
  const { webSocket } = await visit(`/api/changes/ws${query}`, { upgrade: 'websocket', ...headers })
  if (!webSocket) throw new Error('no socket')
  return new Subscriber(webSocket)
}

async function streamed(headers: Record<string, string>): Promise<number[]> {
  const response = await visit('/api/changes/stream?after=0', headers)
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let said = ''
  while (reader && !said.includes(`"through":${LAST}`))
    said += (await within(reader.read(), 'an event')).value ?? ''
  await reader?.cancel()
  return (said.match(/"offset":\d+/g) ?? []).map((text) => Number(text.slice(9)))
}

describe('P94 a reader of some tables', () => {
  it('hears those, live, caught up on, read and streamed', async () => {
    const live = await Promise.all(
      readers.map(async ([scope]) => {
        const subscriber = await open('', await as(scope))
        await subscriber.frame('hello')
        return subscriber
      }),
    )
    await link.deliver(written)
    for (const [index, [scope, , offsets]] of readers.entries()) {
      const headers = await as(scope)
      const later = await open('?after=0', headers)
      await later.frame('hello')
      for (const subscriber of [live[index], later]) {
        const heard = await subscriber?.readTo(0, LAST)
        expect(
          heard?.map(({ offset }) => offset),
          scope,
        ).toEqual(offsets)
      }
      const page = await (await visit('/api/changes', headers)).json<{
        changes: { offset: number }[]
      }>()
      expect(
        page.changes.map(({ offset }) => offset),
        scope,
      ).toEqual(offsets)
      expect(await streamed(headers), scope).toEqual(offsets)
    }
  })

  it.each(readers)('with %j finds listed what is theirs', async (scope, tables) => {
    const listed = await visit('/api/tables', await as(scope))
    const names = (await listed.json<{ tables: { table: string }[] }>()).tables
    expect(names.map(({ table }) => table)).toEqual(tables)
  })

  it.each(readers)(
    'with %j reads the rows of those, and no other is watched',
    async (scope, theirs) => {
      const headers = await as(scope)
      for (const table of Object.keys(WATCHED)) {
        const path = `/api/tables/${encodeURIComponent(table)}/rows`
        const isTheirs = theirs.includes(table)
        expect((await visit(path, headers)).status, table).toBe(isTheirs ? 200 : 404)
        const query = `?table=${encodeURIComponent(table)}`
        const changes = await visit(`/api/changes${query}`, headers)
        expect(changes.status, table).toBe(isTheirs ? 200 : 400)
        if (isTheirs) continue
        expect(await changes.json()).toMatchObject({
          code: 'invalid_filter',
          detail: expect.stringContaining('is not watched'),
        })
        expect((await visit(`/api/changes/stream${query}`, headers)).status).toBe(400)
        const { code } = await within((await open(query, headers)).closed, 'the close')
        expect(code).toBe(closeCodes.bad_request.code)
      }
    },
  )

  it('cannot ask for more than that', async () => {
    await link.deliver(written)
    const headers = {
      ...(await as('orders:read')),
      'belfry-scope': '{"kind":"operator"}',
      'belfry-principal': '{"kind":"operator","name":"operator","scopes":["admin"]}',
    }
    const subscriber = await open('?after=0', headers)
    await subscriber.frame('hello')
    expect((await subscriber.readTo(0, LAST)).map(({ offset }) => offset)).toEqual([1])
    for (const query of ['?scope=operator', '?tables=every', '?token=admin']) {
      const { code } = await within((await open(query, headers)).closed, 'the close')
      expect(code).toBe(closeCodes.bad_request.code)
    }
  })

  it('is nobody without credentials, at each door', async () => {
    for (const path of [
      '/api/changes',
      '/api/changes/stream',
      '/api/tables',
      '/api/tables/orders/rows',
    ])
      expect((await visit(path, {})).status, path).toBe(401)
    const { code } = await within((await open('', {})).closed, 'the close')
    expect(code).toBe(closeCodes.unauthorized.code)
    expect((await visit('/api/tables', operator)).status).toBe(200)
  })
})
