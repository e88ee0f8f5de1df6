import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

/**
 * Orders through a running system: worker, HTTP driver, Postgres. `BELFRY_LOCAL` is the path of
 * its local.json. Every order made here bears a name of this run, and is deleted after it.
 */
type Local = { url: string; databaseUrl: string }
type Order = {
  id: number
  customer_name: string
  product_name: string
  status: string
  amount: number
  customer_email: string | null
  version: number
  created_at: string
  updated_at: string
}

const file = process.env.BELFRY_LOCAL
if (!file) throw new Error('Set BELFRY_LOCAL to the path of a running system’s .belfry/local.json.')
const local: Local = JSON.parse(readFileSync(file, 'utf8'))
const run = `Run ${crypto.randomUUID()}`
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+00:00$/

const database = new pg.Client({ connectionString: local.databaseUrl })
beforeAll(() => database.connect())
afterAll(async () => {
  await database.query('DELETE FROM orders WHERE starts_with(customer_name, $1)', [run])
  await database.end()
})

async function ask<Body = Record<string, unknown>>(path: string, method = 'GET', body?: unknown) {
  const response = await fetch(local.url + path, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const type = response.headers.get('content-type')
  return {
    status: response.status,
    location: response.headers.get('location'),
    type,
    body: (text === '' ? null : JSON.parse(text)) as Body,
  }
}

async function create(fields: object = {}): Promise<Order> {
  const order = { customer_name: run, product_name: 'Engine', amount: 12.5, ...fields }
  const { status, body } = await ask<Order>('/api/orders', 'POST', order)
  expect({ status, body }).toMatchObject({ status: 201 })
  return body
}

/** Every page of a list, as a client walks them. */
async function walk(query: string): Promise<Order[]> {
  const found: Order[] = []
  let cursor: string | null = null
  do {
    const from: string = cursor === null ? '' : `&cursor=${cursor}`
    const { body } = await ask<{ orders: Order[]; next_cursor: string | null }>(
      `/api/orders?customer=${encodeURIComponent(run)}&${query}${from}`,
    )
    found.push(...body.orders)
    cursor = body.next_cursor
  } while (cursor !== null)
  return found
}

describe('an order', () => {
  test('is created with the database’s defaults, and is found at its Location', async () => {
    const order = { customer_name: ` ${run} `, product_name: 'Engine', amount: '19.90' }
    const created = await ask<Order>('/api/orders', 'POST', order)
    expect(created).toMatchObject({
      status: 201,
      location: `/api/orders/${created.body.id}`,
      type: 'application/json',
      body: {
        customer_name: run,
        product_name: 'Engine',
        status: 'pending',
        amount: 19.9,
        customer_email: null,
        version: 1,
        created_at: expect.stringMatching(INSTANT),
        updated_at: created.body.created_at,
      },
    })
    expect(await ask(created.location ?? '')).toMatchObject({ status: 200, body: created.body })
  })

  test('reads exactly as Postgres puts it into a change', async () => {
    const { id } = await create({ customer_email: 'ada@example.com', amount: 99_999_999.99 })
    await database.query(
      `UPDATE orders SET created_at = '1999-12-31 23:59:59.000120-01' WHERE id = $1`,
      [id],
    )
    const { rows } = await database.query<{ image: string }>(
      `SELECT to_json(o)::text AS image FROM orders o, set_config('timezone', 'UTC', false) WHERE id = $1`,
      [id],
    )
    const { body } = await ask(`/api/orders/${id}`)
    expect(body).toEqual(JSON.parse(rows[0]?.image ?? ''))
    expect(Object.keys(body)).toEqual(Object.keys(JSON.parse(rows[0]?.image ?? '')))
  })

  test('takes a status in any case, also from others who write', async () => {
    expect((await create({ status: 'FiLLed' })).status).toBe('filled')
    const { id } = await create()
    await database.query(`UPDATE orders SET status = 'SHIPPED' WHERE id = $1`, [id])
    expect((await ask<Order>(`/api/orders/${id}`)).body.status).toBe('shipped')
  })

  test('grows its version by one with each update, and by none without a change', async () => {
    const { id, created_at } = await create()
    const versions: number[] = []
    for (const changes of [{ status: 'filled' }, { status: 'Filled' }, { amount: 13 }]) {
      const { body } = await ask<Order>(`/api/orders/${id}`, 'PATCH', changes)
      versions.push(body.version)
      expect(body.created_at).toBe(created_at)
    }
    expect(versions).toEqual([2, 2, 3])
  })

  test('changes only what PATCH names', async () => {
    const before = await create({ customer_email: 'ada@example.com', status: 'shipped' })
    const { body } = await ask<Order>(`/api/orders/${before.id}`, 'PATCH', { product_name: 'Mill' })
    const { version, updated_at } = body
    expect(body).toEqual({ ...before, product_name: 'Mill', version, updated_at })
  })

  test('is whole after PUT: an address that is left out is taken away', async () => {
    const { id, created_at } = await create({ customer_email: 'ada@example.com' })
    const whole = { customer_name: run, product_name: 'Mill', amount: 1, status: 'delivered' }
    const { status, body } = await ask<Order>(`/api/orders/${id}`, 'PUT', whole)
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        ...whole,
        id,
        customer_email: null,
        version: 2,
        created_at,
        updated_at: body.updated_at,
      },
    })
    expect(body.updated_at > created_at).toBe(true)
  })

  test('is gone after DELETE, and then nothing more can be done to it', async () => {
    const { id } = await create()
    expect(await ask(`/api/orders/${id}`, 'DELETE')).toMatchObject({ status: 204, body: null })
    const whole = { customer_name: run, product_name: 'Mill', amount: 1, status: 'delivered' }
    for (const [method, body] of [
      ['GET'],
      ['DELETE'],
      ['PATCH', { amount: 1 }],
      ['PUT', whole],
    ] as const)
      expect(await ask(`/api/orders/${id}`, method, body)).toMatchObject({
        status: 404,
        type: 'application/problem+json',
        body: { code: 'not_found', detail: `There is no order ${id}.` },
      })
  })

  test('keeps any text that may be stored, to the letter', async () => {
    const odd = `${run} '"\\%_$1 \u{1f9ee} ; DROP TABLE orders; --`
    expect((await create({ customer_name: odd, product_name: odd })).product_name).toBe(odd)
  })
})

