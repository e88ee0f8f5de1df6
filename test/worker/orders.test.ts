import { OpenAPIHono } from '@hono/zod-openapi'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { formatCursor } from '../../worker/api/keyset.ts'
import { orders } from '../../worker/api/orders.ts'
import { notFound, onError, otherMethods } from '../../worker/api/problem.ts'
import { MAX_BODY_BYTES } from '../../worker/doors/strict-body.ts'
import { askedBy } from '../support/asked-by.ts'

/** The routes in workerd without a database; what the database does is in test/system. */
const app = new OpenAPIHono()
app.onError(onError)
app.notFound(notFound)
app.use(askedBy)
app.use(otherMethods(app))
app.route('/', orders)
app.get('/broken', () => {
  throw new TypeError('inner words')
})

const SECRET = 'hunter2'
const env = {
  DATABASE_URL: `postgres://app:${SECRET}@db.example.com/orders`,
  NEON_ENDPOINT: 'https://neon.test/sql',
  LINK_SECRET: 'a secret of the tests',
}
const order = { customer_name: 'Ada', product_name: 'Engine', amount: 12.5 }
const json = { 'Content-Type': 'application/json' }

let logged: string[]
let database: { statements: string[]; answer: () => Response | Promise<Response> }

beforeEach(() => {
  logged = []
  vi.spyOn(console, 'error').mockImplementation((line: string) => {
    logged.push(line)
  })
  database = {
    statements: [],
    answer: () => {
      throw new TypeError('fetch failed')
    },
  }
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (_input, init) => {
    database.statements.push(String(init?.body))
    return database.answer()
  })
})
afterEach(() => {
  vi.restoreAllMocks()
})

async function ask(path: string, init: RequestInit = {}, settings: object = env) {
  const response = await app.request(path, init, settings)
  const body = await response.json<Record<string, unknown>>()
  return { status: response.status, headers: response.headers, body }
}

function send(method: string, path: string, body: unknown) {
  return ask(path, { method, headers: json, body: JSON.stringify(body) })
}

describe('P60: what cannot be read never reaches the database', () => {
  afterEach(() => {
    expect(database.statements).toEqual([])
  })

  test('every refusal is an RFC 9457 problem', async () => {
    const { status, headers, body } = await ask('/api/orders/abc')
    expect(status).toBe(400)
    expect(headers.get('content-type')).toBe('application/problem+json')
    expect(body).toEqual({
      type: '/docs/problems#invalid_id',
      title: 'The id is not a whole number in range',
      status: 400,
      code: 'invalid_id',
      detail: 'id: must be a whole number from 1 to 9007199254740991',
      instance: '/api/orders/abc',
      request_id: expect.any(String),
      retry: false,
      errors: [{ path: 'id', message: 'must be a whole number from 1 to 9007199254740991' }],
    })
  })

  test.each(['0', '-1', '1.5', '1e3', '9007199254740992', '%00', '%zz', "1'--"])(
    'an id of %s',
    async (id) => {
      for (const method of ['GET', 'DELETE'])
        expect((await ask(`/api/orders/${id}`, { method })).body.code).toBe('invalid_id')
      expect((await send('PATCH', `/api/orders/${id}`, { status: 'filled' })).body.code).toBe(
        'invalid_id',
      )
    },
  )

  test.each([
    'limit=0',
    'limit=1000',
    'limit=ten',
    'sort=price',
    'status=full',
    'status=filled&status=shipped',
    'customer=%00',
    'colour=red',
  ])('a query of %s', async (query) => {
    expect(await ask(`/api/orders?${query}`)).toMatchObject({
      status: 400,
      body: { code: 'invalid_query', errors: [{ path: expect.any(String) }] },
    })
  })

  test.each(['', 'x', 'bm90IGpzb24', '%F0%9F%A7%AE', '{"sort":"-id"}'])(
    'a cursor of %j',
    async (cursor) => {
      expect((await ask(`/api/orders?cursor=${cursor}`)).body.code).toBe('invalid_cursor')
    },
  )

  test('a cursor of another sort', async () => {
    const cursor = await formatCursor(env, { sort: 'amount', value: 3, id: 1 })
    expect((await ask(`/api/orders?sort=-amount&cursor=${cursor}`)).body).toMatchObject({
      code: 'invalid_cursor',
      detail: expect.stringContaining('sort=amount'),
    })
  })

  test.each([
    ['POST', '/api/orders'],
    ['PUT', '/api/orders/1'],
    ['PATCH', '/api/orders/1'],
  ])('a body of %s %s', async (method, path) => {
    for (const body of ['', '{', '[]', 'null', '"x"', '7', '{"amount":}', '\ufeff'])
      expect(await ask(path, { method, headers: json, body })).toMatchObject({
        status: 400,
        body: { code: 'invalid_body' },
      })
    for (const fields of [
      {},
      { ...order, amount: 'much' },
      { ...order, id: 4 },
      { ...order, status: 'full' },
      { ...order, customer_id: 'ada' },
      { ...order, customer_id: 0 },
    ])
      expect(await send(method, path, fields)).toMatchObject({
        status: 400,
        body: { code: 'invalid_body', errors: expect.any(Array) },
      })
    expect((await ask(path, { method })).body.code).toBe('invalid_body')
  })

  test('a body with several faults: each is named', async () => {
    const { body } = await send('POST', '/api/orders', { customer_name: '', amount: -1, nmae: 1 })
    expect(body.errors).toEqual([
      { path: 'customer_name', message: 'must not be empty' },
      { path: 'product_name', message: 'must be text of 1 to 200 characters' },
      { path: 'amount', message: expect.stringContaining('from 0 to') },
      { path: 'nmae', message: 'is not known here; leave it out' },
    ])
    expect(body.detail).toBe('customer_name: must not be empty (and 3 more)')
  })

  test('a body with a thousand faults: not all are named', async () => {
    const strangers = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`f${n}`, n]))
    const { body } = await send('POST', '/api/orders', { ...order, ...strangers })
    expect(body.errors).toHaveLength(20)
  })

  test('a body that is not JSON by its header', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ])
      expect(
        await ask('/api/orders', {
          method: 'POST',
          headers: { 'Content-Type': type },
          body: JSON.stringify(order),
        }),
      ).toMatchObject({ status: 415, body: { code: 'unsupported_media_type' } })
  })

  test('a body that is too large, told or counted', async () => {
    const body = JSON.stringify({ ...order, customer_name: 'x'.repeat(MAX_BODY_BYTES) })
    const stream = new Blob([body]).stream()
    const told = await ask('/api/orders', { method: 'POST', headers: json, body })
    const counted = await ask('/api/orders', { method: 'POST', headers: json, body: stream })
    for (const answer of [told, counted])
      expect(answer).toMatchObject({ status: 413, body: { code: 'body_too_large' } })
  })

  test('a method that the path does not take', async () => {
    const { status, headers, body } = await ask('/api/orders', { method: 'DELETE' })
    expect({ status, code: body.code, allow: headers.get('allow') }).toEqual({
      status: 405,
      code: 'method_not_allowed',
      allow: 'GET, HEAD, POST',
    })
  })

  test('a path that is none', async () => {
    expect((await ask('/api/order')).body).toMatchObject({ status: 404, code: 'not_found' })
  })
})

