import { evictDurableObject } from 'cloudflare:test'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CapturedChange, Change } from '../../protocol/change.ts'
import { ownTables } from '../../protocol/own-tables.ts'
import { DatabaseStandIn, rowPage, watched } from './database-stand-in.ts'
import { bindings, openLink, operator, orderChange, startAfresh, type TestLink } from './link.ts'
import { Subscriber, within, worker } from './subscriber.ts'

/* Belfry's own tables, at every door of the feed and of the tables. */

const SHOP = { orders: ['id', 'status'], users: ['id', 'email'], rules: ['id', 'name'] }
const SECRET = 'for those who run it'

/** A worker that has not read the catalog yet: another read may begin only 2 s after one. */
const unread = () =>
  new DatabaseStandIn((statement) =>
    statement.includes('belfry.watched')
      ? watched(SHOP)
      : rowPage([[`{"id":1,"name":"${SECRET}"}`, null, null]]),
  )

let database: DatabaseStandIn
let link: TestLink

beforeAll(() => worker.fetch('http://belfry.test/openapi.json'))
beforeEach(async () => {
  database = unread()
  link = await openLink()
})
afterEach(async () => {
  vi.restoreAllMocks()
  await startAfresh()
})

const own = (table: string): CapturedChange =>
  orderChange({ table, key: { id: 1 }, new: { id: 1, email: SECRET } })
/** Offsets 2 to 6 are Belfry's own; in 7 a column's value looks like one of them. */
const changes = [
  orderChange(),
  ...[...ownTables].map(own),
  orderChange({ new: { id: 2, status: '"table":"users"', details: { table: 'users' } } }),
]
const [last, ordinary] = [changes.length, [1, changes.length]]
const every = changes.map((_, index) => index + 1)
const offsets = (heard: Change[]) => heard.map(({ offset }) => offset)

async function subscribe(query: string, headers: Record<string, string>): Promise<Subscriber> {
  const response = await database.visit(`/api/changes/ws${query}`, {
    upgrade: 'websocket',
    ...headers,
  })
  if (!response.webSocket) throw new Error(`no socket: ${response.status}`)
  const subscriber = new Subscriber(response.webSocket)
  await subscriber.frame('hello')
  return subscriber
}

async function streamed(headers: Record<string, string>): Promise<number[] | undefined> {
  const response = await database.visit('/api/changes/stream?after=0', headers)
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let said = ''
  while (reader && !said.includes(`"through":${last}`))
    said += (await within(reader.read(), 'an event')).value ?? ''
  await reader?.cancel()
  return said.match(/"offset":\d+/g)?.map((text) => Number(text.slice(9)))
}

const readers: [string, query: string, headers: Record<string, string>, hears: number[]][] = [
  ['anyone', '', {}, ordinary],
  ['who filters', '?op=insert', {}, ordinary],
  ['who names a scope', '', { 'belfry-scope': '{"kind":"operator"}' }, ordinary],
  ['who runs it', '', operator, every],
  ['who runs it, with a filter', '?table=users', operator, [4]],
]

describe('P92 the changes of Belfry’s own tables', () => {
  it('are heard by those who run it, live, caught up on, read and streamed', async () => {
    const live = await Promise.all(readers.map(([, ...of]) => subscribe(of[0], of[1])))
    await link.deliver(changes)
    for (const [index, [who, query, headers, hears]] of readers.entries()) {
      const later = await subscribe(`${query}${query === '' ? '?' : '&'}after=0`, headers)
      for (const subscriber of [live[index], later]) {
        const heard = (await subscriber?.readTo(0, last)) ?? []
        expect(offsets(heard), who).toEqual(hears)
        expect(JSON.stringify(heard).includes(SECRET), who).toBe(hears !== ordinary)
      }
      const response = await database.visit(`/api/changes${query}`, headers)
      const page = await response.json<{ changes: Change[]; through: number }>()
      expect(offsets(page.changes), who).toEqual(hears)
      expect(page.through).toBe(last)
      expect(await streamed(headers), who).toEqual('authorization' in headers ? every : ordinary)
    }
  })

  it('stay hidden while the shard sleeps', async () => {
    const subscriber = await subscribe('', {})
    await link.deliver([orderChange()])
    await subscriber.readTo(0, 1)
    await evictDurableObject(bindings.SHARD.getByName('enam-0'))
    await link.deliver([own('users'), orderChange()])
    expect(offsets(await subscriber.readTo(1, 3))).toEqual([3])
  })
})

describe('P92 Belfry’s own tables', () => {
  it('are listed for those who run it', async () => {
    const names = async (headers: Record<string, string>) => {
      const response = await database.visit('/api/tables', headers)
      const { tables } = await response.json<{ tables: { table: string }[] }>()
      return tables.map(({ table }) => table)
    }
    expect(await names({})).toEqual(['orders'])
    expect(await names(operator)).toEqual(['orders', 'users', 'rules'])
  })

  it('have rows for those who run it, and to others are as if not watched', async () => {
    const rows = (table: string, headers: Record<string, string>) =>
      unread().visit(`/api/tables/${table}/rows`, headers)
    const hidden = await rows('users', {})
    expect(hidden.status).toBe(404)
    const saidOf = async (response: Response) => {
      const { request_id, ...said } = await response.json<Record<string, unknown>>()
      return JSON.stringify(said)
    }
    const said = await saidOf(hidden)
    expect(said).toBe((await saidOf(await rows('userz', {}))).replaceAll('userz', 'users'))
    expect(said).not.toContain(SECRET)
    expect((await rows('users', operator)).status).toBe(200)
    expect(await (await rows('users', operator)).text()).toContain(SECRET)
  })

  it.each([
    ['table=users', 'table: "users" is not watched; watched are orders'],
    ['email=x', 'email: no watched table has such a column; watched are orders'],
  ])('are not there to subscribe to: ?%s', async (query, detail) => {
    for (const path of ['/api/changes', '/api/changes/stream']) {
      const refused = await unread().visit(`${path}?${query}`)
      expect(await refused.json()).toMatchObject({ code: 'invalid_filter', detail })
      const allowed = await unread().visit(`${path}?${query}`, operator)
      expect(allowed.status).toBe(200)
      await allowed.body?.cancel()
    }
  })

  it('P95 are nobody’s where there is no ADMIN_TOKEN', async () => {
    for (const token of ['', 'undefined', 'null', bindings.ADMIN_TOKEN]) {
      const request = new Request('http://belfry.test/api/tables', {
        headers: { authorization: `Bearer ${token}` },
      })
      const response = await database.fetch(request, { ADMIN_TOKEN: '' })
      expect(response.status).toBe(401)
    }
  })
})
