import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Counts, Notification } from '../../protocol/notification.ts'
import { WINDOW } from '../../worker/inbox/copy.ts'
import { startAfresh } from './link.ts'
import { MeInboxWorld } from './me-inbox-world.ts'
import { worker } from './subscriber.ts'

let world: MeInboxWorld

beforeAll(() => worker.fetch('http://belfry.test/openapi.json'))
beforeEach(() => {
  world = new MeInboxWorld()
})
afterEach(() => {
  vi.restoreAllMocks()
})
afterAll(startAfresh)

type Page = {
  notifications: Notification[]
  next_cursor: string | null
  counts: Counts
  position: string
}
type Marked = { notification: Notification; notifications: Notification[]; counts: Counts }
const path = '/api/me/notifications'
const ids = ({ notifications }: { notifications: Notification[] }) =>
  notifications.map(({ id }) => id)
const list = (query = '') => world.json<Page>('GET', `${path}${query}`)

describe('GET /api/me', () => {
  it('says who one is, and how much is new', async () => {
    world.database.insertMany(3)
    expect(await world.json('GET', '/api/me')).toMatchObject({
      status: 200,
      user: { id: Number(world.name), name: 'Ada', quiet_hours: null },
      counts: { unseen: 3, unread: 3, capped: false },
    })
    const { headers } = await world.ask('GET', '/api/me')
    expect(headers.get('cache-control')).toBe('no-store')
  })

  it('P90 a token that has outlived its user opens nothing', async () => {
    world.database.deleteUser()
    for (const [method, at, body] of [
      ['GET', '/api/me'],
      ['GET', path],
      ['GET', `${path}/1`],
      ['GET', `${path}/stream`],
      ['PUT', `${path}/1/read`],
      ['POST', `${path}/open`],
      ['POST', `${path}/mark`, { ids: [1], mark: 'read' }],
      ['POST', `${path}/mark-all`, { mark: 'read' }],
      ['GET', '/api/me/preferences'],
      ['PATCH', '/api/me/preferences', { digest: 'off' }],
    ] as const)
      expect(await world.json(method, at, body)).toMatchObject({ status: 404, code: 'not_found' })
    const { code } = await (await world.tab()).closed
    expect(code).toBe(4401)
  })
})

describe('GET /api/me/notifications', () => {
  it('P84 pages go from the object on into Postgres, and leave nothing out', async () => {
    world.database.insertMany(WINDOW + 30)
    const expected = world.database.inbox().map(({ id }) => id)
    for (const limit of [40, 100]) {
      const found: number[] = []
      for (let cursor: string | null = ''; cursor !== null; ) {
        const page: Page = await list(`?limit=${limit}${cursor && `&cursor=${cursor}`}`)
        found.push(...ids(page))
        expect(page.counts.unread).toBe(WINDOW + 30)
        cursor = page.next_cursor
      }
      expect(found).toEqual(expected)
    }
  })

  it('P82 lists what is unread, archived or of a category', async () => {
    world.database.insertMany(4, (n) => ({ category: n === 0 ? 'orders' : 'general' }))
    world.database.mark(2, 'read')
    world.database.mark(3, 'archived')
    expect(ids(await list())).toEqual([4, 2, 1])
    expect(ids(await list('?listing=unread'))).toEqual([4, 1])
    expect(ids(await list('?listing=archived'))).toEqual([3])
    expect(ids(await list('?listing=all'))).toEqual([4, 3, 2, 1])
    expect(ids(await list('?category=orders'))).toEqual([1])
    expect(await world.json('GET', `${path}/3`)).toMatchObject({ notification: { archived: true } })
  })

  it.each(['limit=0', 'limit=101', 'limit=x', 'listing=seen', 'limit=1&limit=2', 'category='])(
    'P60 ?%s: invalid_query',
    async (query) => {
      expect(await list(`?${query}`)).toMatchObject({ status: 400, code: 'invalid_query' })
    },
  )

  it.each(['', '!', 'abc', 'A'.repeat(10_000), btoa('{"inbox":"1"}')])(
    'P60 ?cursor=%s: invalid_cursor',
    async (cursor) => {
      expect(await list(`?cursor=${cursor}`)).toMatchObject({ status: 400, code: 'invalid_cursor' })
    },
  )
})

