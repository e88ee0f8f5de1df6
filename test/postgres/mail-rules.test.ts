import { OpenAPIHono } from '@hono/zod-openapi'
import { afterAll, beforeAll, describe, expect, it, test, vi } from 'vitest'
import { serveNeonEndpoint } from '../../dev/neon-endpoint.ts'
import { freePort } from '../../dev/ports.ts'
import type { DatabaseEnv } from '../../worker/api/database.ts'
import { mailRules } from '../../worker/api/mail-rules.ts'
import { mailTemplates } from '../../worker/api/mail-templates.ts'
import { notFound, onError } from '../../worker/api/problem.ts'
import { resolveUser } from '../../worker/mail/address-book.ts'
import { askedBy } from '../support/asked-by.ts'
import { newestServer } from '../support/database.ts'
import { WatchedDatabase } from '../support/watched-database.ts'

const db = WatchedDatabase.on(newestServer)
let endpoint: Awaited<ReturnType<typeof serveNeonEndpoint>>
let env: DatabaseEnv

const app = new OpenAPIHono<{ Bindings: DatabaseEnv }>()
app.onError(onError)
app.notFound(notFound)
app.use(askedBy)
app.route('/', mailRules)
app.route('/', mailTemplates)

beforeAll(async () => {
  endpoint = await serveNeonEndpoint(db.address.workerUrl, await freePort())
  env = { DATABASE_URL: db.address.workerUrl, NEON_ENDPOINT: endpoint.url }
})
afterAll(() => endpoint.close())

type Answer = { status: number; body: Record<string, unknown>; location: string | null }

async function ask(method: string, path: string, body?: unknown): Promise<Answer> {
  const init = {
    method,
    headers: { 'content-type': 'application/json', 'if-match': '*' },
    ...(body !== undefined && {
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }),
  }
  const response = await app.request(path, init, env)
  const text = await response.text()
  return {
    status: response.status,
    body: text === '' ? {} : JSON.parse(text),
    location: response.headers.get('location'),
  }
}

const shipped = {
  name: 'shipped-by-mail',
  table: 'orders',
  ops: ['update'],
  when: { status: { became: ['shipped'] } },
  template: 'order-status',
  category: 'orders',
  recipients: [{ column: 'customer_email' }, { address: 'desk@example.com' }],
}

