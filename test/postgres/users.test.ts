import { describe, expect, it, test } from 'vitest'
import { session } from '../support/database.ts'
import { AdminWorld, type Answer } from './admin-world.ts'

const world = new AdminWorld()
const { db } = world
const ask = world.ask.bind(world)

const ada = {
  name: 'Ada Lovelace',
  email: 'ada@example.com',
  can_receive_notifications: false,
  time_zone: 'Europe/London',
  quiet_hours: { from: '22:00', to: '07:30' },
  digest: 'daily',
  digest_at: '09:15',
}
const plain = {
  email: null,
  can_receive_notifications: true,
  time_zone: 'UTC',
  quiet_hours: null,
  digest: 'off',
  digest_at: '08:00',
  last_opened_at: null,
  version: 1,
}

const idsOf = ({ body }: Answer) => (body.users as { id: number }[]).map(({ id }) => id)
const briefly = async () => (await db.changes()).map(({ op, new: row }) => `${op} ${row?.id}`)

describe('/api/users', () => {
  it('creates, reads, changes and deletes one', async () => {
    const made = await ask('POST', '/api/users', ada)
    expect(made).toMatchObject({
      status: 201,
      body: { ...ada, last_opened_at: null, version: 1 },
      location: `/api/users/${made.body.id}`,
    })
    const path = made.location ?? ''
    expect(await ask('GET', path)).toMatchObject({ status: 200, body: made.body })
    const changes = { name: 'Ada', email: null, quiet_hours: null, can_receive_notifications: true }
    const changed = await ask('PATCH', path, changes)
    expect(changed).toMatchObject({
      status: 200,
      body: { ...ada, ...changes, version: 2, digest_at: '09:15' },
    })
    expect(await ask('DELETE', path)).toMatchObject({ status: 204 })
    for (const [method, body] of [['GET'], ['DELETE'], ['PATCH', changes]] as const)
      expect(await ask(method, path, body)).toMatchObject({
        status: 404,
        body: { code: 'not_found' },
      })
  })

  it('fills in what is left out, as an INSERT does', async () => {
    const { body: one } = await ask('POST', '/api/users', { name: 'Least' })
    const { body: given } = await ask('POST', '/api/users', { id: 70, name: 'Least' })
    const [row] = await db.run("INSERT INTO users (name) VALUES ('Least') RETURNING id")
    const { body: inserted } = await ask('GET', `/api/users/${row?.id}`)
    for (const each of [one, given, inserted])
      expect(each).toMatchObject({ name: 'Least', ...plain })
  })

  it('an inbox hears of its user’s change at once, with the row as the feed has it', async () => {
    const { body } = await ask('POST', '/api/users', ada)
    await db.changes()
    await ask('PATCH', `/api/users/${body.id}`, { quiet_hours: { from: '23:00', to: '06:00' } })
    const [change] = await db.changes()
    expect(world.told).toEqual([{ user: String(body.id), notifications: [], row: change?.new }])
  })

  it('an id that is there already is a conflict that says what to do', async () => {
    await ask('POST', '/api/users', { id: 90, name: 'First' })
    expect(await ask('POST', '/api/users', { id: 90, name: 'Second' })).toMatchObject({
      status: 409,
      body: { code: 'conflict', detail: expect.stringContaining('PATCH /api/users/90') },
    })
    expect((await ask('GET', '/api/users/90')).body.name).toBe('First')
  })

  test.each([
    ['one', { id: 500, name: 'Ada' }, 500],
    ['one that is far away', { id: 90_000, name: 'Ada' }, 90_000],
    ['a range', { from: 95_001, to: 95_020 }, 95_020],
  ])('an id that is given is never given again: %s', async (_, body, last) => {
    await ask('POST', '/api/users', body)
    const next = await ask('POST', '/api/users', { name: 'Next' })
    expect(next).toMatchObject({ status: 201, body: { id: last + 1 } })
    // An id below leaves the sequence where it is.
    await ask('POST', '/api/users', { id: 400 + last, name: 'Far' })
    await ask('POST', '/api/users', { id: 200 + last, name: 'Below' })
    expect((await ask('POST', '/api/users', { name: 'Next' })).body.id).toBe(401 + last)
  })

  it('who gives ids waits for who else does', async () => {
    const other = await session(db.address.url)
    await other.query('BEGIN')
    await other.query("SELECT pg_advisory_xact_lock(hashtextextended('belfry.users.id', 0))")
    const waiting = ask('POST', '/api/users', { id: 98_000, name: 'Patient' })
    await db.untilBlocked()
    await other.query('COMMIT')
    expect((await waiting).status).toBe(201)
  })

  it('a value that only Postgres refuses is refused in words', async () => {
    await db.run("ALTER TABLE users ADD CONSTRAINT no_eve CHECK (name <> 'Eve')")
    expect(await ask('POST', '/api/users', { name: 'Eve' })).toMatchObject({
      status: 422,
      body: { code: 'unprocessable', detail: expect.stringContaining('no_eve') },
    })
    await db.run('ALTER TABLE users DROP CONSTRAINT no_eve')
  })
})