describe('marks', () => {
  it('P82 each move is told to every tab, and its answer has the counts after it', async () => {
    world.database.insertMany(3)
    const tabs = [await world.tab(), await world.tab()]
    for (const tab of tabs) await tab.frame('hello')
    const steps: [string, string, Record<string, unknown>, { unseen: number; unread: number }][] = [
      ['PUT', 'read', { read: true }, { unseen: 3, unread: 2 }],
      ['PUT', 'seen', { seen: true }, { unseen: 2, unread: 2 }],
      ['PUT', 'archived', { archived: true }, { unseen: 2, unread: 2 }],
      ['DELETE', 'archived', { archived: false }, { unseen: 2, unread: 2 }],
      ['DELETE', 'read', { read: false }, { unseen: 2, unread: 3 }],
      ['DELETE', 'seen', { seen: false }, { unseen: 3, unread: 3 }],
    ]
    for (const [method, mark, now, counts] of steps) {
      const marked = await world.json<Marked>(method, `${path}/2/${mark}`)
      expect(marked).toMatchObject({ status: 200, notification: { id: 2, ...now }, counts })
      for (const tab of tabs)
        expect(await tab.frame('notifications')).toMatchObject({
          notifications: [{ id: 2, ...now }],
          counts,
        })
    }
    await world.catchUp()
    for (const tab of tabs) expect(await tab.frames()).toEqual([])
  })

  it('P82 opening the list is one move, and marking all can be taken back', async () => {
    world.database.insertMany(3)
    const tab = await world.tab()
    await tab.frame('hello')
    const opened = await world.json('POST', `${path}/open`)
    expect(opened).toMatchObject({ status: 200, before: null, counts: { unseen: 0, unread: 3 } })
    expect(await tab.frame('notifications')).toMatchObject({ notifications: [], all: {} })
    world.database.insert()
    await world.catchUp()
    const all = await world.json('POST', `${path}/mark-all`, { mark: 'read' })
    expect(all).toMatchObject({ before: null, counts: { unseen: 1, unread: 0 } })
    const newest = world.database.insert()
    await world.catchUp()
    const again = await world.json('POST', `${path}/mark-all`, {
      mark: 'read',
      through: newest.delivered_at,
    })
    expect(again).toMatchObject({ before: all.through, counts: { unread: 0 } })
    const undone = await world.json('POST', `${path}/mark-all/undo`, {
      mark: 'read',
      before: again.before,
    })
    expect(undone).toMatchObject({ status: 200, counts: { unread: 1 } })
    await world.settle()
    expect(await world.json('GET', '/api/me')).toMatchObject({ counts: { unseen: 2, unread: 1 } })
  })

  it('P82 some are marked at once; those that are not there are passed over', async () => {
    world.database.insertMany(3)
    const marked = await world.json<Marked>('POST', `${path}/mark`, {
      ids: [1, 3, 99],
      mark: 'archived',
    })
    expect(ids(marked)).toEqual([1, 3])
    expect(marked.counts).toMatchObject({ unread: 1 })
    const undone = await world.json<Marked>('POST', `${path}/mark`, {
      ids: [3],
      mark: 'archived',
      undo: true,
    })
    expect(undone.counts).toMatchObject({ unread: 2 })
  })

  it.each([
    ['mark', {}],
    ['mark', { ids: [], mark: 'read' }],
    ['mark', { ids: Array.from({ length: 101 }, (_, n) => n + 1), mark: 'read' }],
    ['mark', { ids: [1.5], mark: 'read' }],
    ['mark', { ids: [1], mark: 'read', undo: 'yes' }],
    ['mark-all', { mark: 'all' }],
    ['mark-all', { mark: 'read', through: 'yesterday' }],
    ['mark-all', { mark: 'read', through: '2026-13-45T00:00:00Z' }],
    ['mark-all/undo', { mark: 'read' }],
    ['mark-all/undo', { mark: 'read', before: 5 }],
    ['mark-all/undo', { mark: 'read', before: '0000-01-01T00:00:00Z' }],
    ['mark-all/undo', { mark: 'read', before: '2026-01-01T00:00:00+16:00' }],
  ])('P60 %s of %j: invalid_body', async (end, body) => {
    const refused = await world.json('POST', `${path}/${end}`, body)
    expect(refused).toMatchObject({ status: 400, code: 'invalid_body' })
  })
})

describe('without the database', () => {
  it('P84 what the object has is served; the rest is database_unavailable, in words', async () => {
    vi.spyOn(console, 'error').mockReturnValue()
    vi.spyOn(console, 'warn').mockReturnValue()
    world.database.insertMany(2)
    world.database.isDown = true
    expect(await list()).toMatchObject({ status: 503, code: 'database_unavailable', retry: true })
    world.database.isDown = false
    expect(ids(await list())).toEqual([2, 1])
    world.database.isDown = true
    expect(ids(await list())).toEqual([2, 1])
    for (const [method, end] of [
      ['PUT', '/1/read'],
      ['POST', '/open'],
      ['GET', '/1'],
    ] as const)
      expect(await world.json(method, path + end)).toMatchObject({
        status: 503,
        code: 'database_unavailable',
      })
  })
})
