import { describe, expect, test } from 'vitest'
import { once } from '../support/database.ts'
import { expectWhole, ORDER, sharedFeed, type Way } from '../support/way.ts'

describe('leadership', () => {
  const { begin } = sharedFeed()

  async function leaderAndStandby({ listen }: Way) {
    const leader = await listen()
    await leader.said(/leading with term 1/)
    const standby = await listen()
    await standby.said(/another listener leads; standing by/)
    return { leader, standby }
  }

  /** What pgAdmin's or a provider's restart does to the leader's connection. */
  const terminate = ({ database }: Way) =>
    once(
      database.adminUrl,
      `SELECT pg_terminate_backend(backend_pid) FROM belfry.terms ORDER BY term DESC LIMIT 1`,
    )

  test('P13 one leads and the other stands by, and both are well', async () => {
    const way = await begin()
    const { leader, standby } = await leaderAndStandby(way)
    expect(await leader.health()).toMatchObject({ status: 200, body: { role: 'leader', term: 1 } })
    expect(await standby.health()).toMatchObject({ status: 200, body: { role: 'standby' } })
    expect([await leader.metric('belfry_leader'), await standby.metric('belfry_leader')]).toEqual([
      1, 0,
    ])
  })

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'P13 after the leader’s %s the standby leads with a higher term',
    async (signal) => {
      const way = await begin()
      const { leader, standby } = await leaderAndStandby(way)
      await way.sql.query(ORDER)
      await way.feedHas(1)
      leader.signal(signal)
      expect(await leader.exited).toBe(signal === 'SIGTERM' ? 0 : signal)
      await way.sql.query(ORDER)
      await standby.said(/leading with term 2/, 5_000)
      await way.sql.query(ORDER)
      expectWhole(await way.feedHas(3))
    },
  )

  test('P13 a leader whose connection is ended comes back with a higher term', async () => {
    const way = await begin()
    const leader = await way.listen()
    await leader.said(/linked/)
    await terminate(way)
    await way.sql.query(ORDER)
    await leader.said(/beginning again in \d+ ms/)
    await leader.said(/leading with term 2/)
    expectWhole(await way.feedHas(1))
    expect(leader.lines.filter((line) => /beginning again/.test(line))).toHaveLength(1)
  })

  test('what took Postgres away is said, also while there is no link', async () => {
    const way = await begin()
    const leader = await way.listen({ secret: 'a wrong one' })
    await leader.said(/no link to the feed/)
    await terminate(way)
    await leader.said(
      /(terminating connection|connection to Postgres ended|Connection terminated).*; beginning again in/,
    )
  })

  test('P13 P10 connections that are ended amid writes cost no change', async () => {
    const way = await begin()
    const leader = await way.listen()
    await leader.said(/linked/)
    for (let term = 2; term <= 4; term++) {
      await way.sql.query(`INSERT INTO orders (customer_name, product_name, amount)
                           SELECT 'Ada', 'Bell', 1 FROM generate_series(1, 2000)`)
      await terminate(way)
      await leader.said(new RegExp(`leading with term ${term}`))
    }
    expectWhole(await way.feedHas(6_000))
  })

  test('P13 a feed that has seen a later term is led with one above it', async () => {
    // As when a database is restored from a backup, and its terms with it.
    const way = await begin()
    await way.sql.query(
      "INSERT INTO belfry.terms (term, listener, backend_pid) VALUES (40, 'past', 0)",
    )
    const past = await way.listen()
    await past.said(/linked/)
    await past.stop()
    await way.sql.query('DELETE FROM belfry.terms')
    await way.sql.query(ORDER)
    const present = await way.listen()
    await present.said(/leading with term 1$/)
    await present.said(/the feed has seen term 41/)
    await present.said(/leading with term 42/)
    expectWhole(await way.feedHas(1))
  })

  test('P13 a frozen leader is ended once its lease is over, and leads no more when it thaws', async () => {
    const way = await begin()
    const { leader, standby } = await leaderAndStandby(way)
    await way.sql.query(ORDER)
    await way.feedHas(1)
    leader.signal('SIGSTOP')
    await way.sql.query("UPDATE belfry.terms SET seen_at = seen_at - interval '1 minute'")
    await standby.said(/ended the session of \S+, whose lease is over/)
    await standby.said(/leading with term 2/)
    await way.sql.query(ORDER)
    await way.feedHas(2)
    leader.signal('SIGCONT')
    await leader.said(/standing by/)
    await way.sql.query(ORDER)
    expectWhole(await way.feedHas(3))
    expect(await standby.health()).toMatchObject({
      body: { role: 'leader', term: 2, linked: true },
    })
  })

  test('P11 a listener that stops leaves writers silent', async () => {
    const way = await begin()
    const leader = await way.listen()
    await leader.reaches('belfry_asleep', 1)
    expect(await bell(way)).toBe('2')
    expect(await leader.stop()).toBe(0)
    expect(await bell(way)).toBe('1')
  })

  const bell = async ({ sql }: Way) =>
    (await sql.query('SELECT last_value FROM belfry.bell')).rows[0].last_value
})