describe('/api/mail-rules', () => {
  it('P58 what it writes, reads, changes and deletes is heard as changes of rules', async () => {
    const made = await ask('POST', '/api/mail-rules', shipped)
    expect(made).toMatchObject({
      status: 201,
      body: { ...shipped, enabled: true, version: 1, problem: null },
      location: `/api/mail-rules/${made.body.id}`,
    })
    const path = made.location ?? ''
    expect(await ask('GET', path)).toMatchObject({ status: 200, body: made.body })
    const changes = { enabled: false, when: { status: { is: 'shipped' } } }
    expect(await ask('PATCH', path, changes)).toMatchObject({
      status: 200,
      body: { version: 2, enabled: false, when: { status: { is: ['shipped'] } } },
    })
    expect(await ask('DELETE', path)).toMatchObject({ status: 204 })
    expect(await ask('DELETE', path)).toMatchObject({ status: 404, body: { code: 'not_found' } })
    expect(await ask('GET', path)).toMatchObject({ status: 404 })
    expect(await ask('PATCH', path, { enabled: true })).toMatchObject({ status: 404 })
    const heard = await db.changes()
    expect(heard.map(({ table, op }) => `${op} ${table}`)).toEqual([
      'insert rules',
      'update rules',
      'delete rules',
    ])
    expect(heard[0]?.new).toMatchObject({ ...shipped, channel: 'mail', endpoint: null })
  })

  it('fills in what is left out', async () => {
    const { name, table, template, recipients } = shipped
    const least = { name: `${name}-least`, table, template, recipients }
    const { body } = await ask('POST', '/api/mail-rules', least)
    expect(body).toMatchObject({
      ...{ ...least, ops: ['insert', 'update'], when: {}, category: 'general', enabled: true },
    })
  })

  it('a name that is taken is a conflict that says so, when it is added and when it is changed', async () => {
    const { body } = await ask('POST', '/api/mail-rules', { ...shipped, name: 'taken' })
    const conflict = { status: 409, body: { code: 'conflict', detail: /called "taken"/ } }
    const again = await ask('POST', '/api/mail-rules', { ...shipped, name: 'taken' })
    expect(again).toMatchObject({ ...conflict, body: { code: 'conflict' } })
    expect(again.body.detail).toMatch(conflict.body.detail)
    const renamed = await ask('PATCH', `/api/mail-rules/${body.id}`, { name: 'order-filled' })
    expect(renamed).toMatchObject({ status: 409, body: { code: 'conflict' } })
  })

  test.each<[string, Record<string, unknown>, string, RegExp]>([
    [
      'a table that is not watched',
      { table: 'invoices' },
      'table',
      /watched are notifications, ord/,
    ],
    ['a column of `when` there is not', { when: { stat: { is: 1 } } }, 'when.stat', /it has id, /],
    [
      'a column of recipients there is not',
      { recipients: [{ column: 'mail' }] },
      'recipients.0.column',
      /has no column "mail"; it has id, customer_name/,
    ],
    [
      'a user column there is not',
      { recipients: [{ user: 'buyer_id' }] },
      'recipients.0.user',
      /has no column "buyer_id"/,
    ],
    ['an unknown template', { template: 'order' }, 'template', /order-filled, order-status, not/],
    ['a template of no rule', { template: 'webhook-off' }, 'template', /must be one of order-fi/],
    ['a template of another table', { table: 'rules', when: {} }, 'template', /tells of orders/],
    ['a template of other operations', { ops: ['delete'] }, 'template', /not of delete/],
    ['an empty list of recipients', { recipients: [] }, 'recipients', /at least one/],
    [
      '51 recipients',
      { recipients: Array(51).fill({ address: 'a@example.com' }) },
      'recipients',
      /at most 50/,
    ],
    [
      'a list as one address',
      { recipients: [{ address: 'a@example.com,b@example.com' }] },
      'recipients.0.address',
      /one plain address/,
    ],
    [
      'an address with a name',
      { recipients: [{ address: 'Ada <a@example.com>' }] },
      'recipients.0.address',
      /one plain address/,
    ],
    [
      'a secret as a recipient',
      { recipients: [{ setting: 'ADMIN_TOKEN' }] },
      'recipients.0',
      /ALERT/,
    ],
    [
      'two kinds in one recipient',
      { recipients: [{ column: 'a', address: 'b' }] },
      'recipients.0',
      /./,
    ],
    ['an operation twice', { ops: ['update', 'update'] }, 'ops', /once/],
    ['an unknown operation', { ops: ['upsert'] }, 'ops.0', /insert, update, delete, truncate/],
    ['no operation', { ops: [] }, 'ops', /at least one/],
    ['an unknown test', { when: { status: { got: 1 } } }, 'when.status', /"became"/],
    ['two tests of one column', { when: { status: { is: 1, was: 2 } } }, 'when.status', /one test/],
    ['a test of an object', { when: { status: { is: { a: 1 } } } }, 'when.status', /one test/],
    ['a condition that is a list', { when: [] }, 'when', /object/],
    ['a name with a line break', { name: 'a\nb' }, 'name', /letters/],
    ['a name of 101 characters', { name: 'x'.repeat(101) }, 'name', /100/],
    ['a field that is not known', { endpoint: 'x' }, 'endpoint', /not known/],
    ['a version of its own', { version: 7 }, 'version', /not known/],
    ['enabled as text', { enabled: 'no' }, 'enabled', /true or false/],
    ['a table of the wrong type', { table: 7 }, 'table', /name of a watched table/],
  ])('P60 refuses %s', async (_what, fields, path, message) => {
    const { status, body } = await ask('POST', '/api/mail-rules', { ...shipped, ...fields })
    expect(body).toMatchObject({ code: 'invalid_body' })
    expect(status).toBe(400)
    const errors = body.errors as { path: string; message: string }[]
    expect(errors.map((error) => error.path)).toContain(path)
    expect(errors.find((error) => error.path === path)?.message).toMatch(message)
  })

  test.each<[string, unknown, number, string]>([
    ['no JSON', '{', 400, 'invalid_body'],
    ['a list', [], 400, 'invalid_body'],
    ['nothing', {}, 400, 'invalid_body'],
    ['100 kB', { ...shipped, name: 'x'.repeat(100_000) }, 413, 'body_too_large'],
  ])('P60 refuses %s as a body', async (_what, body, status, code) => {
    expect(await ask('POST', '/api/mail-rules', body)).toMatchObject({ status, body: { code } })
  })

  test.each(['0', '-1', 'one', '1.5', '9007199254740993', '1e3'])(
    'P60 refuses the id %s',
    async (id) => {
      for (const method of ['GET', 'DELETE'])
        expect(await ask(method, `/api/mail-rules/${id}`)).toMatchObject({
          ...{ status: 400, body: { code: 'invalid_id' } },
        })
    },
  )

  it('P60 refuses a change that makes a rule nonsense, and an empty one', async () => {
    const { location } = await ask('POST', '/api/mail-rules', { ...shipped, name: 'good' })
    const change = (changes: object) => ask('PATCH', location ?? '', changes)
    expect(await change({})).toMatchObject({ status: 400, body: { code: 'invalid_body' } })
    const moved = await change({ table: 'rules' })
    expect(moved.status).toBe(400)
    expect(moved.body.errors).toMatchObject([
      { path: 'when.status' },
      { path: 'recipients.0.column' },
      { path: 'template' },
    ])
    expect(await change({ template: 'nosuch' })).toMatchObject({ status: 400 })
    expect(await ask('GET', location ?? '')).toMatchObject({ body: { version: 1 } })
  })

  it('a row that says nothing is listed with its problem, and can be switched off and deleted', async () => {
    await db.run(`INSERT INTO rules (name, channel, "table", ops, "when", template)
      VALUES ('garbage', 'mail', 'orders', '{update}', '{"status": "filled"}', 'order-status'),
             ('of no template', 'mail', 'orders', '{update}', '{}', 'nosuch')`)
    const { body } = await ask('GET', '/api/mail-rules')
    const rules = body.rules as { id: number; name: string; problem: string | null }[]
    expect(rules[0]).toMatchObject({ id: 1, name: 'order-filled', problem: null })
    const garbage = rules.find(({ name }) => name === 'garbage')
    expect(garbage?.problem).toMatch(/^when.status: must be one test/)
    expect(rules.find(({ name }) => name === 'of no template')?.problem).toMatch(/^template: must/)
    const path = `/api/mail-rules/${garbage?.id}`
    expect(await ask('PATCH', path, { enabled: false })).toMatchObject({ body: { version: 2 } })
    expect(await ask('PATCH', path, { name: 'x' })).toMatchObject({ status: 400 })
    expect(await ask('DELETE', path)).toMatchObject({ status: 204 })
  })

  it('knows nothing of the rules of webhooks', async () => {
    const [row] = await db.run<{ id: string }>(`
      WITH e AS (INSERT INTO webhook_endpoints (url) VALUES ('https://example.com/h') RETURNING id)
      INSERT INTO rules (name, channel, "table", ops, endpoint)
      SELECT 'hook', 'webhook', 'orders', '{update}', id FROM e RETURNING rules.id`)
    const path = `/api/mail-rules/${row?.id}`
    expect(await ask('GET', path)).toMatchObject({ status: 404 })
    expect(await ask('PATCH', path, { enabled: false })).toMatchObject({ status: 404 })
    expect(await ask('DELETE', path)).toMatchObject({ status: 404 })
    const { body } = await ask('GET', '/api/mail-rules')
    expect(JSON.stringify(body)).not.toContain('hook')
  })

  it('says that the database is away when it is', async () => {
    vi.spyOn(console, 'error').mockReturnValueOnce()
    const elsewhere = { ...env, NEON_ENDPOINT: `http://127.0.0.1:${await freePort()}/sql` }
    const response = await app.request('/api/mail-rules', {}, elsewhere)
    expect(await response.json()).toMatchObject({ code: 'database_unavailable', retry: true })
  })
})

