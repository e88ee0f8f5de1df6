import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { closeCodes } from '../../protocol/close-codes.ts'
import { inboxFrame } from '../../protocol/inbox-frames.ts'
import { STRAYS, TOMBSTONES, WINDOW } from '../../worker/inbox/copy.ts'
import { MAX_SOCKETS } from '../../worker/inbox/sockets.ts'
import { FEED, InboxWorld, type Tab } from './inbox-world.ts'

let world: InboxWorld

beforeEach(() => {
  world = new InboxWorld()
  vi.spyOn(console, 'warn').mockReturnValue()
})
afterEach(async () => {
  await world.end()
  vi.restoreAllMocks()
})

async function greeted(query = ''): Promise<Tab> {
  const tab = await world.connect(query)
  await tab.frame('hello')
  return tab
}

async function position(): Promise<{ epoch: string; offset: number }> {
  const standing = await world.inbox.standing(FEED)
  if (!standing) throw new Error('there is such a user')
  return standing.position
}

describe('a socket', () => {
  test('P82: every one of a user’s hears each move, through evictions', async () => {
    const { database, inbox } = world
    database.insertMany(2)
    const tabs = [await greeted(), await greeted()]
    const { epoch } = await position()
    database.insert({ title: 'News' })
    await world.catchUp()
    await world.evict()
    await inbox.written({ notifications: [database.mark(1, 'read')], user: null }, FEED)
    await world.evict()
    const through = database.markAll('seen')
    await inbox.written({ notifications: [], user: through }, FEED)
    database.delete(2)
    await world.catchUp()
    for (const tab of tabs) {
      const frames = await tab.frames()
      for (const frame of frames) expect(inboxFrame.parse(frame)).toEqual(frame)
      const moved = { type: 'notifications', epoch }
      expect(frames).toMatchObject([
        { ...moved, after: 0, through: 1, notifications: [{ id: 3, title: 'News', seen: false }] },
        { ...moved, after: 1, through: 2, notifications: [{ id: 1, read: true }] },
        {
          ...{ ...moved, after: 2, through: 3, notifications: [] },
          ...{ all: { seen: through.last_opened_at }, counts: { unseen: 0, unread: 2 } },
        },
        { ...moved, after: 3, through: 4, removed: [2], counts: { unseen: 0, unread: 1 } },
      ])
    }
  })

  test('P82: hears nothing of what moves nothing', async () => {
    const { database, inbox } = world
    database.insertMany(1)
    const tab = await greeted()
    const again = database.mark(1, 'seen')
    await inbox.written({ notifications: [again], user: null }, FEED)
    await world.catchUp()
    await inbox.hear(database.log, FEED)
    database.changeUser({ name: 'Ada Lovelace' })
    database.insert({ to_inbox: false })
    database.insert({ deliver_at: database.time(60_000) })
    await world.catchUp()
    expect(await tab.frames()).toHaveLength(1)
  })

  test('P82: a mark for all names those whose own was taken back later', async () => {
    const { database } = world
    database.insertMany(3)
    await world.catchUp()
    const tab = await greeted()
    const through = database.time()
    database.mark(2, 'read', true)
    await world.catchUp()
    await tab.frame('notifications')
    database.markAll('read', through)
    await world.catchUp()
    expect(await tab.frame('notifications')).toMatchObject({
      all: { read: through },
      notifications: [{ id: 2, read: false }],
      counts: { unread: 1 },
    })
  })

  test('P83: says ping and hears pong, and nothing else may be said', async () => {
    const [polite, rude] = [await greeted(), await greeted()]
    polite.socket.send('ping')
    rude.socket.send('x'.repeat(100_000))
    expect(await rude.closed).toMatchObject({ code: closeCodes.bad_frame.code })
    expect(await polite.socket.text()).toBe('pong')
    world.database.insert()
    await world.catchUp()
    await polite.frame('notifications')
  })

  test('without an upgrade is told what this address speaks', async () => {
    expect((await world.inbox.fetch('https://inbox/?feed=feed1')).status).toBe(426)
  })

  test('P84: one more than may be open is refused, and no other', async () => {
    const tabs: Tab[] = []
    for (let n = 0; n < MAX_SOCKETS; n++) tabs.push(await world.connect())
    const refused = await (await world.connect()).closed
    expect(refused).toMatchObject({ code: closeCodes.bad_request.code })
    tabs[0]?.socket.close()
    await tabs[0]?.closed
    await vi.waitFor(async () => expect(await (await world.connect()).frame('hello')).toBeTruthy())
  })

  test('P84: of one who never reads is closed, and no other', async () => {
    const { database } = world
    const tab = await greeted()
    const long = { text: 'x'.repeat(64_000) }
    // As if all that follows was sent in one moment.
    const now = Date.now()
    vi.spyOn(Date, 'now').mockReturnValue(now)
    for (let n = 0; n < 5; n++) {
      database.insertMany(90, () => ({ content: long }))
      await world.catchUp()
    }
    expect(await tab.closed).toMatchObject({ code: closeCodes.too_slow.code })
  })
})

