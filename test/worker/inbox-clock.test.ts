import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { MAX_ATTEMPTS } from '../../worker/inbox/deliver.ts'
import { FEED, InboxWorld } from './inbox-world.ts'

const HOUR_MS = 3_600_000
let world: InboxWorld
let warned: string[]

beforeEach(() => {
  world = new InboxWorld()
  warned = []
  vi.spyOn(console, 'warn').mockImplementation((line) => {
    warned.push(line)
  })
})
afterEach(async () => {
  await world.end()
  vi.restoreAllMocks()
})

const asked = () => world.database.statements.filter((each) => each.includes('deliver_due')).length
const states = () => [...world.database.rows.values()].map(({ state }) => state)

describe('what is scheduled', () => {
  test('P81: is delivered at its time by an inbox that nobody has read, through evictions', async () => {
    const { database } = world
    const dueAt = database.time(HOUR_MS)
    database.insert({ deliver_at: database.time(2 * HOUR_MS) })
    database.insert({ deliver_at: dueAt })
    await world.catchUp()
    await world.evict()
    expect(await world.alarmIn()).toBeGreaterThan(HOUR_MS - 5_000)
    world.pass(HOUR_MS - 1_000)
    await world.ring()
    expect([states(), asked()]).toEqual([['scheduled', 'scheduled'], 0])
    world.pass(1_000)
    await world.evict()
    await world.settle()
    expect(states()).toEqual(['scheduled', 'delivered'])
    const waitMs = (await world.alarmIn()) ?? 0
    expect(Math.abs(waitMs - HOUR_MS)).toBeLessThan(5_000)
    expect(await world.kept()).toEqual({})
  })

  test('P81: is told to sockets when it is delivered, and told once though the feed brings it', async () => {
    const { database } = world
    const tab = await world.connect()
    await tab.frame('hello')
    database.insert({ deliver_at: database.time(60_000) })
    await world.catchUp()
    expect(await tab.frames()).toEqual([])
    world.pass(61_000)
    await world.evict()
    await world.settle()
    expect(await tab.frame('notifications')).toMatchObject({ notifications: [{ id: 1 }] })
    await world.catchUp()
    expect(await tab.frames()).toEqual([])
  })

  test('P81: an object whose clock is fast asks, and waits on as Postgres says', async () => {
    const { database } = world
    database.insert({ deliver_at: database.time(60_000) })
    await world.catchUp()
    // Its own clock is a minute ahead.
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 61_000)
    await world.ring()
    expect(states()).toEqual(['scheduled'])
    expect(asked()).toBe(1)
    expect(await world.alarmIn()).toBeGreaterThan(50_000)
  })

  test('P81: cancelled or put off is not delivered; put forward is', async () => {
    const { database } = world
    for (let n = 0; n < 3; n++) database.insert({ deliver_at: database.time(HOUR_MS) })
    await world.catchUp()
    database.update(1, { state: 'cancelled', deliver_at: null })
    database.update(2, { deliver_at: database.time(3 * HOUR_MS) })
    database.update(3, { deliver_at: database.time(60_000) })
    await world.catchUp()
    await world.evict()
    world.pass(61_000)
    await world.settle()
    expect(states()).toEqual(['cancelled', 'scheduled', 'delivered'])
    world.pass(HOUR_MS)
    await world.settle()
    expect(states()).toEqual(['cancelled', 'scheduled', 'delivered'])
    world.pass(3 * HOUR_MS)
    await world.settle()
    expect(states()).toEqual(['cancelled', 'delivered', 'delivered'])
  })

  test('P81: hundreds that are due together all are', async () => {
    const { database } = world
    const at = database.time(60_000)
    database.insertMany(350, () => ({ deliver_at: at }))
    await world.catchUp()
    world.pass(61_000)
    await world.settle()
    expect(new Set(states())).toEqual(new Set(['delivered']))
    expect(asked()).toBe(4)
  })

  test('P81: what nobody told of is found when the inbox is woken', async () => {
    const { database, inbox } = world
    database.insert({ deliver_at: database.time(1_000) })
    world.pass(2_000)
    await inbox.wake()
    await world.evict()
    await world.settle()
    expect(states()).toEqual(['delivered'])
  })

  test('P81: heard of while Postgres is asked is not forgotten', async () => {
    const { database } = world
    database.insert({ deliver_at: database.time(1_000) })
    await world.catchUp()
    world.pass(2_000)
    database.script.push(async () => {
      const notifications = [database.deliver(1)]
      // Committed after the statement began.
      database.insert({ deliver_at: database.time(60_000) })
      await world.catchUp()
      return database.answers([{ notifications, next_ms: null }])
    })
    await world.ring()
    expect(states()).toEqual(['delivered', 'scheduled'])
    world.pass(61_000)
    await world.evict()
    await world.settle()
    expect(states()).toEqual(['delivered', 'delivered'])
  })

  test('P81: while Postgres cannot be asked it is tried again with backoff, for ever', async () => {
    const { database } = world
    database.insert({ deliver_at: database.time(1_000) })
    await world.catchUp()
    world.pass(2_000)
    database.isDown = true
    for (let attempt = 1; attempt <= 15; attempt++) {
      await world.ring()
      const waitMs = (await world.alarmIn()) ?? Number.POSITIVE_INFINITY
      expect(waitMs).toBeGreaterThan(0)
      expect(waitMs).toBeLessThanOrEqual(300_000)
      world.pass(waitMs)
      if (attempt % 5 === 0) await world.evict()
    }
    expect(asked()).toBe(15)
    expect(warned.filter((line) => line.includes('an inbox waits for Postgres'))).toHaveLength(15)
    database.isDown = false
    await world.ring()
    expect(states()).toEqual(['delivered'])
  })
})