describe('/api/mail-templates', () => {
  it('lists what there is', async () => {
    const { body } = await ask('GET', '/api/mail-templates')
    expect(body.templates).toMatchObject([
      { name: 'order-filled', tables: ['orders'], ops: ['insert', 'update'] },
      { name: 'order-status', tables: ['orders'], ops: ['insert', 'update'] },
      { name: 'notification', tables: ['notifications'], ops: ['insert', 'update'] },
      { name: 'row-changed', tables: null, ops: ['insert', 'update', 'delete', 'truncate'] },
      { name: 'webhook-off', tables: [], ops: [] },
    ])
  })

  test.each(['order-filled', 'order-status', 'notification', 'row-changed', 'webhook-off'])(
    'shows %s with sample data',
    async (name) => {
      const { status, body } = await ask('GET', `/api/mail-templates/${name}/preview`)
      expect(status).toBe(200)
      expect(body).toEqual({
        subject: expect.stringMatching(/^.{5,150}$/),
        html: expect.stringContaining('<!doctype html>'),
        text: expect.stringMatching(/\n$/),
      })
      expect(String(body.html).includes('https://example.com/unsubscribe')).toBe(
        name !== 'webhook-off',
      )
    },
  )

  test.each(['order-filled', 'order-status', 'row-changed'])(
    'shows %s with an order as it is',
    async (name) => {
      const [order] = await db.run<{ id: string }>(
        `INSERT INTO orders (customer_name, product_name, amount, status)
       VALUES ('Grace <b>Hopper</b>', 'Nanosecond', 11.8, 'filled') RETURNING id`,
      )
      const { body } = await ask('GET', `/api/mail-templates/${name}/preview?order=${order?.id}`)
      expect(body.subject).toContain(order?.id)
      expect(body.text).toContain('Nanosecond')
      expect(body.html).toContain('Grace &lt;b&gt;Hopper')
    },
  )

  test.each<[string, number, string]>([
    ['nosuch/preview', 404, 'not_found'],
    ['order-filled/preview?order=999999', 404, 'not_found'],
    ['order-filled/preview?order=0', 400, 'invalid_query'],
    ['order-filled/preview?order=x', 400, 'invalid_query'],
    ['order-filled/preview?order=1&order=2', 400, 'invalid_query'],
    ['order-filled/preview?audience=boss', 400, 'invalid_query'],
    ['order-filled/preview?id=1', 400, 'invalid_query'],
    ['webhook-off/preview?order=1', 400, 'invalid_query'],
    ['notification/preview?order=1', 400, 'invalid_query'],
  ])('P60 refuses %s', async (path, status, code) => {
    const answer = await ask('GET', `/api/mail-templates/${path}`)
    expect(answer).toMatchObject({ status, body: { code } })
  })
})