describe('who resumes', () => {
  test('P83: is told all that moved since, as it is now, and nothing twice', async () => {
    const { database } = world
    database.insertMany(4)
    await world.catchUp()
    const from = await position()
    database.mark(1, 'read')
    await world.catchUp()
    const later = await position()
    database.mark(1, 'read', true)
    database.delete(2)
    database.insert()
    const user = database.markAll('seen')
    await world.catchUp()
    await world.evict()
    const tab = await world.connect(`&epoch=${from.epoch}&after=${from.offset}`)
    const here = await position()
    expect(await tab.frames()).toMatchObject([
      { type: 'hello', after: from.offset, counts: { unseen: 0, unread: 4 } },
      {
        ...{ type: 'notifications', after: from.offset, through: here.offset, removed: [2] },
        all: { seen: user.last_opened_at },
        notifications: [
          { id: 1, read: false },
          { id: 5, seen: true },
        ],
      },
    ])
    const since = await world.connect(`&epoch=${later.epoch}&after=${later.offset}`)
    expect(await since.frames()).toMatchObject([{ type: 'hello' }, { after: later.offset }])
    const there = await world.connect(`&epoch=${here.epoch}&after=${here.offset}`)
    expect(await there.frames()).toMatchObject([{ type: 'hello', after: here.offset }])
  })

  test('P83: is told of what moved before what is kept, too', async () => {
    const { database } = world
    database.insertMany(WINDOW + 10)
    const from = await position()
    world.told = database.log.length
    database.mark(3, 'archived')
    database.delete(4)
    await world.catchUp()
    await world.evict()
    await world.settle()
    const tab = await world.connect(`&epoch=${from.epoch}&after=${from.offset}`)
    expect(await tab.frames()).toMatchObject([
      { type: 'hello' },
      { notifications: [{ id: 3, archived: true }], removed: [4], counts: { unread: 108 } },
    ])
  })

  test.each([
    ['another epoch', 'epoch', () => '&epoch=another&after=1'],
    ['an offset that is ahead', 'ahead', (epoch: string) => `&epoch=${epoch}&after=999`],
    ['a place that is forgotten', 'pruned', (epoch: string) => `&epoch=${epoch}&after=0`],
  ] as const)('P83: from %s is told to read again', async (_what, reason, query) => {
    const { database } = world
    database.insertMany(3)
    const { epoch } = await position()
    for (let n = 0; n < TOMBSTONES + STRAYS + 2; n++) database.delete(Number(database.insert().id))
    await world.catchUp()
    const tab = await world.connect(query(epoch))
    const { offset } = await position()
    const counts = { unseen: 3, unread: 3, capped: false }
    expect(await tab.frames()).toEqual([
      { type: 'hello', protocol: 1, epoch, after: offset, counts },
      { type: 'reset', reason, epoch, head: offset, counts },
    ])
    database.insert()
    await world.catchUp()
    expect(await tab.frame('notifications')).toMatchObject({ after: offset })
  })

  test.each(['&after=x', '&epoch=abc', '&epoch=a&after=-1', '&after=', '&epoch=A!&after=1'])(
    'P83: with %s is told that it is no position',
    async (query) => {
      expect(await (await world.connect(query)).closed).toMatchObject({
        code: closeCodes.bad_request.code,
      })
    },
  )
})

describe('the feed', () => {
  test('P84: while sockets are open its life is looked at, though nothing is heard', async () => {
    const { database } = world
    database.insertMany(1)
    const tab = await greeted()
    expect(await world.alarmIn()).toBeLessThanOrEqual(600_000)
    await world.evict()
    const later = Date.now() + 600_001
    vi.spyOn(Date, 'now').mockReturnValue(later)
    // The feed of these tests is in a life of its own, which nobody has named yet.
    await world.ring()
    await world.settle()
    expect(await tab.frame('reset')).toMatchObject({ reason: 'epoch' })
    expect(await world.alarmIn()).toBeGreaterThan(500_000)
    tab.socket.close()
    await tab.closed
  })

  test('P84: nobody looks while no socket is open', async () => {
    await world.list()
    expect(await world.alarmIn()).toBeNull()
  })
})
