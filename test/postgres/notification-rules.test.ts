import { OpenAPIHono } from '@hono/zod-openapi'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { serveNeonEndpoint } from '../../dev/neon-endpoint.ts'
import { freePort } from '../../dev/ports.ts'
import type { DatabaseEnv } from '../../worker/api/database.ts'
import { notificationRules } from '../../worker/api/notification-rules.ts'
import { notFound, onError } from '../../worker/api/problem.ts'
import { askedBy } from '../support/asked-by.ts'
import { newestServer } from '../support/database.ts'
import { WatchedDatabase } from '../support/watched-database.ts'

const PATH = '/api/notification-rules'

const db = WatchedDatabase.on(newestServer)
let endpoint: Awaited<ReturnType<typeof serveNeonEndpoint>>
let env: DatabaseEnv

const app = new OpenAPIHono<{ Bindings: DatabaseEnv }>()
app.onError(onError)
app.notFound(notFound)
app.use(askedBy)
app.route('/', notificationRules)

beforeAll(async () => {
  endpoint = await serveNeonEndpoint(db.address.workerUrl, await freePort())
  env = { DATABASE_URL: db.address.workerUrl, NEON_ENDPOINT: endpoint.url }
})
afterAll(() => endpoint.close())

async function ask(method: string, path: string, body?: unknown, more: object = {}) {
  const init = {
    method,
    headers: { 'content-type': 'application/json', 'if-match': '*', ...more },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }
  const response = await app.request(path, init, env)
  const text = await response.text()
  const answer: Record<string, unknown> = text === '' ? {} : JSON.parse(text)
  const [location, tag] = ['location', 'etag'].map((name) => response.headers.get(name))
  return { status: response.status, body: answer, location, tag }
}

const arrived = {
  name: 'order-arrived',
  table: 'orders',
  ops: ['update'],
  when: { status: { became: ['delivered'] } },
  notification: {
    title: '{product_name} has arrived',
    link: '/orders/{id}',
    content: { order: '{id}', deep: { text: '{customer_name}' } },
  },
  category: 'orders',
  recipients: [{ user: 'customer_id' }],
}