describe('a database that fails', () => {
  test('to answer is 503 with a time to come back, and a lost write says that it may have happened', async () => {
    const read = await ask('/api/orders/1')
    expect(read).toMatchObject({ status: 503, body: { code: 'database_unavailable', retry: true } })
    expect(read.headers.get('retry-after')).toBe('5')
    expect(read.body.detail).not.toContain('look before')
    const written = await send('POST', '/api/orders', order)
    expect(written.body).toMatchObject({
      code: 'database_unavailable',
      detail: expect.stringContaining('look before you send it again'),
    })
  })

  test.each([
    [500, 'gateway trouble'],
    [200, 'not json'],
    [200, '{}'],
  ])('with HTTP %i %s is 503', async (status, text) => {
    database.answer = () => new Response(text, { status })
    expect((await ask('/api/orders/1')).status).toBe(503)
  })

  test.each([
    ['23514', 422, 'unprocessable'],
    ['23505', 409, 'conflict'],
    ['40001', 503, 'database_unavailable'],
    ['42P01', 500, 'internal'],
  ])('with SQLSTATE %s is %i, through the real driver', async (sqlstate, status, code) => {
    database.answer = () =>
      Response.json({ message: 'inner words', code: sqlstate, constraint: 'rule' }, { status: 400 })
    const answer = await send('POST', '/api/orders', order)
    expect(answer).toMatchObject({ status, body: { code } })
    expect(JSON.stringify(answer.body)).not.toMatch(/inner words|look before/)
  })

  test('is logged as one line of JSON, without the values that were sent', async () => {
    await send('POST', '/api/orders?', { ...order, customer_email: 'ada@example.com' })
    expect(logged).toHaveLength(1)
    expect(JSON.parse(logged[0] as string)).toMatchObject({
      message: 'a request failed',
      code: 'database_unavailable',
      method: 'POST',
      path: '/api/orders',
    })
    expect(logged[0]).not.toMatch(/ada@example|hunter2|\n/)
  })

  test.each(['', 'mysql://a:hunter2@b/c', 'hunter2'])(
    'to be configured (%j) says what to set and shows no secret',
    async (DATABASE_URL) => {
      const { status, body } = await ask('/api/orders', {}, { DATABASE_URL })
      expect(status).toBe(503)
      expect(body.detail).toContain('npx wrangler secret put DATABASE_URL')
      expect(JSON.stringify([body, logged])).not.toContain(SECRET)
    },
  )
})

test('an error of our own is a problem without its words, and is logged with them', async () => {
  const { status, body } = await ask('/broken?token=secret')
  expect(status).toBe(500)
  expect(body).toEqual({
    type: '/docs/problems#internal',
    title: 'Something failed on our side',
    status: 500,
    code: 'internal',
    instance: '/broken',
    request_id: expect.any(String),
    retry: true,
  })
  expect(logged).toEqual([expect.stringContaining('inner words')])
  expect(logged[0]).not.toContain('token')
})

test('the OpenAPI document describes each route with its problems', () => {
  const { paths, components } = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 't', version: '1' },
  })
  expect(Object.keys(paths?.['/api/orders'] ?? {})).toEqual(['get', 'post'])
  expect(Object.keys(paths?.['/api/orders/{id}'] ?? {})).toEqual(['get', 'put', 'patch', 'delete'])
  expect(Object.keys(paths?.['/api/orders']?.post?.responses ?? {})).toEqual(
    expect.arrayContaining(['201', '400', '409', '413', '415', '422', '500', '503']),
  )
  expect(Object.keys(components?.schemas ?? {})).toEqual(
    expect.arrayContaining([
      'Order',
      'NewOrder',
      'WholeOrder',
      'OrderChanges',
      'OrderPage',
      'Problem',
    ]),
  )
})