describe('the address book', () => {
  const users: [number, string | null, boolean][] = [
    [1, 'ada@example.com', true],
    [2, null, true],
    [3, 'opted-out@example.com', false],
    [4, 'picky@example.com', true],
  ]

  beforeAll(async () => {
    for (const [id, email, wants] of users)
      await db.run(
        'INSERT INTO users (id, name, email, can_receive_notifications) VALUES ($1, $2, $3, $4)',
        [id, 'Somebody', email, wants],
      )
    await db.run(`INSERT INTO users (id, name, email) VALUES (9007199254740993, 'Far', 'far@example.com');
      INSERT INTO preferences VALUES (4, 'orders', 'mail', false), (4, 'orders', 'inbox', true),
                                     (4, 'offers', 'mail', true), (1, 'orders', 'inbox', false),
                                     (4, 'alarms', 'mail', false), (3, 'alarms', 'mail', false);
      INSERT INTO notification_categories (name, critical) VALUES ('alarms', true), ('orders', false)`)
  })

  test.each<[string, string, object]>([
    ['1', 'orders', { kind: 'address', address: 'ada@example.com' }],
    ['4', 'offers', { kind: 'address', address: 'picky@example.com' }],
    // It is critical, so nobody can switch it off.
    ['4', 'alarms', { kind: 'address', address: 'picky@example.com' }],
    ['3', 'alarms', { kind: 'declined', why: 'user 3 wants no notifications' }],
    ['4', 'news', { kind: 'address', address: 'picky@example.com' }],
    ['9007199254740993', 'orders', { kind: 'address', address: 'far@example.com' }],
    ['4', 'orders', { kind: 'declined', why: 'user 4 wants no mail about "orders"' }],
    ['3', 'orders', { kind: 'declined', why: 'user 3 wants no notifications' }],
    ['2', 'orders', { kind: 'missing', why: 'user 2 has no address' }],
    ['5', 'orders', { kind: 'missing', why: 'there is no user 5' }],
    ['9223372036854775808', 'orders', { kind: 'missing', why: expect.stringMatching(/no user/) }],
    ["1' OR 1=1", 'orders', { kind: 'missing', why: expect.stringMatching(/no user/) }],
    ['', 'orders', { kind: 'missing', why: expect.stringMatching(/no user/) }],
  ])('user %j about %s', async (id, category, expected) => {
    expect(await resolveUser(env, id, category)).toEqual(expected)
  })

  it('guesses nothing when the database cannot be asked', async () => {
    const elsewhere = { ...env, NEON_ENDPOINT: `http://127.0.0.1:${await freePort()}/sql` }
    await expect(resolveUser(elsewhere, '1', 'orders')).rejects.toThrow(/^The database did not/)
  })

  it('the database keeps no address that is a list', async () => {
    const write = db.run("INSERT INTO users (name, email) VALUES ('x', 'a@x.org,b@x.org')")
    await expect(write).rejects.toMatchObject({ constraint: 'users_email_is_one' })
  })
})