describe('a list', () => {
  const sorts = ['id', 'created_at', 'updated_at', 'amount', 'customer_name']

  beforeAll(async () => {
    // Few distinct values, and times a microsecond apart: ties and near-ties everywhere.
    await database.query(
      `INSERT INTO orders (customer_name, product_name, status, amount, created_at, updated_at)
       SELECT $1 || ' ' || (array['Ada', 'ada', 'Äda', 'Bob_', 'B%b'])[1 + n % 5], 'Listed',
              (array['pending', 'filled', 'shipped'])[1 + n % 3], (n % 4) / 4.0,
              timestamptz '2026-01-01' + (n % 6) * interval '1 microsecond',
              timestamptz '2026-01-01' + (n % 2) * interval '1 microsecond'
         FROM generate_series(1, 60) AS n`,
      [run],
    )
  })

  test.each(sorts.flatMap((sort) => [sort, `-${sort}`]))(
    'by %s is walked without a gap or a repetition, in the order of one large page',
    async (sort) => {
      const whole = await walk(`sort=${sort}&limit=200`)
      expect(whole.length).toBeGreaterThanOrEqual(60)
      for (const limit of [1, 7]) {
        const ids = (await walk(`sort=${sort}&limit=${limit}`)).map(({ id }) => id)
        expect(ids).toEqual(whole.map(({ id }) => id))
      }
      const { rows } = await database.query<{ id: string }>(
        `SELECT id FROM orders WHERE starts_with(customer_name, $1) ORDER BY ${sort.replace('-', '')} ${
          sort.startsWith('-') ? 'DESC, id DESC' : ', id'
        }`,
        [run],
      )
      expect(whole.map(({ id }) => id)).toEqual(rows.map(({ id }) => Number(id)))
    },
  )

  test('is not shifted by rows that come and go under way', async () => {
    const before = (await walk('sort=id&limit=200')).map(({ id }) => id)
    const first = await ask<{ orders: Order[]; next_cursor: string }>(
      `/api/orders?customer=${run}&sort=id&limit=5`,
    )
    await database.query('DELETE FROM orders WHERE id = ANY($1)', [before.slice(0, 3)])
    const rest = await ask<{ orders: Order[] }>(
      `/api/orders?customer=${run}&sort=id&limit=200&cursor=${first.body.next_cursor}`,
    )
    const seen = [...first.body.orders, ...rest.body.orders].map(({ id }) => id)
    expect(seen.slice(0, before.length)).toEqual(before)
  })

  test('has the newest first and fifty a page, if nothing else is said', async () => {
    const { body } = await ask<{ orders: Order[]; next_cursor: string | null }>('/api/orders')
    expect(body.orders).toHaveLength(50)
    expect(body.next_cursor).toEqual(expect.any(String))
    const ids = body.orders.map(({ id }) => id)
    expect(ids).toEqual(ids.toSorted((a, b) => b - a))
  })

  test('filters by one or several statuses, in any case', async () => {
    const all = await walk('limit=200')
    for (const [query, wanted] of [
      ['FILLED', ['filled']],
      ['filled,Shipped', ['filled', 'shipped']],
    ] as const) {
      const found = await walk(`status=${query}&limit=200`)
      expect(found).toEqual(all.filter(({ status }) => wanted.some((one) => one === status)))
      expect(found.length).toBeGreaterThan(0)
    }
  })

  test.each([
    ['ada', true],
    ['ADA', true],
    ['bob_', true],
    ['b%b', true],
    ['b_b', false],
    ['a%a', false],
    ['\\', false],
  ])('with %j in the customer’s name, taken to the letter: %s', async (part, any) => {
    const { rows } = await database.query<{ id: string }>(
      `SELECT id FROM orders WHERE starts_with(customer_name, $1) AND product_name = 'Listed'
          AND position(lower($2) in lower(customer_name)) > 0 ORDER BY id DESC`,
      [run, `${run} ${part}`],
    )
    const { body } = await ask<{ orders: Order[] }>(
      `/api/orders?limit=200&customer=${encodeURIComponent(`${run} ${part}`)}`,
    )
    const found = body.orders.filter(({ product_name }) => product_name === 'Listed')
    expect(found.map(({ id }) => id)).toEqual(rows.map(({ id }) => Number(id)))
    expect(found.length > 0).toBe(any)
  })
})