describe('/api/notification-rules', () => {
  it('P86 what it writes, reads, changes and deletes is heard as changes of rules', async () => {
    const made = await ask('POST', PATH, arrived)
    expect(made).toMatchObject({
      status: 201,
      body: { ...arrived, enabled: true, version: 1, problem: null },
      location: `${PATH}/${made.body.id}`,
    })
    const path = made.location ?? ''
    expect(await ask('GET', path)).toMatchObject({ status: 200, body: made.body })
    const notification = { title: 'Arrived' }
    expect(await ask('PATCH', path, { notification, enabled: false })).toMatchObject({
      status: 200,
      body: { version: 2, enabled: false, notification: { title: 'Arrived', content: {} } },
    })
    expect(await ask('DELETE', path)).toMatchObject({ status: 204 })
    for (const [method, body] of [['GET'], ['DELETE'], ['PATCH', { enabled: true }]] as const)
      expect(await ask(method, path, body)).toMatchObject({ status: 404 })
    const heard = await db.changes()
    expect(heard.map(({ table, op }) => `${op} ${table}`)).toEqual([
      ...['insert rules', 'update rules', 'delete rules'],
    ])
    expect(heard[0]?.new).toMatchObject({ ...arrived, channel: 'inbox', template: null })
  })

  it('P99 names the version that it changes, and P100 is created once for a key', async () => {
    const given = { ...arrived, name: 'order-arrived-once' }
    const key = { 'idempotency-key': 'arrived' }
    const made = await ask('POST', PATH, given, key)
    expect(made).toMatchObject({ status: 201, tag: '"1"' })
    const path = made.location ?? ''
    const change = (tag: string) => ask('PATCH', path, { enabled: false }, { 'if-match': tag })
    expect(await change('"1"')).toMatchObject({ status: 200, tag: '"2"' })
    expect(await change('"1"')).toMatchObject({ status: 412, tag: '"2"' })
    expect(await ask('POST', PATH, given, key)).toMatchObject({
      ...{ status: 201, location: path, tag: '"2"', body: { enabled: false } },
    })
    expect(await ask('POST', PATH, given)).toMatchObject({ status: 409 })
    const remove = (tag: string) => ask('DELETE', path, undefined, { 'if-match': tag })
    expect(await remove('"1"')).toMatchObject({ status: 412 })
    expect(await remove('"2"')).toMatchObject({ status: 204 })
    expect(await ask('POST', PATH, given, key)).toMatchObject({ status: 409 })
  })

  it('lists what every database begins with, and fills in what is left out', async () => {
    const { name, table, recipients } = arrived
    const least = { name: `${name}-least`, table, recipients, notification: { title: 'Moved' } }
    expect(await ask('POST', PATH, least)).toMatchObject({
      body: { ops: ['insert', 'update'], when: {}, category: 'general', enabled: true },
    })
    const { body } = await ask('GET', PATH)
    expect(body.rules).toMatchObject([
      { id: 2, name: 'order-shipped', problem: null, recipients: [{ user: 'customer_id' }] },
      { name: least.name },
    ])
  })

  it('a name that is taken is a conflict, whatever channel has it', async () => {
    for (const name of ['order-shipped', 'order-filled'])
      expect(await ask('POST', PATH, { ...arrived, name })).toMatchObject({
        ...{ status: 409, body: { code: 'conflict' } },
      })
    const taken = await ask('PATCH', `${PATH}/2`, { name: 'order-filled' })
    expect(taken).toMatchObject({ status: 409 })
  })

  const told = (fields: object) => ({ notification: { ...arrived.notification, ...fields } })

  test.each<[string, Record<string, unknown>, string, RegExp]>([
    ['a table that is not watched', { table: 'invoices' }, 'table', /watched are notifications, o/],
    ['notifications themselves', { table: 'notifications' }, 'table', /without end/],
    ['a column of `when` there is not', { when: { stat: { is: 1 } } }, 'when.stat', /it has id, /],
    [
      'a user column there is not',
      { recipients: [{ user: 'x' }] },
      'recipients.0.user',
      /no column/,
    ],
    [
      'an address as a recipient',
      { recipients: [{ address: 'a@b.example' }] },
      'recipients.0.user',
      /./,
    ],
    ['no recipient', { recipients: [] }, 'recipients', /at least one/],
    [
      'a text of a column there is not',
      told({ title: '{name}' }),
      'notification',
      /no column "name"/,
    ],
    ['one deep in the content', told({ content: { a: ['{name}'] } }), 'notification', /no column/],
    ['no notification', { notification: undefined }, 'notification', /object with a title/],
    ['a blank title', told({ title: ' ' }), 'notification.title', /1 to 200/],
    [
      'a title of 201 characters',
      told({ title: 'x'.repeat(201) }),
      'notification.title',
      /1 to 200/,
    ],
    ['content that is a list', told({ content: [] }), 'notification.content', /an object/],
    [
      'a script as a link',
      told({ link: 'javascript:alert({id})' }),
      'notification.link',
      /https?:/,
    ],
    [
      'another site as a path',
      told({ link: '//evil.example' }),
      'notification.link',
      /begins with/,
    ],
    ['NUL', told({ content: { a: '\u0000' } }), 'notification.content.a', /NUL/],
    ['17 kB', told({ content: { a: 'x'.repeat(17_000) } }), 'notification', /at most 16384 bytes/],
    ['a field that is not known', told({ icon: 'bell' }), 'icon', /not known/],
    ['a template', { template: 'order-status' }, 'template', /not known/],
  ])('P60 refuses %s', async (_what, fields, path, message) => {
    const { status, body } = await ask('POST', PATH, { ...arrived, ...fields })
    expect(status).toBe(400)
    expect(body.code).toBe('invalid_body')
    const errors = body.errors as { path: string; message: string }[]
    expect(errors.map((error) => error.path)).toContain(path)
    expect(errors.find((error) => error.path === path)?.message).toMatch(message)
  })

  it('P60 refuses a change that makes a rule nonsense, an empty one, and an id that is none', async () => {
    const { location } = await ask('POST', PATH, { ...arrived, name: 'good' })
    const path = location ?? ''
    expect(await ask('PATCH', path, {})).toMatchObject({ status: 400 })
    expect(await ask('PATCH', path, { table: 'notifications' })).toMatchObject({ status: 400 })
    expect(await ask('PATCH', path, { table: 'users' })).toMatchObject({ status: 400 })
    expect(await ask('GET', `${PATH}/x`)).toMatchObject({
      status: 400,
      body: { code: 'invalid_id' },
    })
    expect(await ask('GET', path)).toMatchObject({ body: { version: 1 } })
  })

  it('a row that says nothing is listed with its problem, and can be switched off and deleted', async () => {
    const [row] = await db.run<{ id: string }>(`
      INSERT INTO rules (name, channel, "table", ops, notification, recipients)
      VALUES ('garbage', 'inbox', 'orders', '{update}', '{"title": 7}', '[{"user": "customer_id"}]')
      RETURNING id`)
    const path = `${PATH}/${row?.id}`
    expect((await ask('GET', path)).body.problem).toMatch(/^notification\.title: must be text/)
    expect(await ask('PATCH', path, { enabled: false })).toMatchObject({ body: { version: 2 } })
    expect(await ask('PATCH', path, { name: 'x' })).toMatchObject({ status: 400 })
    expect(await ask('DELETE', path)).toMatchObject({ status: 204 })
  })

  it('knows nothing of rules of other channels', async () => {
    expect(await ask('GET', `${PATH}/1`)).toMatchObject({ status: 404 })
    expect(await ask('PATCH', `${PATH}/1`, { enabled: false })).toMatchObject({ status: 404 })
    expect(await ask('DELETE', `${PATH}/1`)).toMatchObject({ status: 404 })
  })
})
