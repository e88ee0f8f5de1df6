import { runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { closeCodes } from '../../protocol/close-codes.ts'
import { WINDOW } from '../../worker/inbox/copy.ts'
import type { Inbox } from '../../worker/inbox/inbox.ts'
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

describe('while Postgres does not answer', () => {
  test('P84: what is here is served, and it is asked again until it does', async () => {
    const { database, inbox } = world
    database.insertMany(WINDOW + 5)
    await world.list()
    database.isDown = true
    const row = database.mark(1, 'archived')
    await inbox.hear(database.log.slice(-1), FEED)
    expect(await inbox.standing(FEED)).toMatchObject({ counts: { unread: 105 } })
    await world.ring()
    const waitMs = await world.alarmIn()
    expect(waitMs).toBeGreaterThan(0)
    expect(waitMs).toBeLessThan(300_000)
    database.isDown = false
    await world.evict()
    await world.settle()
    expect(row.archived_at).not.toBeNull()
    expect(await world.counts()).toEqual({ unseen: 104, unread: 104, capped: false })
  })

  test('P84: an empty one says so, and is filled by itself once it can be', async () => {
    const { database } = world
    database.insertMany(1)
    database.isDown = true
    await runInDurableObject(world.object, async (object: Inbox) => {
      await expect(object.standing(FEED)).rejects.toThrow('fetch failed')
    })
    expect(await (await world.connect()).closed).toMatchObject({ code: closeCodes.failed.code })
    database.isDown = false
    await world.settle()
    expect(world.loads).toBeGreaterThan(0)
    const before = world.loads
    expect(await world.counts()).toMatchObject({ unread: 1 })
    expect(world.loads).toBe(before)
  })
})

describe('during a load', () => {
  test('P84: what is heard wins over what it brings, deletions too', async () => {
    const { database, inbox } = world
    database.insertMany(3)
    await world.catchUp()
    const old = database.window(WINDOW)
    const loading = Promise.withResolvers<void>()
    database.script.push(async () => {
      await loading.promise
      return database.answers([old])
    })
    const listed = world.list()
    await vi.waitFor(() => expect(world.loads).toBe(1))
    database.delete(1)
    database.mark(2, 'read')
    database.insert()
    await world.catchUp()
    loading.resolve()
    const { notifications, standing } = await listed
    expect(notifications.map(({ id, read }) => [id, read])).toEqual([
      [4, false],
      [3, false],
      [2, true],
    ])
    expect(standing.counts).toEqual(database.counts())
    expect(await inbox.standing(FEED)).toEqual(standing)
  })

  test('P82: who has written meanwhile is answered from one that began later', async () => {
    const { database, inbox } = world
    database.insertMany(WINDOW + 5)
    await world.list()
    database.mark(1, 'seen')
    const early = database.window(WINDOW)
    const loading = Promise.withResolvers<void>()
    database.script.push(async () => {
      await loading.promise
      return database.answers([early])
    })
    await inbox.hear([database.lastChange], FEED)
    await vi.waitFor(() => expect(world.loads).toBe(2))
    const written = { notifications: [database.mark(2, 'read')], user: null }
    const standing = await runInDurableObject(world.object, (object: Inbox) => {
      const answered = object.written(written, FEED)
      loading.resolve()
      return answered
    })
    expect(standing).toMatchObject({ counts: { unseen: 104, unread: 104 } })
  })

  test('P84: an eviction loses nothing but the load', async () => {
    const { database } = world
    database.insertMany(WINDOW + 1)
    await world.list()
    database.mark(1, 'read')
    await world.catchUp()
    await world.evict()
    await world.settle()
    expect(await world.counts()).toEqual({ unseen: 101, unread: 100, capped: false })
  })
})

describe('who was deleted', () => {
  test('P90: is forgotten, and their sockets close for good', async () => {
    const { database, inbox } = world
    database.insertMany(4)
    database.insert({ deliver_at: database.time(60_000) })
    const tab = await world.connect()
    await tab.frame('hello')
    await world.catchUp()
    database.deleteUser()
    await world.catchUp()
    expect(await tab.closed).toMatchObject({ code: closeCodes.unauthorized.code })
    expect(await world.kept()).toEqual({})
    await world.evict()
    expect(await inbox.standing(FEED)).toBeNull()
    expect(await world.alarmIn()).toBeNull()
    expect((await (await world.connect()).closed).code).toBe(closeCodes.unauthorized.code)
    expect(
      await inbox.page({ listing: 'all', category: null, before: null, limit: 1 }, FEED),
    ).toEqual({ kind: 'nobody' })
  })

  test('P81: and comes again under the same id is served, on time', async () => {
    const { database } = world
    database.insert({ deliver_at: database.time(60_000) })
    await world.catchUp()
    const user = database.user
    database.deleteUser()
    await world.catchUp()
    database.user = user
    database.insert({ deliver_at: database.time(120_000) })
    await world.catchUp()
    const waitMs = await world.alarmIn()
    expect(waitMs).toBeGreaterThan(60_000)
    world.pass(120_001)
    await world.settle()
    expect((await world.list()).notifications.map(({ id }) => id)).toEqual([2])
  })

  test('P90: is forgotten too if only a load shows it', async () => {
    const { database, inbox } = world
    database.insertMany(WINDOW + 5)
    const tab = await world.connect()
    await tab.frame('hello')
    database.mark(1, 'read')
    await world.catchUp()
    database.user = null
    await world.evict()
    await world.settle()
    expect(await tab.closed).toMatchObject({ code: closeCodes.unauthorized.code })
    expect(await inbox.standing(FEED)).toBeNull()
  })
})
