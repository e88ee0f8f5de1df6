import { OpenAPIHono } from '@hono/zod-openapi'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { serveNeonEndpoint } from '../../dev/neon-endpoint.ts'
import { freePort } from '../../dev/ports.ts'
import type { CapturedChange } from '../../protocol/change.ts'
import { orderLife } from '../../worker/api/order-life.ts'
import { orders } from '../../worker/api/orders.ts'
import { notFound, onError } from '../../worker/api/problem.ts'
import type { DeliveryReport } from '../../worker/courier/delivery.ts'
import { readInboxRule } from '../../worker/notices/inbox-rule.ts'
import { owedNotices } from '../../worker/notices/owed.ts'
import { writeNotices } from '../../worker/notices/write.ts'
import { askedBy } from '../support/asked-by.ts'
import { newestServer } from '../support/database.ts'
import { WatchedDatabase } from '../support/watched-database.ts'

const db = WatchedDatabase.on(newestServer)
let endpoint: Awaited<ReturnType<typeof serveNeonEndpoint>>
let env: { DATABASE_URL: string; NEON_ENDPOINT: string; MAILER: object }

/** In place of the mailer's ledger. */
let ledger: DeliveryReport[]

const app = new OpenAPIHono()
app.onError(onError)
app.notFound(notFound)
app.use(askedBy)
app.route('/', orders)
app.route('/', orderLife)

beforeAll(async () => {
  endpoint = await serveNeonEndpoint(db.address.workerUrl, await freePort())
  const list = async ({ table, key }: { table: string; key: string }) => ({
    deliveries: ledger.filter((mail) => mail.table === table && mail.key === key),
    next: null,
  })
  env = {
    DATABASE_URL: db.address.workerUrl,
    NEON_ENDPOINT: endpoint.url,
    MAILER: { getByName: () => ({ list }) },
  }
})
afterAll(() => endpoint.close())
beforeEach(() => {
  ledger = []
})

async function ask(method: string, path: string, body?: unknown, by = 'operator') {
  const headers = { 'asked-by': by, 'if-match': '*', 'content-type': 'application/json' }
  const sent = body === undefined ? {} : { body: JSON.stringify(body) }
  const response = await app.request(path, { method, headers, ...sent }, env)
  const text = await response.text()
  return {
    status: response.status,
    body: (text ? JSON.parse(text) : {}) as Record<string, unknown>,
  }
}

function mail(id: number, about: Partial<DeliveryReport>): DeliveryReport {
  return {
    ...{ id, rule: 1, rule_name: 'order-filled', change: crypto.randomUUID(), table: 'orders' },
    ...{ key: '', recipient: 'ada@example.com', state: 'sent', attempts: 1, next_at: null },
    ...{ last_error: null, provider_id: null, created_at: '2026-11-21T08:00:00.000Z' },
    ...{ first_at: null, sent_at: null },
    ...about,
  } as DeliveryReport
}

/** As the consumer of the feed does. */
async function notify(change: CapturedChange): Promise<void> {
  const [row] = await db.run<{ row: Record<string, never> }>(
    "SELECT to_json(r) AS row FROM rules r WHERE name = 'order-shipped'",
  )
  const reading = readInboxRule(row?.row ?? {})
  if (!reading.ok) throw new Error(reading.problem)
  expect(await writeNotices(env, owedNotices(change, [reading.rule]).owed)).toEqual([])
}

describe('P104 the life of an order', () => {
  it('shows each version, who made it, who was told, and by which mail', async () => {
    await db.run("INSERT INTO users (id, name) VALUES (7, 'Ada')")
    const order = { customer_name: 'Ada', product_name: 'Bell', amount: 2, customer_id: 7 }
    const { id } = (await ask('POST', '/api/orders', order, 'user:7')).body
    await db.run("UPDATE orders SET amount = 3, status = 'filled' WHERE id = $1", [id])
    await db.changes()
    await ask('PATCH', `/api/orders/${id}`, { status: 'shipped' }, 'key:1')
    const [shipped] = await db.changes()
    await notify(shipped as CapturedChange)
    const [told] = await db.run<{ id: number }>('SELECT id::int FROM notifications')
    const change = shipped?.id ?? ''
    ledger = [
      mail(1, { key: String(id), change }),
      mail(2, { key: String(id), state: 'queued' }),
      mail(3, { table: 'notifications', key: String(told?.id), rule_name: 'inbox-mail' }),
      mail(4, { key: '999' }),
    ]
    const { status, body } = await ask('GET', `/api/orders/${id}/life`)
    expect(status).toBe(200)
    expect(body.order).toMatchObject({ id, version: 3, status: 'shipped' })
    expect(body.versions).toMatchObject([
      { version: 1, by: 'user:7', name: 'Ada', action: 'insert', request: expect.any(String) },
      { versions: [2, 2], by: 'sql' },
      { version: 3, by: 'key:1', changed: { status: ['filled', 'shipped'], version: [2, 3] } },
    ])
    expect(body.notifications).toEqual([
      {
        ...{ id: told?.id, user: 7, title: expect.any(String), state: 'delivered', version: 3 },
        delivered_at: expect.stringMatching(/\+00:00$/),
      },
    ])
    expect(body.mails).toMatchObject([
      { id: 1, rule: 'order-filled', change, notification: null, version: 3, state: 'sent' },
      { id: 2, version: null, state: 'queued' },
      { id: 3, rule: 'inbox-mail', notification: told?.id, version: 3 },
    ])
  })

  it('is told of one that is gone, if the API ever knew it', async () => {
    const made = await ask('POST', '/api/orders', {
      ...{ customer_name: 'Ada', product_name: 'Bell', amount: 2 },
    })
    await ask('DELETE', `/api/orders/${made.body.id}`)
    const { status, body } = await ask('GET', `/api/orders/${made.body.id}/life`)
    expect(status).toBe(200)
    expect(body.order).toBeNull()
    expect(body.versions).toMatchObject([
      { version: 1, action: 'insert' },
      { version: null, action: 'delete', changed: { customer_name: ['Ada', null] } },
    ])
  })

  it('of one that there never was is 404, and of what is no id 400', async () => {
    expect(await ask('GET', '/api/orders/999999999/life')).toMatchObject({ status: 404 })
    expect(await ask('GET', '/api/orders/abc/life')).toMatchObject({ status: 400 })
  })

  it('finds what was told of it by an index', async () => {
    await db.run('SET enable_seqscan = off')
    const plan = await db.run(
      `EXPLAIN SELECT FROM notifications n WHERE n.origin IS NOT NULL
          AND split_part(n.origin, '/', 4) = 'orders' AND split_part(n.origin, '/', 5) = '42'`,
    )
    await db.run('RESET enable_seqscan')
    expect(JSON.stringify(plan)).toContain('notifications_about_index')
  })
})
