import { neon, neonConfig } from '@neondatabase/serverless'
import { drizzle } from 'drizzle-orm/neon-http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { serveNeonEndpoint } from '../../dev/neon-endpoint.ts'
import { freePort } from '../../dev/ports.ts'
import { marks, notificationOf } from '../../protocol/notification.ts'
import {
  listOwnOrders,
  markAll,
  markSome,
  readBeyond,
  readOne,
  readUser,
} from '../../worker/api/me-store.ts'
import { readPreferences, writePreferences } from '../../worker/api/preference-store.ts'
import { listings } from '../../worker/inbox/door.ts'
import { asking } from '../support/asked-by.ts'
import { newestServer } from '../support/database.ts'
import { WatchedDatabase } from '../support/watched-database.ts'

/** Ada is 7, Bob is 8. Each has three notifications that are delivered, and two orders. */
const [ada, bob] = ['7', '8']
const watched = WatchedDatabase.on(newestServer)
let endpoint: Awaited<ReturnType<typeof serveNeonEndpoint>>

beforeAll(async () => {
  endpoint = await serveNeonEndpoint(watched.address.workerUrl, await freePort())
  neonConfig.fetchEndpoint = () => endpoint.url
})
afterAll(() => endpoint.close())

beforeEach(() =>
  watched.run(`
    TRUNCATE users, notifications, orders, preferences, notification_categories, belfry.audit CASCADE;
    INSERT INTO users (id, name) VALUES (7, 'Ada'), (8, 'Bob');
    INSERT INTO notifications (id, user_id, title, content)
      SELECT u * 10 + n, u, 'of ' || u, '{"big": 9007199254740993}' FROM generate_series(7, 8) u, generate_series(1, 3) n;
    INSERT INTO notifications (id, user_id, title, scheduled_at) VALUES (79, 7, 'later', now() + interval '1 day');
    INSERT INTO notifications (id, user_id, title, expires_at) VALUES (78, 7, 'gone', now() + interval '1 hour');
    ALTER TABLE notifications DISABLE TRIGGER USER;
    UPDATE notifications SET expires_at = now() - interval '1 s' WHERE id = 78;
    ALTER TABLE notifications ENABLE TRIGGER USER;
    INSERT INTO orders (id, customer_id, customer_name, product_name, amount)
      SELECT u * 10 + n, u, 'of ' || u, 'Bell', 1 FROM generate_series(7, 8) u, generate_series(1, 2) n;
    INSERT INTO orders (id, customer_name, product_name, amount) VALUES (99, 'nobody', 'Bell', 1)`),
)

const db = () => drizzle(neon(watched.address.workerUrl))
type Wanted = Parameters<typeof writePreferences>
const write = (user: string, wishes: Wanted[2], categories: Wanted[3], ifMatch = '*') =>
  asking(
    { DATABASE_URL: watched.address.workerUrl, NEON_ENDPOINT: endpoint.url },
    { 'asked-by': `user:${user}`, 'if-match': ifMatch },
    (c) => writePreferences(c, user, wishes, categories),
  )
const all = { category: null, before: null, limit: 100 }
const bobs = () =>
  watched.run<{ n: object; u: object }>(
    'SELECT to_json(n) AS n, to_json(u) AS u FROM notifications n JOIN users u ON u.id = n.user_id WHERE u.id = 8 ORDER BY n.id',
  )

describe('P90 what a user’s requests ask of Postgres', () => {
  it('another’s notification is not there to read, and neither is one that is not in the inbox', async () => {
    const found = await readOne(db(), ada, 71)
    expect(found?.notification).toMatchObject({ id: 71, content: { big: '9007199254740993' } })
    expect(found?.user).toMatchObject({ id: 7 })
    for (const id of [81, 79, 78, 1_000, Number.MAX_SAFE_INTEGER])
      expect(await readOne(db(), ada, id)).toBeNull()
  })

  it('another’s notifications are not marked, alone or among one’s own', async () => {
    const before = await bobs()
    for (const mark of marks)
      for (const undo of [false, true]) {
        const marked = await markSome(db(), ada, { ids: [81, 71, 82, 79, 999], mark, undo })
        expect(marked.notifications.map(({ id }) => id)).toEqual([71])
        expect(marked.user).toMatchObject({ id: 7 })
        expect(await markSome(db(), ada, { ids: [81, 82, 83], mark, undo })).toMatchObject({
          notifications: [],
        })
      }
    expect(await bobs()).toEqual(before)
  })

  it('marking all, and taking it back, is of one’s own', async () => {
    const before = await bobs()
    for (const mark of marks) {
      const marked = await markAll(db(), ada, { mark, through: null, undo: false })
      expect(marked).toMatchObject({ user: { id: 7 }, before: null })
      await markAll(db(), ada, { mark, through: null, undo: true })
    }
    expect(await bobs()).toEqual(before)
    expect(await markAll(db(), '9', { mark: 'read', through: null, undo: false })).toBeNull()
  })

  it('what is older than the object keeps is one’s own, from whatever place on', async () => {
    const places = [null, { delivered_at: '9999-01-01T00:00:00.000000+00:00', id: 83 }]
    for (const listing of listings)
      for (const before of places) {
        const rows = await readBeyond(db(), ada, { ...all, listing, before })
        expect(rows.map(({ id }) => id)).toEqual(listing === 'archived' ? [] : [73, 72, 71])
      }
    const [newest] = await readBeyond(db(), ada, { ...all, listing: 'all' })
    const user = await readUser(db(), ada)
    if (!newest || !user) throw new Error('nothing was found')
    const place = notificationOf(newest, user)
    const next = await readBeyond(db(), ada, { ...all, listing: 'all', before: place, limit: 1 })
    expect(next.map(({ id }) => id)).toEqual([72, 71])
  })

  it('orders are those of which the user is the customer', async () => {
    const ids = async (user: string, before: number | null, limit = 50) =>
      (await listOwnOrders(db(), user, { before, limit })).map(({ id }) => id)
    expect(await ids(ada, null)).toEqual([72, 71])
    expect(await ids(ada, 1_000, 1)).toEqual([72, 71])
    expect(await ids(ada, 72)).toEqual([71])
    expect(await ids(bob, 82)).toEqual([81])
    expect(await ids('9', null)).toEqual([])
  })

  it('the user is who asks, with times in UTC whatever the session has set', async () => {
    await watched.run(`ALTER DATABASE ${watched.address.name} SET timezone = 'Asia/Kathmandu'`)
    try {
      await endpoint.close()
      endpoint = await serveNeonEndpoint(watched.address.workerUrl, await freePort())
      expect(await readUser(db(), ada)).toMatchObject({
        id: 7,
        created_at: expect.stringMatching(/\+00:00$/),
      })
      expect((await readOne(db(), ada, 71))?.notification.delivered_at).toMatch(/\+00:00$/)
      const marked = await markSome(db(), ada, { ids: [71], mark: 'read', undo: false })
      expect(marked.notifications[0]?.read_at).toMatch(/\+00:00$/)
    } finally {
      await watched.run(`ALTER DATABASE ${watched.address.name} RESET ALL`)
      await endpoint.close()
      endpoint = await serveNeonEndpoint(watched.address.workerUrl, await freePort())
    }
    expect(await readUser(db(), '9')).toBeNull()
  })
})

