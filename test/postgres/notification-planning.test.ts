import { describe, expect, it, test } from 'vitest'
import { once, servers } from '../support/database.ts'
import { WatchedDatabase } from '../support/watched-database.ts'
import { Notified } from './notified.ts'

const FAR = '2031-01-15T20:00:00Z'

describe.each(servers)('planning a notification on $name', (server) => {
  const db = WatchedDatabase.on(server)
  const at = new Notified(db)

  describe('P80 when it is written', () => {
    it('is delivered at once, or scheduled, by the clock of the server', async () => {
      const user = await at.user()
      const [{ before }] = (await db.run<{ before: Date }>(
        'SELECT clock_timestamp() AS before',
      )) as [{ before: Date }]
      const now = await at.notify(user)
      expect(now).toMatchObject({ state: 'delivered', problem: null, version: 1 })
      expect(now.delivered_at?.getTime()).toBeGreaterThanOrEqual(before.getTime())
      expect(now.deliver_at).toEqual(now.delivered_at)
      const past = await at.notify(user, { scheduled_at: '2020-01-01T00:00:00Z' })
      expect(past.state).toBe('delivered')
      const future = await at.notify(user, { scheduled_at: FAR })
      expect(future).toMatchObject({ state: 'scheduled', delivered_at: null })
      expect(future.deliver_at).toEqual(new Date(FAR))
    })

    it('is declined to who opted out, and the row says why', async () => {
      const user = await at.user({ can_receive_notifications: false })
      for (const scheduled_at of [null, FAR])
        expect(await at.notify(user, { scheduled_at })).toMatchObject({
          ...{ state: 'declined', deliver_at: null, delivered_at: null },
          problem: 'The user receives no notifications.',
        })
    })

    it('is declined if it is wanted over no channel, and goes over those on which it is', async () => {
      const user = await at.user()
      await at.prefer(user, 'offers', 'inbox', false)
      await at.prefer(user, 'offers', 'mail', false)
      const offer = { category: 'offers' }
      expect(await at.notify(user, offer)).toMatchObject({
        ...{ state: 'delivered', to_inbox: false, to_mail: false, to_webhook: true },
      })
      await at.prefer(user, 'offers', 'webhook', false)
      expect(await at.notify(user, offer)).toMatchObject({
        ...{ state: 'declined', problem: 'The user wants nothing about "offers".' },
      })
      expect(await at.notify(user)).toMatchObject({ state: 'delivered', to_inbox: true })
    })

    it('is declined if it expires first', async () => {
      const user = await at.user()
      const expires_at = '2030-01-01T00:00:00Z'
      expect(await at.notify(user, { expires_at, scheduled_at: FAR })).toMatchObject({
        ...{ state: 'declined', problem: 'It expires before it can be delivered.' },
      })
      expect(await at.notify(user, { expires_at })).toMatchObject({ state: 'delivered' })
      expect(await at.notify(user, { expires_at: '2020-01-01T00:00:00Z' })).toMatchObject({
        state: 'declined',
      })
    })

    it('of history, with its time, it is taken as it is; but never as of a time to come', async () => {
      const user = await at.user({ can_receive_notifications: false })
      const delivered_at = '2020-01-01T00:00:00Z'
      const old = await at.notify(user, { state: 'delivered', delivered_at })
      expect(old).toMatchObject({ state: 'delivered', delivered_at: new Date(delivered_at) })
      const future = await at.notify(user, { state: 'delivered', delivered_at: FAR })
      expect(future.delivered_at?.getTime()).toBeLessThan(Date.parse(FAR))
    })

    test.each<[string, Record<string, unknown>]>([
      ['an insert', {}],
      ['an insert for later', { scheduled_at: FAR }],
    ])('who writes "delivered" in %s does not pass over wishes or time', async (_what, fields) => {
      const [wants, declines] = [
        await at.user(),
        await at.user({ can_receive_notifications: false }),
      ]
      const asked = { ...fields, state: 'delivered' }
      const state = 'scheduled_at' in fields ? 'scheduled' : 'delivered'
      expect(await at.notify(wants, asked)).toMatchObject({ state })
      const declined = await at.notify(declines, asked)
      expect(declined).toMatchObject({ state: 'declined' })
      await at.change('notifications', declined.id, "state = 'delivered'")
      expect(await at.told(declined.id)).toMatchObject({ state: 'declined' })
    })

    it('P81 nor in an update: what is early stays scheduled', async () => {
      const { id } = await at.notify(await at.user(), { scheduled_at: FAR })
      await at.change('notifications', id, "state = 'delivered'")
      expect(await at.told(id)).toMatchObject({ state: 'scheduled', deliver_at: new Date(FAR) })
    })

    it('delivered once, it stays so, with its time, and its user', async () => {
      const user = await at.user()
      const { id, delivered_at } = await at.notify(user)
      await at.change('notifications', id, "delivered_at = now() - interval '1 day', title = 'New'")
      expect(await at.told(id)).toMatchObject({ delivered_at, title: 'New', version: 2 })
      for (const set of [
        "state = 'scheduled'",
        "state = 'cancelled'",
        `user_id = ${await at.user()}`,
      ])
        await expect(at.change('notifications', id, set)).rejects.toMatchObject({ code: '23514' })
    })

    test.each<[string, Record<string, unknown>, string]>([
      ['a blank title', { title: ' ' }, 'notifications_title_is_one'],
      ['a title of 201 characters', { title: 'x'.repeat(201) }, 'notifications_title_is_one'],
      ['content that is a list', { content: '[]' }, 'notifications_content_is_an_object'],
      [
        'content of more than 64 kB',
        { content: JSON.stringify({ text: 'x'.repeat(65_530) }) },
        'notifications_content_is_an_object',
      ],
      ['an empty link', { link: '' }, 'notifications_link_short'],
      ['an unknown state', { state: 'lost' }, 'notifications_state_known'],
      ['a time without end', { scheduled_at: 'infinity' }, 'notifications_times_finite'],
      ['no time to expire', { expires_at: '-infinity' }, 'notifications_times_finite'],
      ['nobody', { user_id: 0 }, 'notifications_user_id_users_id_fk'],
    ])('refuses %s', async (_what, fields, constraint) => {
      const user = await at.user()
      await expect(at.notify(user, fields)).rejects.toMatchObject({ constraint })
    })

    it('an origin is taken once', async () => {
      const user = await at.user()
      const origin = `test:${user}`
      await at.notify(user, { origin })
      await expect(at.notify(user, { origin })).rejects.toMatchObject({
        constraint: 'notifications_origin_unique',
      })
    })

    it('P80 a role that may insert, and may not read wishes, notifies by them all the same', async () => {
      const user = await at.user({ can_receive_notifications: false })
      const { adminUrl } = db.address
      await once(
        adminUrl,
        'CREATE ROLE teller; GRANT teller TO app; GRANT INSERT, SELECT ON notifications TO teller',
      )
      await db.run('SET ROLE teller')
      try {
        await expect(db.run('SELECT FROM users')).rejects.toMatchObject({ code: '42501' })
        expect(await at.notify(user)).toMatchObject({ state: 'declined' })
      } finally {
        await db.run('RESET ROLE')
        await once(adminUrl, 'DROP OWNED BY teller; DROP ROLE teller')
      }
    })
  })

  describe('P81 until it is delivered', () => {
    it('cancelled it stays cancelled, and planned again it is scheduled', async () => {
      const { id } = await at.notify(await at.user(), { scheduled_at: FAR })
      await at.change('notifications', id, "state = 'cancelled'")
      expect(await at.told(id)).toMatchObject({ state: 'cancelled', deliver_at: null })
      await at.change('notifications', id, "state = 'scheduled'")
      expect(await at.told(id)).toMatchObject({ state: 'scheduled', deliver_at: new Date(FAR) })
    })

    it('another time holds, an earlier one too', async () => {
      const { id } = await at.notify(await at.user(), { scheduled_at: FAR })
      const sooner = '2030-06-01T00:00:00Z'
      await at.change('notifications', id, `scheduled_at = '${sooner}'`)
      expect(await at.told(id)).toMatchObject({ state: 'scheduled', deliver_at: new Date(sooner) })
      await at.change('notifications', id, 'scheduled_at = NULL')
      expect(await at.told(id)).toMatchObject({ state: 'delivered' })
    })

    it('another user’s wishes hold once it is theirs', async () => {
      const { id } = await at.notify(await at.user(), { scheduled_at: FAR })
      const declines = await at.user({ can_receive_notifications: false })
      await at.change('notifications', id, `user_id = ${declines}`)
      expect(await at.told(id)).toMatchObject({ state: 'declined' })
    })

    it('opting out declines it, and opting in again plans it again', async () => {
      const user = await at.user()
      const { id } = await at.notify(user, { scheduled_at: FAR })
      const { id: missed } = await at.notify(user, { scheduled_at: FAR })
      await at.change('users', user, 'can_receive_notifications = false')
      expect(await at.told(id)).toMatchObject({ state: 'declined' })
      await db.run(`ALTER TABLE notifications DISABLE TRIGGER USER;
        UPDATE notifications SET scheduled_at = now() - interval '1 hour' WHERE id = ${missed};
        ALTER TABLE notifications ENABLE TRIGGER USER`)
      await at.change('users', user, 'can_receive_notifications = true')
      expect(await at.told(id)).toMatchObject({ state: 'scheduled', problem: null })
      expect(await at.told(missed)).toMatchObject({ state: 'declined' })
    })

    it('a preference holds from when it is written to when it is gone, in its category alone', async () => {
      const user = await at.user()
      const offer = await at.notify(user, { scheduled_at: FAR, category: 'offers' })
      const other = await at.notify(user, { scheduled_at: FAR })
      await at.prefer(user, 'offers', 'mail', false)
      expect(await at.told(offer.id)).toMatchObject({ to_mail: false, state: 'scheduled' })
      expect(await at.told(other.id)).toMatchObject({ to_mail: true, version: 1 })
      await db.run("UPDATE preferences SET category = 'general' WHERE user_id = $1", [user])
      expect(await at.told(offer.id)).toMatchObject({ to_mail: true })
      expect(await at.told(other.id)).toMatchObject({ to_mail: false })
      await db.run('DELETE FROM preferences WHERE user_id = $1', [user])
      expect(await at.told(other.id)).toMatchObject({ to_mail: true })
    })

    it('a user who goes takes it along, and their preferences, and is no more in orders', async () => {
      const user = await at.user()
      const { id } = await at.notify(user, { scheduled_at: FAR })
      await at.notify(user)
      await at.prefer(user, 'general', 'mail', false)
      await db.run(`INSERT INTO orders (customer_name, product_name, amount, customer_id)
                    VALUES ('Ada', 'Bell', 1, ${user})`)
      await db.changes()
      await db.run('DELETE FROM users WHERE id = $1', [user])
      expect(await at.told(id)).toBeUndefined()
      const heard = (await db.changes()).map(({ table, op }) => `${op} ${table}`).toSorted()
      expect(heard).toEqual([
        ...['delete notifications', 'delete notifications', 'delete preferences', 'delete users'],
        ...['insert revocations', 'update orders'],
      ])
    })
  })

  describe('P85 a critical category', () => {
    it('cannot be switched off, held back or digested, but by opting out of everything', async () => {
      await db.run("INSERT INTO notification_categories (name, critical) VALUES ('alarms', true)")
      const user = await at.user({ quiet_from: '00:00', quiet_to: '23:59:59', digest: 'daily' })
      for (const channel of ['inbox', 'mail', 'webhook'])
        await at.prefer(user, 'alarms', channel, false)
      expect(await at.notify(user, { category: 'alarms' })).toMatchObject({
        ...{ state: 'delivered', digested: false, to_inbox: true, to_mail: true, to_webhook: true },
      })
      expect(await at.notify(user)).toMatchObject({ state: 'scheduled', digested: true })
      await at.change('users', user, 'can_receive_notifications = false')
      expect(await at.notify(user, { category: 'alarms' })).toMatchObject({ state: 'declined' })
    })

    it('lets go of what was held back when it becomes one, and no more when it is none', async () => {
      const user = await at.user({ digest: 'daily' })
      const held = await at.notify(user, { category: 'outages' })
      const far = await at.notify(user, { category: 'outages', scheduled_at: FAR })
      expect([held.state, far.digested]).toEqual(['scheduled', true])
      await db.run("INSERT INTO notification_categories (name) VALUES ('outages')")
      expect(await at.told(held.id)).toMatchObject({ state: 'scheduled', version: 1 })
      await db.run("UPDATE notification_categories SET critical = true WHERE name = 'outages'")
      expect(await at.told(held.id)).toMatchObject({ state: 'delivered', digested: false })
      expect(await at.told(far.id)).toMatchObject({ state: 'scheduled', digested: false })
      await db.run("DELETE FROM notification_categories WHERE name = 'outages'")
      expect(await at.told(far.id)).toMatchObject({ state: 'scheduled', digested: true })
    })
  })
})
