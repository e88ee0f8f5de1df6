import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { serveNeonEndpoint } from '../../dev/neon-endpoint.ts'
import { freePort } from '../../dev/ports.ts'
import { readMailRule } from '../../worker/mail/mail-rule.ts'
import { loadRows } from '../../worker/rules/load-rows.ts'
import { createDatabase, once, servers } from '../support/database.ts'
import { orderFilledRule } from '../support/database-of-rules.ts'
import { WatchedDatabase } from '../support/watched-database.ts'

type RuleRow = { id: string; version: number; updated_at: Date; created_at: Date }

describe.each(servers)('rules on $name', (server) => {
  const db = WatchedDatabase.on(server)
  let endpoint: Awaited<ReturnType<typeof serveNeonEndpoint>>

  beforeAll(async () => {
    endpoint = await serveNeonEndpoint(db.address.workerUrl, await freePort())
  })
  afterAll(() => endpoint.close())

  async function add(name: string, fields: Record<string, unknown> = {}): Promise<RuleRow> {
    const row: Record<string, unknown> = {
      ...{ name, channel: 'mail', table: 'orders', ops: ['update'], template: 'row-changed' },
      ...fields,
    }
    const columns = Object.keys(row).map((column) => `"${column}"`)
    const values = Object.keys(row).map((_, index) => `$${index + 1}`)
    const [made] = await db.run<RuleRow>(
      `INSERT INTO rules (${columns.join()}) VALUES (${values.join()}) RETURNING *`,
      Object.values(row),
    )
    return made as RuleRow
  }

  test('P50 a new database has the rule of filled orders, and no feed begins with it', async () => {
    const fresh = await createDatabase(server)
    const [row] = await once(fresh.url, 'SELECT * FROM rules')
    const { created_at: _, updated_at: __, ...expected } = orderFilledRule
    expect(row).toMatchObject({ ...expected, id: '1' })
    expect(await once(fresh.url, 'SELECT * FROM belfry.outbox')).toEqual([])
  })

  it('P58 a rule reads the same when it is loaded and when it is heard', async () => {
    const when = { amount: { is: [12.5, '9007199254740993', null] }, status: { changed: true } }
    const { id } = await add('read twice', { when, recipients: '[{"address":"a@example.com"}]' })
    const [heard] = await db.changes()
    const env = { DATABASE_URL: db.address.workerUrl, NEON_ENDPOINT: endpoint.url }
    const loaded = (await loadRows(env, 'rules')).find((row) => row.id === Number(id))
    expect(loaded).toEqual(heard?.new)
    expect(readMailRule(heard?.new ?? {})).toMatchObject({
      ok: true,
      rule: { id: Number(id), when, version: 1, enabled: true, category: 'general' },
    })
  })

  it('says what to do when the rules cannot be read', async () => {
    const { url } = await createDatabase(server, { migrated: false })
    const bare = await serveNeonEndpoint(url, await freePort())
    try {
      const env = { DATABASE_URL: url, NEON_ENDPOINT: bare.url }
      await expect(loadRows(env, 'rules')).rejects.toThrow(/table rules .* npm run migrate/)
    } finally {
      await bare.close()
    }
  })

  it('moves version and updated_at with each change, whoever writes and whatever they say', async () => {
    const { id, updated_at, created_at } = await add('moves')
    const update = async (set: string) =>
      (await db.run<RuleRow>(`UPDATE rules SET ${set} WHERE id = $1 RETURNING *`, [id]))[0]
    expect(await update('enabled = false, version = 9')).toMatchObject({ version: 2, created_at })
    expect((await update('enabled = true'))?.updated_at.getTime()).toBeGreaterThan(
      updated_at.getTime(),
    )
    await db.changes()
    expect(await update('enabled = true, updated_at = now()')).toMatchObject({ version: 3 })
    expect(await db.changes()).toEqual([])
  })

  it('an id is never used twice', async () => {
    const { id } = await add('first')
    await db.run('DELETE FROM rules WHERE id = $1', [id])
    expect(Number((await add('second')).id)).toBeGreaterThan(Number(id))
    await expect(add('third', { id })).rejects.toMatchObject({ code: '428C9' })
  })

  test.each<[string, Record<string, unknown>, string]>([
    ['a blank name', { name: ' ' }, 'rules_name_is_one'],
    ['a name of 101 characters', { name: 'x'.repeat(101) }, 'rules_name_is_one'],
    ['a channel that there is not', { channel: 'pigeon', template: null }, 'rules_channel_known'],
    ['no operation', { ops: [] }, 'rules_ops_known'],
    ['an unknown operation', { ops: ['upsert'] }, 'rules_ops_known'],
    ['a missing operation', { ops: ['insert', null] }, 'rules_ops_known'],
    ['a condition that is a list', { when: '[]' }, 'rules_when_is_an_object'],
    ['a condition that is null', { when: 'null' }, 'rules_when_is_an_object'],
    [
      'a condition of 17 kB',
      { when: JSON.stringify({ a: { is: ['x'.repeat(17_000)] } }) },
      'rules_when_is_an_object',
    ],
    ['recipients that are no list', { recipients: '{}' }, 'rules_recipients_are_a_list'],
    [
      '51 recipients',
      { recipients: JSON.stringify(Array(51).fill({ column: 'a' })) },
      'rules_recipients_are_a_list',
    ],
    ['a blank category', { category: '' }, 'rules_category_is_one'],
    ['a mail without a template', { template: null }, 'rules_of_mail_have_a_template'],
    [
      'a mail to an endpoint',
      { endpoint: '00000000-0000-4000-8000-000000000000' },
      'rules_of_webhooks_have_an_endpoint',
    ],
    [
      'a webhook to nowhere',
      { channel: 'webhook', template: null },
      'rules_of_webhooks_have_an_endpoint',
    ],
  ])('refuses %s', async (_what, fields, constraint) => {
    await expect(add('refused', fields)).rejects.toMatchObject({ constraint })
  })

  it('refuses a name that another rule has', async () => {
    await expect(add('order-filled')).rejects.toMatchObject({ constraint: 'rules_name_unique' })
  })

  it('P58 the rules of an endpoint go with it, and the feed hears each of them go', async () => {
    const [endpointRow] = await db.run<{ id: string }>(
      "INSERT INTO webhook_endpoints (url) VALUES ('https://example.com/hooks') RETURNING id",
    )
    const id = endpointRow?.id
    await add('hook', { channel: 'webhook', template: null, endpoint: id })
    await db.run('DELETE FROM webhook_endpoints WHERE id = $1', [id])
    expect((await db.changes()).map(({ table, op }) => `${op} ${table}`)).toEqual([
      'insert webhook_endpoints',
      'insert rules',
      'delete webhook_endpoints',
      'delete rules',
    ])
  })
})