describe('preferences', () => {
  const categories = async (user: string, asked?: string[]) =>
    Object.fromEntries(
      ((await readPreferences(db(), user, asked))?.categories ?? []).map(({ name, ...on }) => [
        name,
        on,
      ]),
    )
  const on = { inbox: true, mail: true, webhook: true, critical: false }

  it('P85 lists what is registered, what rules write of, and what was said; critical is on', async () => {
    await watched.run(`
      INSERT INTO notification_categories (name, critical) VALUES ('security', true);
      INSERT INTO preferences VALUES (7, 'security', 'mail', false), (7, 'news', 'mail', false), (8, 'secret', 'mail', false)`)
    expect(await categories(ada)).toEqual({
      general: on,
      orders: on,
      security: { ...on, critical: true },
      news: { ...on, mail: false },
    })
    expect(await readPreferences(db(), '9')).toBeNull()
  })

  it('P90 of what was asked about, only what the user was sent', async () => {
    await watched.run(`
      INSERT INTO notifications (user_id, category, title) VALUES (7, 'promo', 'x'), (8, 'private', 'x')`)
    expect(Object.keys(await categories(ada, ['promo', 'private', "x'; --"]))).toEqual([
      'general',
      'orders',
      'promo',
    ])
  })

  it('writes wishes and switches together, of one user, and again only what is another', async () => {
    const wishes = { quiet_hours: { from: '22:00', to: '07:00' }, digest: 'daily' as const }
    const news = { name: 'news', mail: false, inbox: undefined }
    await write(ada, wishes, [news, { name: 'orders', webhook: false, inbox: true }])
    const found = await readPreferences(db(), ada)
    expect(found?.user).toMatchObject({ quiet_from: '22:00:00', digest: 'daily', version: 2 })
    expect(await categories(ada)).toMatchObject({
      news: { ...on, mail: false },
      orders: { ...on, webhook: false },
    })
    expect(await categories(bob)).toEqual({ general: on, orders: on })
    expect((await readPreferences(db(), bob))?.user).toMatchObject({ digest: 'off', version: 1 })
    await watched.changes()
    await write(ada, {}, [{ name: 'news', mail: false }])
    expect(await watched.changes()).toEqual([])
  })

  it('P99 only what has not changed since it was read, and P104 writes down who changed it', async () => {
    const tag = async () => `"${(await readPreferences(db(), ada))?.tag}"`
    const first = await tag()
    await watched.run("INSERT INTO notification_categories (name) VALUES ('news')")
    expect(await tag()).toBe(first)
    await write(ada, {}, [{ name: 'news', mail: false }], first)
    expect(await tag()).not.toBe(first)
    await expect(write(ada, { digest: 'hourly' }, [], first)).rejects.toMatchObject({ status: 412 })
    const second = await tag()
    await write(ada, { digest: 'daily' }, [], second)
    expect(await tag()).not.toBe(second)
    expect(
      await watched.run(
        'SELECT principal, action, "table", key, changed FROM belfry.audit ORDER BY id',
      ),
    ).toMatchObject([
      { principal: 'user:7', table: 'preferences', key: '7', changed: { news: { mail: false } } },
      { principal: 'user:7', table: 'users', key: '7', changed: { digest: ['off', 'daily'] } },
    ])
  })

  it('all of it or nothing', async () => {
    await expect(write(ada, { digest: 'hourly' }, [{ name: ' ', mail: false }])).rejects.toThrow()
    expect((await readPreferences(db(), ada))?.user).toMatchObject({ digest: 'off' })
  })
})
