import { describe, expect, it } from 'vitest'
import { OVERDUE } from '../../worker/feed/overdue.ts'
import { servers, session } from '../support/database.ts'
import { WatchedDatabase } from '../support/watched-database.ts'
import { Notified } from './notified.ts'

const FAR = '2031-01-15T20:00:00Z'

describe.each(servers)('delivering what is due on $name', (server) => {
  const db = WatchedDatabase.on(server)
  const at = new Notified(db)
  const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString()

  it('P81 delivers what is due, none of it early, and says when to come again', async () => {
    const user = await at.user()
    const [soon, later] = [
      await at.notify(user, { scheduled_at: inMinutes(10) }),
      await at.notify(user, { scheduled_at: inMinutes(60) }),
    ]
    const early = await at.deliverDue(user)
    expect(early.notifications).toEqual([])
    expect(early.next_ms).toBeGreaterThan(9 * 60_000)
    expect(early.next_ms).toBeLessThanOrEqual(10 * 60_000)
    await at.later(user, '10 minutes')
    const { notifications, next_ms } = await at.deliverDue(user)
    expect(notifications).toMatchObject([{ id: Number(soon.id), state: 'delivered' }])
    expect(next_ms).toBeGreaterThan(49 * 60_000)
    const { deliver_at, delivered_at } = await at.told(soon.id)
    expect(delivered_at?.getTime()).toBeGreaterThanOrEqual(deliver_at?.getTime() ?? Infinity)
    await at.change('notifications', later.id, "state = 'cancelled'")
    expect(await at.deliverDue(user)).toEqual({ notifications: [], next_ms: null })
  })

  it('P81 a part at a time, the longest due first', async () => {
    const user = await at.user()
    const ids: number[] = []
    for (const minutes of [3, 1, 2])
      ids.push(Number((await at.notify(user, { scheduled_at: inMinutes(minutes) })).id))
    await at.later(user, '1 hour')
    const { notifications, next_ms } = await at.deliverDue(user, 2)
    expect(notifications.map(({ id }) => id)).toEqual([ids[1], ids[2]])
    expect(next_ms).toBeLessThan(0)
    expect((await at.deliverDue(user, 2)).notifications.map(({ id }) => id)).toEqual([ids[0]])
  })

  it('P81 nobody else’s, and nothing of somebody who is not there', async () => {
    const [one, two] = [await at.user(), await at.user()]
    await at.notify(two, { scheduled_at: inMinutes(1) })
    await at.later(two, '1 hour')
    expect(await at.deliverDue(one)).toEqual({ notifications: [], next_ms: null })
    expect(await at.deliverDue('0')).toEqual({ notifications: [], next_ms: null })
  })

  it('P81 what became unwanted or expired by then is declined instead, though nobody planned it again', async () => {
    const user = await at.user()
    const [expired, fine] = [
      await at.notify(user, { scheduled_at: inMinutes(1), expires_at: inMinutes(2) }),
      await at.notify(user, { scheduled_at: inMinutes(1) }),
    ]
    await at.later(user, '1 hour')
    expect((await at.deliverDue(user)).notifications).toMatchObject([{ id: Number(fine.id) }])
    expect(await at.told(expired.id)).toMatchObject({
      ...{ state: 'declined', problem: 'It expired before it was delivered.' },
    })
    const { id } = await at.notify(user, { scheduled_at: inMinutes(1) })
    await at.later(user, '1 hour')
    await db.run(`ALTER TABLE users DISABLE TRIGGER users_wishes_changed;
      UPDATE users SET can_receive_notifications = false WHERE id = ${user};
      ALTER TABLE users ENABLE TRIGGER users_wishes_changed`)
    expect((await at.deliverDue(user)).notifications).toEqual([])
    expect(await at.told(id)).toMatchObject({ state: 'declined' })
  })

  it('P81 two at the same time deliver each once, and a cancellation that came first holds', async () => {
    const user = await at.user()
    const { id } = await at.notify(user, { scheduled_at: inMinutes(1) })
    const { id: cancelled } = await at.notify(user, { scheduled_at: inMinutes(2) })
    await at.later(user, '1 hour')
    await db.changes()
    const other = await session(db.address.url)
    await other.query('BEGIN')
    await other.query('SELECT belfry.deliver_due($1, 1)', [user])
    await other.query("UPDATE notifications SET state = 'cancelled' WHERE id = $1", [cancelled])
    const waiting = at.deliverDue(user)
    await untilBlocked()
    await other.query('COMMIT')
    expect((await waiting).notifications).toEqual([])
    expect(await at.told(cancelled)).toMatchObject({ state: 'cancelled' })
    expect(await at.told(id)).toMatchObject({ state: 'delivered', version: 2 })
    const became = (await db.changes()).filter(({ new: row }) => row?.state === 'delivered')
    expect(became).toHaveLength(1)
  })

  /** On a connection of its own, as that of `db` is the one that waits. */
  async function untilBlocked(sessions = 1): Promise<void> {
    const watcher = await session(db.address.url)
    for (const end = Date.now() + 10_000; Date.now() < end; ) {
      const { rowCount } = await watcher.query(`SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`)
      if (rowCount === sessions) return
    }
    throw new Error(`not ${sessions} sessions wait for a lock`)
  }

  it('P81 changed wishes and a delivery at the same moment take turns', async () => {
    const user = await at.user()
    for (const minutes of [3, 2, 1]) await at.notify(user, { scheduled_at: inMinutes(minutes) })
    await at.later(user, '1 hour')
    const [holder, one, two] = [
      await session(db.address.url),
      await session(db.address.url),
      await session(db.address.url),
    ]
    await holder.query('BEGIN')
    await holder.query(
      `SELECT FROM notifications WHERE id = (SELECT max(id) FROM notifications WHERE user_id = $1) FOR UPDATE`,
      [user],
    )
    const delivering = one.query('SELECT belfry.deliver_due($1, 100)', [user])
    await untilBlocked(1)
    const wishing = two.query("UPDATE users SET time_zone = 'Europe/Berlin' WHERE id = $1", [user])
    await untilBlocked(2)
    await holder.query('COMMIT')
    await Promise.all([delivering, wishing])
    expect(
      await db.run('SELECT DISTINCT state FROM notifications WHERE user_id = $1', [user]),
    ).toEqual([{ state: 'delivered' }])
  })

  describe('P85 a digest', () => {
    it('tells once of what it brings, in a notification that stands in no inbox', async () => {
      const user = await at.user({ digest: 'hourly' })
      const mute = await at.notify(user, { title: 'Silent', category: 'offers' })
      const [one, two] = [
        await at.notify(user, { title: 'One', category: 'orders', link: '/1' }),
        await at.notify(user, { title: 'Two' }),
      ]
      await at.prefer(user, 'offers', 'mail', false)
      await at.prefer(user, 'offers', 'webhook', false)
      await at.later(user, '1 hour')
      await db.changes()
      const { notifications } = await at.deliverDue(user)
      expect(notifications.map(({ id }) => id).toSorted()).toEqual(
        [mute.id, one.id, two.id].map(Number).toSorted(),
      )
      const heard = (await db.changes()).flatMap(({ new: row }) => (row ? [row] : []))
      const [digest, ...others] = heard.filter((row) => row.category === 'digest')
      expect(others).toEqual([])
      expect(digest).toMatchObject({
        ...{ title: '2 notifications', state: 'delivered', digested: false },
        ...{ to_inbox: false, to_mail: true, to_webhook: true },
        content: {
          count: 2,
          notifications: [
            { id: Number(one.id), category: 'orders', title: 'One', link: '/1' },
            { id: Number(two.id), category: 'general', title: 'Two', link: null },
          ],
        },
      })
    })

    it('of one bears its title, and of more than 20 names the first 20', async () => {
      const user = await at.user({ digest: 'daily' })
      const digests = () =>
        db.run<{ title: string; content: { count: number; notifications: unknown[] } }>(
          "SELECT title, content FROM notifications WHERE user_id = $1 AND category = 'digest' ORDER BY id",
          [user],
        )
      await at.notify(user, { title: 'Alone' })
      await at.later(user, '1 day')
      await at.deliverDue(user)
      await db.run(
        `INSERT INTO notifications (user_id, title) SELECT ${user}, 'n' || g FROM generate_series(1, 25) g`,
      )
      await at.later(user, '1 day')
      await at.deliverDue(user)
      const [alone, many] = await digests()
      expect(alone).toMatchObject({ title: 'Alone', content: { count: 1 } })
      expect(many).toMatchObject({ title: '25 notifications', content: { count: 25 } })
      expect(many?.content.notifications).toHaveLength(20)
    })
  })

  it('P81 the sweep finds whose notifications are overdue, and nobody else', async () => {
    await db.run("DELETE FROM notifications WHERE state = 'scheduled'")
    const [late, soon, other] = [await at.user(), await at.user(), await at.user()]
    for (const user of [late, late, soon]) await at.notify(user, { scheduled_at: inMinutes(60) })
    await at.notify(other, { scheduled_at: FAR })
    await at.later(late, '61 minutes')
    await at.later(soon, '60 minutes')
    expect(await db.run(OVERDUE, [1_000])).toEqual([{ id: late }])
  })
})
