import { describe, expect, it, test } from 'vitest'
import { servers } from '../support/database.ts'
import { WatchedDatabase } from '../support/watched-database.ts'
import { Notified } from './notified.ts'

const NEW_YORK = 'America/New_York'
const BERLIN = 'Europe/Berlin'
const KATHMANDU = 'Asia/Kathmandu'

describe.each(servers)('hours of a user on $name', (server) => {
  const db = WatchedDatabase.on(server)
  const at = new Notified(db)

  /** [moment, from, to, zone, when it is heard] */
  test.each<[string, string, string, string, string, string]>([
    ['by day', '2031-01-15T12:00Z', '22:00', '07:00', 'UTC', '2031-01-15T12:00Z'],
    ['late in the evening', '2031-01-15T23:30Z', '22:00', '07:00', 'UTC', '2031-01-16T07:00Z'],
    ['early in the morning', '2031-01-15T05:00Z', '22:00', '07:00', 'UTC', '2031-01-15T07:00Z'],
    ['as they begin', '2031-01-15T22:00Z', '22:00', '07:00', 'UTC', '2031-01-16T07:00Z'],
    ['as they end', '2031-01-15T07:00Z', '22:00', '07:00', 'UTC', '2031-01-15T07:00Z'],
    ['within one day', '2031-01-15T13:15Z', '13:00', '14:00', 'UTC', '2031-01-15T14:00Z'],
    ['before those', '2031-01-15T12:59Z', '13:00', '14:00', 'UTC', '2031-01-15T12:59Z'],
    ['both the same are none', '2031-01-15T13:00Z', '13:00', '13:00', 'UTC', '2031-01-15T13:00Z'],
    ['from midnight on', '2031-01-15T00:00Z', '00:00', '06:00', 'UTC', '2031-01-15T06:00Z'],
    ['to midnight', '2031-01-15T23:00Z', '22:00', '00:00', 'UTC', '2031-01-16T00:00Z'],
    ['of the zone', '2031-01-15T21:30Z', '22:00', '07:00', BERLIN, '2031-01-16T06:00Z'],
    ['another day there', '2031-01-15T18:30Z', '00:00', '06:00', KATHMANDU, '2031-01-16T00:15Z'],
    ['a night an hour shorter', '2031-03-30T00:30Z', '22:00', '07:00', BERLIN, '2031-03-30T05:00Z'],
    ['a night an hour longer', '2031-10-26T00:30Z', '22:00', '07:00', BERLIN, '2031-10-26T06:00Z'],
    // At 02:00 the clock shows 03:00.
    [
      'an end that there is not',
      '2031-03-30T00:30Z',
      '01:00',
      '02:30',
      BERLIN,
      '2031-03-30T01:30Z',
    ],
    // 02:30 comes twice; the second is taken.
    ['an end that comes twice', '2031-10-26T00:15Z', '01:00', '02:30', BERLIN, '2031-10-26T01:30Z'],
    ['after the first of them', '2031-10-26T00:45Z', '01:00', '02:30', BERLIN, '2031-10-26T00:45Z'],
  ])('P85 quiet hours: %s', async (_what, moment, from, to, zone, heard) => {
    const rows = await db.run<{ at: Date }>(
      'SELECT belfry.after_quiet_hours($1, $2, $3, $4) AS at',
      [...[moment, from, to, zone]],
    )
    expect(rows[0]?.at).toEqual(new Date(heard))
  })

  /** [moment, digest, digest_at, zone, when it is due] */
  test.each<[string, string, string, string, string, string]>([
    ['the next full hour', '2031-01-15T12:10Z', 'hourly', '08:00', 'UTC', '2031-01-15T13:00Z'],
    ['a full hour', '2031-01-15T12:00Z', 'hourly', '08:00', 'UTC', '2031-01-15T12:00Z'],
    ['an hour of the zone', '2031-01-15T12:10Z', 'hourly', '08:00', KATHMANDU, '2031-01-15T12:15Z'],
    ['later today', '2031-01-15T07:59Z', 'daily', '08:00', 'UTC', '2031-01-15T08:00Z'],
    ['at that very time', '2031-01-15T08:00Z', 'daily', '08:00', 'UTC', '2031-01-15T08:00Z'],
    ['tomorrow', '2031-01-15T08:01Z', 'daily', '08:00', 'UTC', '2031-01-16T08:00Z'],
    ['of the zone', '2031-01-15T13:01Z', 'daily', '08:00', NEW_YORK, '2031-01-16T13:00Z'],
    ['a day of 23 hours', '2031-03-08T13:30Z', 'daily', '08:00', NEW_YORK, '2031-03-09T12:00Z'],
    ['a day of 25 hours', '2031-11-01T12:30Z', 'daily', '08:00', NEW_YORK, '2031-11-02T13:00Z'],
    ['a time there is not', '2031-03-09T05:00Z', 'daily', '02:30', NEW_YORK, '2031-03-09T07:30Z'],
    [
      'in the hour that comes twice',
      '2031-11-02T05:10Z',
      'hourly',
      '08:00',
      NEW_YORK,
      '2031-11-02T06:00Z',
    ],
    ['in its second', '2031-11-02T06:10Z', 'hourly', '08:00', NEW_YORK, '2031-11-02T07:00Z'],
  ])('P85 a digest: %s', async (_what, moment, digest, time, zone, due) => {
    const rows = await db.run<{ at: Date }>('SELECT belfry.next_digest($1, $2, $3, $4) AS at', [
      ...[moment, digest, time, zone],
    ])
    expect(rows[0]?.at).toEqual(new Date(due))
  })

  describe('P85 a notification', () => {
    const NIGHT = { time_zone: BERLIN, quiet_from: '22:00', quiet_to: '07:00' }

    it('is held back to the end of the night, and let go when there is none', async () => {
      const user = await at.user(NIGHT)
      const { id, deliver_at } = await at.notify(user, { scheduled_at: '2031-01-15T21:30Z' })
      expect(deliver_at).toEqual(new Date('2031-01-16T06:00Z'))
      await at.change('users', user, "time_zone = 'UTC'")
      expect((await at.told(id)).deliver_at).toEqual(new Date('2031-01-15T21:30Z'))
      await at.change('users', user, "quiet_from = '21:00'")
      expect((await at.told(id)).deliver_at).toEqual(new Date('2031-01-16T07:00Z'))
      await at.change('users', user, 'quiet_from = NULL, quiet_to = NULL')
      expect((await at.told(id)).deliver_at).toEqual(new Date('2031-01-15T21:30Z'))
    })

    it('waits for its digest, and behind the night for both', async () => {
      const user = await at.user({ ...NIGHT, digest: 'daily', digest_at: '06:00' })
      const { digested, deliver_at } = await at.notify(user, { scheduled_at: '2031-01-15T12:00Z' })
      expect({ digested, deliver_at }).toEqual({
        digested: true,
        deliver_at: new Date('2031-01-16T06:00Z'),
      })
    })

    it('that would expire in the night is declined', async () => {
      const user = await at.user(NIGHT)
      const times = { scheduled_at: '2031-01-15T21:30Z', expires_at: '2031-01-16T05:00Z' }
      expect(await at.notify(user, times)).toMatchObject({ state: 'declined' })
    })

    it('is held back now, if now is quiet, and what a digest gives up is too', async () => {
      const quiet = { quiet_from: '00:00', quiet_to: '23:59:59.999999' }
      const user = await at.user(quiet)
      expect(await at.notify(user)).toMatchObject({ state: 'scheduled' })
      const other = await at.user({ ...quiet, digest: 'daily' })
      const { id } = await at.notify(other)
      await at.later(other, '1 day')
      await at.change('users', other, "digest = 'off'")
      expect(await at.told(id)).toMatchObject({ state: 'scheduled', digested: false })
    })

    it('that is late is not put off to the digest after, whatever changes meanwhile', async () => {
      const user = await at.user({ digest: 'daily' })
      const { id } = await at.notify(user)
      await at.later(user, '1 day')
      const { deliver_at } = await at.told(id)
      await at.change('users', user, "time_zone = 'Etc/GMT+1', digest_at = '07:00'")
      const late = await at.told(id)
      expect(late).toMatchObject({ state: 'scheduled', digested: true })
      expect(late.deliver_at?.getTime()).toBeLessThan(Date.now())
      expect(late.deliver_at).toEqual(deliver_at)
      expect((await at.deliverDue(user)).notifications).toHaveLength(1)
    })

    it('comes with the next digest when the digest is another', async () => {
      const user = await at.user({ digest: 'daily' })
      const { id } = await at.notify(user)
      await at.change('users', user, "digest = 'hourly'")
      const { state, digested, deliver_at } = await at.told(id)
      expect({ state, digested }).toEqual({ state: 'scheduled', digested: true })
      expect((deliver_at?.getTime() ?? 0) - Date.now()).toBeGreaterThan(-1_000)
      expect((deliver_at?.getTime() ?? 0) - Date.now()).toBeLessThanOrEqual(3_600_000)
      await at.change('users', user, "digest = 'off'")
      expect(await at.told(id)).toMatchObject({ state: 'delivered', digested: false })
    })
  })

  test.each<[string, Record<string, unknown>, string]>([
    ['a zone that there is not', { time_zone: 'Europe/Atlantis' }, '22023'],
    ['no zone', { time_zone: '' }, '22023'],
    ['half of quiet hours', { quiet_from: '22:00' }, '23514'],
    ['a digest that there is not', { digest: 'weekly' }, '23514'],
    ['a time of day that there is not', { digest_at: '25:00' }, '22008'],
  ])('P85 refuses %s', async (_what, fields, code) => {
    await expect(at.user(fields)).rejects.toMatchObject({ code })
  })
})
