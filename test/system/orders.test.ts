import { beforeAll, describe, expect, test } from 'vitest'
import { ask, create, database, INSTANT, type Order, run, walk } from './shop.ts'

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

  test('P99 P100 is changed by whoever has read it, and created once for a key', async () => {
    const order = { customer_name: run, product_name: 'Engine', amount: 1 }
    const key = { 'Idempotency-Key': crypto.randomUUID() }
    const made = await ask<Order>('/api/orders', 'POST', order, key)
    const path = made.location ?? ''
    const change = (amount: number) =>
      ask(path, 'PATCH', { amount }, { 'If-Match': made.tag ?? '' })
    const changed = await change(2)
    expect(changed).toMatchObject({ status: 200, tag: '"2"' })
    expect(await change(3)).toMatchObject({ status: 412, tag: '"2"' })
    expect(await ask('/api/orders', 'POST', order, key)).toMatchObject({
      ...{ status: 201, location: path, body: changed.body },
    })
    const life = await ask<{ versions: object[] }>(`${path}/life`)
    expect(life.body.versions).toMatchObject([
      { version: 1, by: 'operator' },
      { version: 2, changed: { amount: [1, 2] } },
    ])
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
        customer_id: null,
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