describe('a range of users', () => {
  it('creates those that are not there, changes the others, and leaves what is so already', async () => {
    await ask('POST', '/api/users', { id: 1_002, name: 'Ada', email: 'customer-1002@example.com' })
    await ask('POST', '/api/users', { id: 1_003, name: 'Eve', email: 'eve@example.com' })
    await db.changes()
    const range = { from: 1_001, to: 1_004, email: 'customer-{n}@example.com', digest: 'hourly' }
    expect(await ask('POST', '/api/users', range)).toMatchObject({
      status: 200,
      body: { created: 2, changed: 2, unchanged: 0 },
    })
    expect(await briefly()).toEqual(['insert 1001', 'insert 1004', 'update 1002', 'update 1003'])
    expect((await ask('GET', '/api/users/1001')).body).toMatchObject({
      name: 'User 1001',
      email: 'customer-1001@example.com',
      digest: 'hourly',
    })
    expect((await ask('GET', '/api/users/1003')).body).toMatchObject({
      name: 'Eve',
      email: 'customer-1003@example.com',
    })
    expect((await ask('POST', '/api/users', range)).body).toEqual({
      created: 0,
      changed: 0,
      unchanged: 4,
    })
    expect(await briefly()).toEqual([])
  })

  it('a name with {n} names each', async () => {
    await ask('POST', '/api/users', { from: 2_001, to: 2_002, name: 'Nr. {n} of {n}' })
    expect((await ask('GET', '/api/users/2002')).body.name).toBe('Nr. 2002 of 2002')
  })
})

describe('the list of users', () => {
  it('goes from the newest on, page by page, and finds by name, address and id', async () => {
    for (const [id, name, email] of [
      [3_001, 'Zoe 100%', 'zoe@example.com'],
      [3_002, 'Zoë', null],
      [3_003, 'Yann', 'ZOE.yann@example.com'],
      [3_004, 'Xu_', null],
    ])
      await ask('POST', '/api/users', { id, name, email })
    const find = async (search: string, rest = '') =>
      ask('GET', `/api/users?search=${encodeURIComponent(search)}${rest}`)
    expect(idsOf(await find('zoe'))).toEqual([3_003, 3_001])
    expect(idsOf(await find('00%'))).toEqual([3_001])
    expect(idsOf(await find('u_'))).toEqual([3_004])
    expect(idsOf(await find('3002'))).toEqual([3_002])
    expect(idsOf(await find("'; drop"))).toEqual([])
    const first = await find('zoe', '&limit=1')
    const second = await find('zoe', `&limit=1&cursor=${first.body.next_cursor}`)
    expect([...idsOf(first), ...idsOf(second)]).toEqual([3_003, 3_001])
    expect(second.body.next_cursor).toBeNull()
    expect(idsOf(await ask('GET', '/api/users?limit=2'))).toHaveLength(2)
  })
})

describe('whose order it is', () => {
  const order = { customer_name: 'Ada', product_name: 'Engine', amount: 1 }

  it('is a user, or nobody', async () => {
    await ask('POST', '/api/users', { id: 4_001, name: 'Ada' })
    const { body } = await ask('POST', '/api/orders', { ...order, customer_id: 4_001 })
    expect(body).toMatchObject({ customer_id: 4_001 })
    const path = `/api/orders/${body.id}`
    expect((await ask('PATCH', path, { customer_id: null })).body.customer_id).toBeNull()
    await ask('PATCH', path, { customer_id: 4_001 })
    expect((await ask('PUT', path, { ...order, status: 'filled' })).body.customer_id).toBeNull()
    await ask('PATCH', path, { customer_id: 4_001 })
    await ask('DELETE', '/api/users/4001')
    expect((await ask('GET', path)).body.customer_id).toBeNull()
  })

  it('a user that is not there is refused by name', async () => {
    const { body } = await ask('POST', '/api/orders', order)
    for (const [method, path, sent] of [
      ['POST', '/api/orders', { ...order, customer_id: 4_444 }],
      ['PATCH', `/api/orders/${body.id}`, { customer_id: 4_444 }],
      ['PUT', `/api/orders/${body.id}`, { ...order, status: 'filled', customer_id: 4_444 }],
    ] as const)
      expect(await ask(method, path, sent)).toMatchObject({
        status: 422,
        body: {
          code: 'unknown_users',
          detail: expect.stringContaining('no user 4444'),
          errors: [{ path: 'customer_id' }],
        },
      })
  })
})