describe('what Postgres refuses to deliver', () => {
  test('P89: holds back no other, and is parked with its reason after 8 attempts', async () => {
    const { database } = world
    const at = database.time(60_000)
    database.insertMany(12, () => ({ deliver_at: at }))
    database.poisoned.add(5)
    await world.catchUp()
    world.pass(61_000)
    await world.ring()
    expect(states().filter((state) => state === 'delivered')).toHaveLength(11)
    for (let attempt = 2; attempt <= MAX_ATTEMPTS; attempt++) {
      expect(database.rows.get(5)).toMatchObject({ state: 'scheduled', problem: null })
      const waitMs = (await world.alarmIn()) ?? 0
      expect(waitMs).toBeGreaterThan(0)
      world.pass(waitMs)
      await world.evict()
      await world.ring()
    }
    expect(database.rows.get(5)).toMatchObject({
      state: 'parked',
      problem: 'Postgres refused 8 times to deliver it: a trigger raised (SQLSTATE P0001)',
    })
    expect(await world.alarmIn()).toBeNull()
    expect(warned.filter((line) => line.includes('a notification is refused'))).toHaveLength(8)
  })

  test('P89: redriven by a person is tried at once', async () => {
    const { database } = world
    database.insert({ deliver_at: database.time(1_000) })
    database.poisoned.add(1)
    await world.catchUp()
    world.pass(2_000)
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      await world.ring()
      world.pass((await world.alarmIn()) ?? 0)
    }
    expect(states()).toEqual(['parked'])
    database.poisoned.clear()
    database.update(1, { state: 'scheduled', problem: null, deliver_at: database.time() })
    world.pass(1)
    await world.catchUp()
    await world.settle()
    expect(states()).toEqual(['delivered'])
  })

  test('P89: others that come due meanwhile are delivered on time', async () => {
    const { database } = world
    database.insert({ deliver_at: database.time(1_000) })
    database.insert({ deliver_at: database.time(4_000) })
    database.poisoned.add(1)
    await world.catchUp()
    vi.spyOn(Math, 'random').mockReturnValue(0.99)
    world.pass(2_000)
    await world.ring()
    expect(await world.alarmIn()).toBeLessThanOrEqual(2_000)
    world.pass(2_500)
    await world.ring()
    expect(states()).toEqual(['scheduled', 'delivered'])
    // Its own time has not come.
    expect(warned.filter((line) => line.includes('a notification is refused'))).toHaveLength(1)
  })
})

describe('what expires', () => {
  test('P82: leaves the list and the counts at its time, and sockets hear of it', async () => {
    const { database } = world
    database.insert({ expires_at: database.time(60_000) })
    database.insert()
    await world.catchUp()
    const tab = await world.connect()
    await tab.frame('hello')
    await world.evict()
    expect(await world.alarmIn()).toBeLessThanOrEqual(60_000)
    world.pass(60_001)
    expect(await world.counts()).toEqual({ unseen: 1, unread: 1, capped: false })
    expect(await tab.frame('notifications')).toMatchObject({ removed: [1], counts: { unread: 1 } })
  })

  test('P82: before what is kept lets Postgres count again', async () => {
    const { database } = world
    database.insert({ expires_at: database.time(60_000) })
    database.insertMany(104)
    expect(await world.counts()).toMatchObject({ unread: 105 })
    await world.evict()
    world.pass(60_001)
    await world.settle()
    expect(await world.counts()).toMatchObject({ unread: 104 })
  })
})

describe('what comes late', () => {
  test('P82: though the list was opened since its delivery, is marked unseen in Postgres', async () => {
    const { database } = world
    await world.list()
    // Committed only after the list was opened.
    const delivered = database.insert()
    const user = database.markAll('seen')
    await world.inbox.written({ notifications: [], user }, FEED)
    await world.catchUp()
    await world.evict()
    await world.settle()
    expect(database.rows.get(Number(delivered.id))?.unseen_at).not.toBeNull()
    expect(await world.counts()).toEqual({ unseen: 1, unread: 1, capped: false })
    await world.catchUp()
    await world.settle()
    expect(database.rows.get(Number(delivered.id))?.version).toBe(2)
  })

  test('P82: also when it is who wrote it that tells of it', async () => {
    const { database, inbox } = world
    await world.list()
    const inserted = database.insert()
    const user = database.markAll('seen')
    await inbox.written({ notifications: [], user }, FEED)
    await inbox.tell({ notifications: [inserted], user: null })
    await world.settle()
    expect(await world.counts()).toMatchObject({ unseen: 1 })
  })

  test('P82: is marked once Postgres can be asked', async () => {
    const { database } = world
    await world.list()
    database.insert()
    const user = database.markAll('seen')
    await world.inbox.written({ notifications: [], user }, FEED)
    database.isDown = true
    await world.catchUp()
    await world.ring()
    expect(await world.counts()).toMatchObject({ unseen: 0 })
    database.isDown = false
    await world.evict()
    await world.settle()
    expect(await world.counts()).toMatchObject({ unseen: 1 })
  })

  test('P82: but was marked, imported with its own time, known or loaded, stays as it is', async () => {
    const { database, inbox } = world
    database.insertMany(2)
    await world.list()
    const known = database.insert()
    await inbox.written({ notifications: [known], user: null }, FEED)
    database.insert({ read_at: database.time() })
    database.insert({ delivered_at: database.time(-HOUR_MS) })
    const user = database.markAll('seen')
    await inbox.written({ notifications: [], user }, FEED)
    await world.catchUp()
    await world.settle()
    expect([...database.rows.values()].every(({ unseen_at }) => unseen_at === null)).toBe(true)
    expect(await world.counts()).toEqual({ unseen: 0, unread: 4, capped: false })
  })
})
