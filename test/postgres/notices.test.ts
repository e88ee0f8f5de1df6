import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { serveNeonEndpoint } from '../../dev/neon-endpoint.ts'
import { freePort } from '../../dev/ports.ts'
import type { DatabaseEnv } from '../../worker/api/database.ts'
import { Unready } from '../../worker/feed/consumer.ts'
import { readInboxRule } from '../../worker/notices/inbox-rule.ts'
import { type Notice, owedNotices } from '../../worker/notices/owed.ts'
import { writeNotices } from '../../worker/notices/write.ts'
import { loadRows } from '../../worker/rules/load-rows.ts'
import { servers } from '../support/database.ts'
import { WatchedDatabase } from '../support/watched-database.ts'

describe.each(servers)('notifications that rules owe, on $name', (server) => {
  const db = WatchedDatabase.on(server)
  let endpoint: Awaited<ReturnType<typeof serveNeonEndpoint>>
  let env: DatabaseEnv

  beforeAll(async () => {
    endpoint = await serveNeonEndpoint(db.address.workerUrl, await freePort())
    env = { DATABASE_URL: db.address.workerUrl, NEON_ENDPOINT: endpoint.url }
    await db.run(
      `INSERT INTO users (id, name) VALUES (1, 'Ada'), (2, 'Grace'), (9007199254740993, 'Far')`,
    )
  })
  beforeEach(async () => void (await db.run('DELETE FROM notifications')))
  afterAll(() => endpoint.close())

  function notice(user: string, fields: Partial<Notice> = {}): Notice {
    const origin = `rule:1/${randomUUID()}/${user}`
    const told = { title: 'Shipped', content: {}, link: null, category: 'orders' }
    return { origin, user, ...told, about: `Rule "r" (1) and orders ${user}`, ...fields }
  }

  const written = () =>
    db.run<{ user_id: string; state: string; title: string }>(
      'SELECT user_id, state, title FROM notifications ORDER BY user_id',
    )

  it('P86 the rule that every database begins with tells the customer of a shipped order, once', async () => {
    await db.run(`INSERT INTO orders (customer_name, product_name, amount, customer_id) VALUES ('Ada', 'Bell', 1, 1);
                  UPDATE orders SET status = 'shipped'`)
    const changes = await db.changes()
    const readings = (await loadRows(env, 'rules')).map(readInboxRule)
    const rules = readings.flatMap((reading) => (reading.ok ? [reading.rule] : []))
    const found = changes.map((change) => owedNotices(change, rules))
    const owed = found.flatMap((each) => each.owed)
    expect(found.flatMap((each) => each.failures)).toEqual([])
    for (let time = 0; time < 3; time++) expect(await writeNotices(env, owed)).toEqual([])
    expect(
      await db.run('SELECT user_id, category, title, content, state FROM notifications'),
    ).toEqual([
      {
        ...{
          user_id: '1',
          category: 'orders',
          title: 'Your order was shipped',
          state: 'delivered',
        },
        content: { order: '1', text: 'Bell is on its way.' },
      },
    ])
  })

  it('P86 at the same time from many hands, and with others, it is written once', async () => {
    const [one, two] = [notice('1'), notice('2')]
    await Promise.all(Array.from({ length: 8 }, () => writeNotices(env, [one, one, two])))
    expect((await written()).map(({ user_id }) => user_id)).toEqual(['1', '2'])
  })

  it('P89 a user that there is not is named, and the others are told', async () => {
    const far = '9007199254740993'
    expect(await writeNotices(env, [notice('1'), notice('77'), notice(far)])).toEqual([
      'Rule "r" (1) and orders 77: there is no user 77.',
    ])
    expect((await written()).map(({ user_id }) => user_id)).toEqual(['1', far])
  })

  it('P89 what the table will not have is named, and the others are told', async () => {
    const failures = await writeNotices(env, [
      notice('1'),
      notice('2', { title: 'x'.repeat(201) }),
      notice('2', { content: { text: '\u0000' } }),
      notice('2', { link: '\u0000' }),
      notice('2', { category: ' ' }),
    ])
    expect(failures).toEqual([
      expect.stringMatching(/^Rule "r" \(1\) and orders 2: .*notifications_title_is_one/),
      'Rule "r" (1) and orders 2: A value cannot be stored.',
      'Rule "r" (1) and orders 2: A value cannot be stored.',
      expect.stringMatching(/notifications_category_is_one/),
    ])
    expect((await written()).map(({ user_id }) => user_id)).toEqual(['1'])
  })

  it('P86 more than one statement’s worth is written', async () => {
    const many = Array.from({ length: 450 }, () => notice('1'))
    expect(await writeNotices(env, many)).toEqual([])
    expect(await written()).toHaveLength(450)
  })

  it('P41 waits while the database is away, or lacks the table', async () => {
    const away = { ...env, NEON_ENDPOINT: `http://127.0.0.1:${await freePort()}/sql` }
    await expect(writeNotices(away, [notice('1')])).rejects.toThrow(Unready)
    await db.run('ALTER TABLE notifications RENAME TO elsewhere')
    try {
      const failing = writeNotices(env, [notice('1')])
      await expect(failing).rejects.toThrow(Unready)
      await expect(failing).rejects.toThrow(/npm run migrate/)
    } finally {
      await db.run('ALTER TABLE elsewhere RENAME TO notifications')
    }
  })

  it('P80 what nobody wants is written all the same, and says why it is not delivered', async () => {
    await db.run('UPDATE users SET can_receive_notifications = false WHERE id = 2')
    expect(await writeNotices(env, [notice('2')])).toEqual([])
    expect(await written()).toMatchObject([{ user_id: '2', state: 'declined' }])
  })
})