describe('P60: bad input gets a problem', () => {
  test.each([
    ['GET', '/api/orders/abc', undefined, 400, 'invalid_id'],
    ['GET', '/api/orders/0', undefined, 400, 'invalid_id'],
    ['GET', '/api/orders/9007199254740992', undefined, 400, 'invalid_id'],
    ['GET', '/api/orders/9007199254740991', undefined, 404, 'not_found'],
    ['GET', '/api/orders?limit=0', undefined, 400, 'invalid_query'],
    ['GET', '/api/orders?cursor=x', undefined, 400, 'invalid_cursor'],
    ['POST', '/api/orders', {}, 400, 'invalid_body'],
    [
      'POST',
      '/api/orders',
      { customer_name: 'a\0', product_name: 'b', amount: 1 },
      400,
      'invalid_body',
    ],
    [
      'POST',
      '/api/orders',
      { customer_name: 'a', product_name: 'b', amount: 1.005 },
      400,
      'invalid_body',
    ],
    ['PUT', '/api/orders/1', { amount: 1 }, 400, 'invalid_body'],
    ['PATCH', '/api/orders/1', {}, 400, 'invalid_body'],
    ['PATCH', '/api/orders/1', { version: 7 }, 400, 'invalid_body'],
    ['DELETE', '/api/orders/-1', undefined, 400, 'invalid_id'],
  ] as const)('%s %s %j: %i %s', async (method, path, body, status, code) => {
    const answer = await ask(path, method, body)
    expect(answer).toMatchObject({
      status,
      type: 'application/problem+json',
      body: { code, status, type: `/docs/problems#${code}`, instance: path.split('?')[0] },
    })
  })

  test('whatever the body, the answer is a problem or an order', async () => {
    const value = fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' }), fc.double())
    const body = fc.record(
      {
        customer_name: value,
        product_name: value,
        amount: value,
        status: value,
        customer_email: value,
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(fc.oneof(body, fc.jsonValue()), async (tried) => {
        const answer = await ask<Record<string, unknown>>('/api/orders', 'POST', tried)
        if (answer.status === 201) await ask(answer.location ?? '', 'DELETE')
        else expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_body' } })
      }),
      { numRuns: 200 },
    )
  })

  test('whatever the cursor, the answer is a problem or a page', async () => {
    const json = fc.record({
      sort: fc.constantFrom('-id', 'id', 'created_at'),
      value: fc.jsonValue(),
      id: fc.jsonValue(),
    })
    const cursor = fc.oneof(
      fc.string(),
      fc.jsonValue().map(encode),
      json.map(encode),
      fc
        .record({
          sort: fc.constant('created_at'),
          value: fc
            .date({ noInvalidDate: true })
            .map((date) => date.toISOString().replace('Z', '+00:00')),
          id: fc.nat(),
        })
        .map(encode),
    )
    await fc.assert(
      fc.asyncProperty(cursor, fc.constantFrom('-id', 'created_at'), async (text, sort) => {
        const { status, body } = await ask(
          `/api/orders?sort=${sort}&cursor=${encodeURIComponent(text)}`,
        )
        if (status !== 200) expect(body).toMatchObject({ status: 400, code: 'invalid_cursor' })
      }),
      { numRuns: 200 },
    )
  })
})

function encode(json: unknown): string {
  return Buffer.from(JSON.stringify(json)).toString('base64url')
}
