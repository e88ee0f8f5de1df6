import { describe, expect, test, vi } from 'vitest'
import { AdminWorld } from './admin-world.ts'

const world = new AdminWorld()
const { db } = world
const order = { customer_name: 'Ada', product_name: 'Bell', amount: 12.5 }

const json = { 'content-type': 'application/json' }

const make = (key?: string, body: object = order, by = 'key:1') =>
  world.ask('POST', '/api/orders', body, {
    'asked-by': by,
    ...(key === undefined ? {} : { 'idempotency-key': key }),
  })
const patch = (id: unknown, body: object, ifMatch: string) =>
  world.ask('PATCH', `/api/orders/${id}`, body, { 'if-match': ifMatch })
const count = async () =>
  Number((await db.run<{ n: string }>('SELECT count(*) AS n FROM orders'))[0]?.n)
const auditOf = (id: unknown) =>
  db.run<{ action: string; principal: string; request: string; version: number; changed: object }>(
    `SELECT action, principal, request, version, changed FROM belfry.audit
      WHERE "table" = 'orders' AND key = $1 ORDER BY id`,
    [String(id)],
  )

describe('P99: an update', () => {
  test('names the version that it changes, and is told the next one', async () => {
    const { body, tag } = await make()
    expect(tag).toBe('"1"')
    expect((await world.ask('GET', `/api/orders/${body.id}`)).tag).toBe('"1"')
    const changed = await patch(body.id, { status: 'filled' }, '"1"')
    expect(changed).toMatchObject({ status: 200, tag: '"2"', body: { version: 2 } })
  })

  test('without a version is 428, if it could be done at all', async () => {
    const { body } = await make()
    for (const [method, given, code] of [
      ['PATCH', { status: 'filled' }, 'precondition_required'],
      ['PUT', { ...order, status: 'filled' }, 'precondition_required'],
      ['PATCH', { status: 7 }, 'invalid_body'],
    ] as const) {
      const init = { body: JSON.stringify(given), headers: json }
      const answer = await world.request(method, `/api/orders/${body.id}`, init)
      expect(await answer.json()).toMatchObject({ code })
    }
    expect((await world.ask('GET', `/api/orders/${body.id}`)).tag).toBe('"1"')
  })

  test('of a version that has moved on is 412, names the one that is there, and changes nothing', async () => {
    const { body } = await make()
    await patch(body.id, { status: 'filled' }, '"1"')
    for (const stale of ['"1"', '"3"', '1', '""', 'W/2', '"1", "3"', 'nonsense', '"2'])
      expect(await patch(body.id, { amount: 99 }, stale)).toMatchObject({
        status: 412,
        tag: '"2"',
        body: { code: 'precondition_failed', detail: expect.stringContaining('"2"') },
      })
    expect((await world.ask('GET', `/api/orders/${body.id}`)).body).toMatchObject({
      amount: 12.5,
      version: 2,
    })
  })

  test.each(['*', '"7", "1"', 'W/"1"', ' "1" '])('that names %s is taken', async (tag) => {
    const { body } = await make()
    expect(await patch(body.id, { amount: 3 }, tag)).toMatchObject({ status: 200 })
  })

  test('of what is not there is 404', async () => {
    for (const tag of ['*', '"1"'])
      expect(await patch(999_999_999, { amount: 3 }, tag)).toMatchObject({ status: 404 })
  })

  test('that changes nothing leaves the version, so the same tag still names it', async () => {
    const { body } = await make()
    expect(await patch(body.id, { amount: 12.5 }, '"1"')).toMatchObject({ tag: '"1"' })
    expect(await patch(body.id, { amount: 1 }, '"1"')).toMatchObject({ tag: '"2"' })
  })

  test('of two at once with one version, one is done and the other is told', async () => {
    for (let round = 0; round < 10; round++) {
      const { body } = await make()
      const answers = await Promise.all(
        [1, 2, 3].map((amount) => patch(body.id, { amount }, '"1"')),
      )
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412])
    }
  })

  test('waits for a writer of SQL that holds the row, and then sees what that wrote', async () => {
    const { body } = await make()
    await db.run('BEGIN')
    await db.run('UPDATE orders SET amount = 77 WHERE id = $1', [body.id])
    const waiting = patch(body.id, { amount: 3 }, '"1"')
    await db.untilBlocked()
    await db.run('COMMIT')
    expect(await waiting).toMatchObject({ status: 412, tag: '"2"' })
  })

  test('a delete names a version if it likes to', async () => {
    const { body } = await make()
    const gone = (tag?: string) =>
      world.ask('DELETE', `/api/orders/${body.id}`, undefined, tag ? { 'if-match': tag } : {})
    expect(await gone('"2"')).toMatchObject({ status: 412, tag: '"1"' })
    expect(await gone()).toMatchObject({ status: 204 })
    expect(await gone('"1"')).toMatchObject({ status: 404 })
  })
})

