import { runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { MOST_COUNTED } from '../../protocol/notification.ts'
import { STRAYS, TOMBSTONES, WINDOW } from '../../worker/inbox/copy.ts'
import { FEED, InboxWorld } from './inbox-world.ts'

let world: InboxWorld

beforeEach(() => {
  world = new InboxWorld()
  vi.spyOn(console, 'warn').mockReturnValue()
})
afterEach(async () => {
  await world.end()
  vi.restoreAllMocks()
})

describe('the copy of an inbox', () => {
  test('P84: is filled from Postgres when it is first read, and then served without it', async () => {
    const { database } = world
    database.insertMany(3)
    database.mark(2, 'read')
    const { notifications, isLast, standing } = await world.list()
    expect(notifications.map(({ id, read }) => [id, read])).toEqual([
      [3, false],
      [2, true],
      [1, false],
    ])
    expect(isLast).toBe(true)
    expect(standing).toEqual({
      counts: { unseen: 3, unread: 2, capped: false },
      position: { epoch: expect.stringMatching(/^[0-9a-z]{12}$/), offset: 0 },
    })
    await world.evict()
    expect((await world.list()).standing).toEqual(standing)
    expect(world.loads).toBe(1)
  })

  test('P84: of one that nobody has read is not kept; only when something is due', async () => {
    const { database } = world
    database.insertMany(5)
    database.insert({ deliver_at: database.time(3_600_000) })
    await world.catchUp()
    await world.evict()
    expect(database.statements).toEqual([])
    expect(await world.alarmIn()).toBeGreaterThan(3_500_000)
    expect(await world.kept()).toEqual({})
  })

  test('P82: is told at once of what was written, and knows it when the feed brings it', async () => {
    const { database, inbox } = world
    database.insertMany(2)
    await world.catchUp()
    const before = await inbox.standing(FEED)
    const row = database.mark(1, 'read')
    const after = await inbox.written({ notifications: [row], user: null }, FEED)
    expect(after).toEqual({
      counts: { unseen: 2, unread: 1, capped: false },
      position: { epoch: before?.position.epoch, offset: 1 },
    })
    await world.evict()
    await world.catchUp()
    expect(await inbox.standing(FEED)).toEqual(after)
  })

  test('P82: counts what lies before it as Postgres does, whatever is marked there', async () => {
    const { database, inbox } = world
    database.insertMany(WINDOW + 20)
    expect(await world.counts()).toEqual({ unseen: 120, unread: 120, capped: false })
    // Before the window, so only Postgres knows what it means.
    const row = database.mark(3, 'read')
    expect(await inbox.written({ notifications: [row], user: null }, FEED)).toMatchObject({
      counts: { unseen: 120, unread: 119 },
    })
    await world.evict()
    const user = database.markAll('seen')
    expect(await inbox.written({ notifications: [], user }, FEED)).toMatchObject({
      counts: { unseen: 0, unread: 119 },
    })
    await world.catchUp()
    await world.settle()
    expect(await world.counts()).toEqual(database.counts())
  })

  test('P82: comes back to right when a mark for all is taken back, and says reset', async () => {
    const { database } = world
    database.insertMany(WINDOW + 5)
    const tab = await world.connect()
    await tab.frame('hello')
    database.markAll('read')
    await world.catchUp()
    await world.evict()
    database.markAll('read', null)
    await world.catchUp()
    await world.settle()
    const frames = await tab.frames()
    expect(frames.map(({ type }) => type)).toContain('reset')
    expect(frames.at(-1)?.counts).toEqual({ unseen: 105, unread: 105, capped: false })
  })

  test('P82: more than are counted is said to be so', async () => {
    const { database } = world
    database.insertMany(1)
    const window = database.window(WINDOW)
    const older = { unseen: MOST_COUNTED, unread: 40, expires_ms: null }
    database.script.push(() => database.answers([{ ...window, complete: false, older }]))
    expect(await world.counts()).toEqual({ unseen: MOST_COUNTED + 1, unread: 41, capped: true })
  })

  test('P84: is filled again when it has shrunk below half, by deletes and by time', async () => {
    const { database } = world
    database.insertMany(WINDOW, (n) => ({ expires_at: n < 30 ? null : database.time(60_000) }))
    database.insertMany(20)
    await world.list()
    for (let id = 101; id <= 120; id++) database.delete(id)
    await world.catchUp()
    await world.evict()
    world.pass(61_000)
    await world.settle()
    const { notifications, isLast } = await world.list()
    expect(notifications.map(({ id }) => id)).toEqual(Array.from({ length: 30 }, (_, n) => 30 - n))
    expect(isLast).toBe(true)
    expect(await world.counts()).toEqual(database.counts())
  })

  test('P84: of another life of the feed is filled anew, and its readers read again', async () => {
    const { database, inbox } = world
    database.insertMany(2)
    const { standing } = await world.list()
    const tab = await world.connect()
    await tab.frame('hello')
    // The feed forgot this one before the inbox heard of it.
    database.insert()
    await world.evict()
    world.feed = 'feed2'
    const anew = await world.list()
    expect(anew.notifications).toHaveLength(3)
    expect(anew.standing.position.epoch).not.toBe(standing.position.epoch)
    const { epoch, offset: head } = anew.standing.position
    expect(await tab.frame('reset')).toMatchObject({ reason: 'epoch', epoch, head })
    // Who still speaks of the old life changes nothing.
    expect((await inbox.standing(FEED))?.position).toEqual(anew.standing.position)
    expect(world.loads).toBe(2)
  })

  test('P84: is filled again when the tables were emptied', async () => {
    const { database, inbox } = world
    database.insertMany(2)
    await world.list()
    database.rows.clear()
    const { lastChange } = database
    const truncate = { ...lastChange, op: 'truncate' as const, key: null, new: null, old: null }
    await inbox.hear([truncate], FEED)
    await world.evict()
    await world.settle()
    expect((await world.list()).notifications).toEqual([])
  })
})

describe('the list', () => {
  test('P82: has what each listing asks for, in pages, newest first', async () => {
    const { database } = world
    database.insertMany(6, (n) => ({ category: n % 2 === 0 ? 'orders' : 'news' }))
    database.mark(6, 'archived')
    database.mark(5, 'read')
    const ids = async (request: Parameters<InboxWorld['list']>[0]) =>
      (await world.list(request)).notifications.map(({ id }) => id)
    expect(await ids({ listing: 'active' })).toEqual([5, 4, 3, 2, 1])
    expect(await ids({ listing: 'unread' })).toEqual([4, 3, 2, 1])
    expect(await ids({ listing: 'archived' })).toEqual([6])
    expect(await ids({ listing: 'all', category: 'orders' })).toEqual([5, 3, 1])
    const first = await world.list({ limit: 4 })
    const last = first.notifications.at(-1)
    expect(first.isLast).toBe(false)
    const before = { delivered_at: last?.delivered_at ?? '', id: last?.id ?? 0 }
    const second = await world.list({ limit: 2, before })
    expect(second.notifications.map(({ id }) => id)).toEqual([2, 1])
    expect(second.isLast).toBe(true)
  })

  test('P84: goes beyond what is kept only in Postgres', async () => {
    const { database, inbox } = world
    database.insertMany(WINDOW + 10)
    const request = { listing: 'all', category: null, before: null, limit: WINDOW } as const
    expect(await world.list()).toMatchObject({ isLast: false })
    const oldest = database.inbox()[WINDOW - 1]
    const before = { delivered_at: oldest?.delivered_at as string, id: oldest?.id as number }
    expect(await inbox.page({ ...request, before }, FEED)).toMatchObject({
      kind: 'beyond',
      user: { id: database.userId },
      standing: { counts: { unread: 110 } },
    })
    expect(await inbox.page({ ...request, category: 'rare' }, FEED)).toMatchObject({
      kind: 'beyond',
    })
  })
})

describe('storage', () => {
  test('P84: stays bounded over thousands of notifications', async () => {
    const { database } = world
    await world.list()
    for (let round = 0; round < 14; round++) {
      database.insertMany(150, () => ({ content: { text: 'x'.repeat(200) } }))
      for (let n = 0; n < 60; n++) {
        const row = database.inbox()[n * 2]
        if (!row) continue
        if (n % 3 === 0) database.delete(Number(row.id))
        else database.mark(Number(row.id), 'read')
      }
      await world.catchUp()
      if (round % 7 === 0) await world.evict()
    }
    await world.settle()
    const { items = 0 } = await world.kept()
    expect(items).toBeLessThanOrEqual(WINDOW + STRAYS + TOMBSTONES)
    const bytes = await runInDurableObject(
      world.object,
      (_inbox, { storage }) => storage.sql.databaseSize,
    )
    expect(bytes).toBeLessThan(1_000_000)
    expect(await world.counts()).toMatchObject({ capped: true })
    // Of what is left fewer are unread than are counted on.
    database.markAll('seen')
    for (const { id } of database.inbox().slice(500)) database.mark(Number(id), 'read')
    await world.catchUp()
    await world.settle()
    expect(await world.counts()).toEqual(database.counts())
  })
})