describe('P100: a create with an Idempotency-Key', () => {
  test('is done once, and answered again with what it made, as that is now', async () => {
    const first = await make('once')
    expect(first.status).toBe(201)
    await patch(first.body.id, { status: 'filled' }, '"1"')
    const before = await count()
    const again = await make('once', { amount: 12.5, product_name: 'Bell', customer_name: 'Ada' })
    expect(again).toMatchObject({
      status: 201,
      location: first.location,
      tag: '"2"',
      body: { id: first.body.id, status: 'filled' },
    })
    expect(await count()).toBe(before)
    expect(await auditOf(first.body.id)).toHaveLength(2)
  })

  test('with another body is 422', async () => {
    await make('twice')
    expect(await make('twice', { ...order, amount: 13 })).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_reused' },
    })
  })

  test('is of whoever sent it: the same key of another is another create', async () => {
    const one = await make('shared', order, 'key:1')
    const other = await make('shared', order, 'key:2')
    expect(other).toMatchObject({ status: 201 })
    expect(other.body.id).not.toBe(one.body.id)
  })

  test('whose order is deleted since says so', async () => {
    const { body } = await make('gone')
    await world.ask('DELETE', `/api/orders/${body.id}`)
    expect(await make('gone')).toMatchObject({
      status: 409,
      body: { code: 'conflict', detail: expect.stringContaining('deleted since') },
    })
  })

  test('at the same time as the same is 409 with a time to come back, and then answered', async () => {
    await db.run('BEGIN')
    await db.run('LOCK TABLE orders IN SHARE MODE')
    const first = make('at-once')
    await db.untilBlocked()
    const second = await world.request('POST', '/api/orders', {
      body: JSON.stringify(order),
      headers: { ...json, 'asked-by': 'key:1', 'idempotency-key': 'at-once' },
    })
    expect(second.headers.get('retry-after')).toBe('1')
    expect(await second.json()).toMatchObject({ status: 409, code: 'idempotency_in_progress' })
    await db.run('COMMIT')
    const { body } = await first
    expect((await make('at-once')).body.id).toBe(body.id)
  })

  test('many at once make one', async () => {
    const before = await count()
    const answers = await Promise.all(Array.from({ length: 12 }, () => make('storm')))
    expect(await count()).toBe(before + 1)
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 409]))
  })

  test('that is refused or fails claims nothing', async () => {
    expect(await make('free', { ...order, amount: -1 })).toMatchObject({ status: 400 })
    expect(await make('free', { ...order, customer_id: 999_999 })).toMatchObject({ status: 422 })
    expect(await db.run("SELECT FROM belfry.idempotency_keys WHERE key = 'free'")).toEqual([])
    expect(await make('free')).toMatchObject({ status: 201 })
  })

  test('that is none of ours is refused', async () => {
    for (const key of ['', 'a b', 'é', 'x'.repeat(256)])
      expect(await make(key)).toMatchObject({ status: 400, body: { code: 'invalid_query' } })
    expect(await make('x'.repeat(255))).toMatchObject({ status: 201 })
  })

  test('is forgotten a day later, however many others are', async () => {
    await db.run(
      `INSERT INTO belfry.idempotency_keys (principal, key, body_hash, created_at)
       SELECT 'key:9', 'old ' || n, '', now() - interval '2 days' FROM generate_series(1, 3000) AS n`,
    )
    const first = await make('old')
    await db.run(
      "UPDATE belfry.idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'old'",
    )
    const again = await make('old', { ...order, amount: 14 })
    expect(again).toMatchObject({ status: 201 })
    expect(again.body.id).not.toBe(first.body.id)
  })

  test('without a key is one of its own each time', async () => {
    const ids = new Set([(await make()).body.id, (await make()).body.id])
    expect(ids.size).toBe(2)
  })
})

describe('P104: what is changed', () => {
  test('is written down with who changed it, in which request, from what to what', async () => {
    const made = await make(undefined, order, 'key:7')
    const { id } = made.body
    const changed = await world.ask(
      'PATCH',
      `/api/orders/${id}`,
      { amount: 20 },
      { 'asked-by': 'user:42', 'if-match': '"1"' },
    )
    await world.ask('DELETE', `/api/orders/${id}`)
    expect(await auditOf(id)).toEqual([
      {
        action: 'insert',
        principal: 'key:7',
        request: made.request,
        version: 1,
        changed: expect.objectContaining({ amount: [null, 12.5], customer_name: [null, 'Ada'] }),
      },
      {
        action: 'update',
        principal: 'user:42',
        request: changed.request,
        version: 2,
        changed: {
          amount: [12.5, 20],
          version: [1, 2],
          updated_at: [expect.any(String), expect.any(String)],
        },
      },
      {
        action: 'delete',
        principal: 'operator',
        request: expect.any(String),
        version: 2,
        changed: expect.objectContaining({ amount: [20, null] }),
      },
    ])
  })

  test('and what is written down commit together or not at all', async () => {
    const { body } = await make()
    await db.run(
      `CREATE FUNCTION refuse_late() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN RAISE EXCEPTION 'late' USING ERRCODE = '23514'; END $$;
       CREATE CONSTRAINT TRIGGER late AFTER UPDATE OR INSERT ON orders DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION refuse_late()`,
    )
    try {
      expect(await patch(body.id, { amount: 3 }, '"1"')).toMatchObject({ status: 422 })
      expect(await make('late')).toMatchObject({ status: 422 })
    } finally {
      await db.run('DROP TRIGGER late ON orders; DROP FUNCTION refuse_late()')
    }
    expect(await auditOf(body.id)).toHaveLength(1)
    expect(await db.run("SELECT FROM belfry.idempotency_keys WHERE key = 'late'")).toEqual([])
    await db.run('ALTER TABLE belfry.audit RENAME TO audit_away')
    const logged = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    try {
      expect(await patch(body.id, { amount: 3 }, '"1"')).toMatchObject({ status: 500 })
      expect(logged).toHaveBeenCalledOnce()
    } finally {
      logged.mockRestore()
      await db.run('ALTER TABLE belfry.audit_away RENAME TO audit')
    }
    expect((await world.ask('GET', `/api/orders/${body.id}`)).tag).toBe('"1"')
  })

  test('what changes nothing, or is written by SQL, is not', async () => {
    const { body } = await make()
    await patch(body.id, { amount: 12.5 }, '"1"')
    await db.run('UPDATE orders SET amount = 1 WHERE id = $1', [body.id])
    expect(await auditOf(body.id)).toHaveLength(1)
  })
})
