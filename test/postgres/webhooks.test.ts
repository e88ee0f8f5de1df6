import { describe, expect, it, test, vi } from 'vitest'
import { readRegistered } from '../../worker/webhooks/registered.ts'
import { connect } from '../support/database.ts'
import { EndpointsWorld, filled, warehouse } from './endpoints-world.ts'

const world = new EndpointsWorld()
const { db } = world
const ask = world.ask.bind(world)
const register = world.register.bind(world)

describe('/api/webhooks', () => {
  it('P65 registers an endpoint, and shows its secret this once', async () => {
    const made = await ask('POST', '', warehouse)
    const { id } = made.body
    expect(made).toMatchObject({
      status: 201,
      location: `/api/webhooks/${id}`,
      body: {
        ...warehouse,
        enabled: true,
        version: 1,
        secret: 'whsec_shown once',
        health: { state: 'on', off_reason: null, failures: 0, counts: { parked: 1 } },
      },
    })
    expect(world.told).toEqual([
      { register: { id, url: warehouse.url, enabled: true, version: 1 } },
    ])
    const { secret: _, ...shown } = made.body
    expect(await ask('GET', `/${id}`)).toMatchObject({ status: 200, body: shown })
    expect(JSON.stringify(await ask('GET', `/${id}`))).not.toContain('whsec')
    expect(JSON.stringify(await ask('GET', ''))).not.toContain('whsec')
    expect(await readRegistered(world.env, String(id))).toEqual({
      kind: 'registered',
      endpoint: { id, url: warehouse.url, enabled: true, version: 1 },
    })
  })

  it('takes a rule without operations and condition for every row that comes, moves or goes', async () => {
    const id = await register({ rules: [{ table: 'orders' }] })
    expect((await ask('GET', `/${id}`)).body.rules).toEqual([
      { table: 'orders', ops: ['insert', 'update', 'delete'], when: {} },
    ])
  })

  it('lists them newest first, page by page', async () => {
    const ids = [await register(), await register(), await register()]
    const first = await ask('GET', '?limit=2')
    const next = await ask('GET', `?limit=2&cursor=${first.body.next_cursor}`)
    const listed = [first, next].flatMap(({ body }) => body.webhooks as { id: string }[])
    expect(listed.slice(0, 3).map(({ id }) => id)).toEqual(ids.toReversed())
    expect(listed[0]).toMatchObject({ rules: [filled] })
  })

  it('P69 replaces rules as a set, in one transaction, the new ones first', async () => {
    const id = await register({ rules: [filled, { table: 'orders', ops: ['delete'] }] })
    const other = await register()
    await db.run('TRUNCATE belfry.outbox')
    const rules = [{ table: 'orders', ops: ['insert'], when: { amount: { changed: true } } }]
    expect(await ask('PATCH', `/${id}`, { rules })).toMatchObject({ status: 200, body: { rules } })
    const rows = await db.run('SELECT "table", op FROM belfry.outbox ORDER BY id')
    expect(rows).toEqual(['insert', 'delete', 'delete'].map((op) => ({ table: 'rules', op })))
    expect((await ask('GET', `/${other}`)).body.rules).toEqual([filled])
    expect(await ask('PATCH', `/${id}`, { rules: [] })).toMatchObject({ body: { rules: [] } })
  })

  it('P69 rules that two people replace at once are those of the later one', async () => {
    const id = await register()
    const earlier = await connect(db.address.url)
    await earlier.query('BEGIN')
    await earlier.query('UPDATE webhook_endpoints SET enabled = enabled WHERE id = $1', [id])
    await earlier.query(
      "INSERT INTO rules (name, channel, \"table\", ops, endpoint) VALUES ('earlier', 'webhook', 'orders', '{delete}', $1)",
      [id],
    )
    const rules = [{ table: 'orders', ops: ['insert'], when: {} }]
    const later = ask('PATCH', `/${id}`, { rules })
    await db.untilBlocked()
    await earlier.query('COMMIT')
    await earlier.end()
    expect(await later).toMatchObject({ status: 200, body: { rules } })
    expect((await ask('GET', `/${id}`)).body.rules).toEqual(rules)
  })

  it('P66 tells the endpoint’s object of each change, and switches it on', async () => {
    const id = await register()
    world.told = []
    await ask('PATCH', `/${id}`, { enabled: false })
    await ask('PATCH', `/${id}`, { url: 'http://127.0.0.1:9999/new', description: 'moved' })
    await ask('PATCH', `/${id}`, { enabled: true })
    const endpoint = { id, url: 'http://127.0.0.1:9999/new', enabled: false, version: 3 }
    expect(world.told).toEqual([
      { configure: { ...endpoint, url: warehouse.url, version: 2 } },
      { configure: endpoint },
      { configure: { ...endpoint, enabled: true, version: 4 } },
      { switchOn: id },
    ])
    // It was on in Postgres all the time, and had switched itself off.
    await ask('PATCH', `/${id}`, { enabled: true })
    expect(world.told.slice(-2)).toEqual([
      { configure: { ...endpoint, enabled: true, version: 4 } },
      { switchOn: id },
    ])
  })

  it('P69 deletes an endpoint with its rules', async () => {
    const id = await register()
    world.told = []
    expect(await ask('DELETE', `/${id}`)).toMatchObject({ status: 204 })
    expect(world.told).toEqual([{ forget: id }])
    expect(await db.run('SELECT FROM rules WHERE endpoint = $1', [id])).toEqual([])
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['DELETE', '', undefined],
      ['PATCH', '', { enabled: true }],
      ['POST', '/rotate-secret', undefined],
    ] as const)
      expect(await ask(method, `/${id}${path}`, body)).toMatchObject({
        status: 404,
        body: { code: 'not_found' },
      })
    expect(await readRegistered(world.env, id)).toEqual({ kind: 'missing' })
  })

  it('P65 rotates a secret, and shows the new one this once', async () => {
    const id = await register()
    expect(await ask('POST', `/${id}/rotate-secret`)).toMatchObject({
      status: 200,
      body: { secret: 'whsec_new', previous_secret_until: '1970-01-01T00:00:00.000Z' },
    })
  })
})

describe('P60 P68: what cannot be registered', () => {
  test.each<{ fields: object; path: string; message: RegExp }>([
    { fields: { url: 'ftp://example.com' }, path: 'url', message: /https/ },
    { fields: { url: 'http://ada:secret@127.0.0.1/' }, path: 'url', message: /password/ },
    { fields: { url: `http://127.0.0.1/${'x'.repeat(2_048)}` }, path: 'url', message: /2048/ },
    { fields: { url: 42 }, path: 'url', message: /address/ },
    { fields: { rules: [] }, path: 'rules', message: /at least one/ },
    {
      fields: { rules: Array.from({ length: 21 }, () => filled) },
      path: 'rules',
      message: /at most 20/,
    },
    { fields: { rules: [{ table: 'nothing' }] }, path: 'rules.0.table', message: /watched are/ },
    {
      fields: { rules: [filled, { table: 'orders', when: { colour: { is: 1 } } }] },
      path: 'rules.1.when.colour',
      message: /no column/,
    },
    {
      fields: { rules: [{ table: 'orders', ops: ['upsert'] }] },
      path: 'rules.0.ops.0',
      message: /insert, update/,
    },
    {
      fields: { rules: [{ table: 'orders', when: { status: 'filled' } }] },
      path: 'rules.0.when.status',
      message: /one test/,
    },
    { fields: { description: 'x\u0000y' }, path: 'description', message: /control/ },
    { fields: { description: 'x'.repeat(1_001) }, path: 'description', message: /1000/ },
    { fields: { secret: 'whsec_mine' }, path: 'secret', message: /not known/ },
  ])('$path: $message', async ({ fields, path, message }) => {
    const { status, body } = await ask('POST', '', { ...warehouse, ...fields })
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'invalid_body' })
    expect(body.errors).toEqual(
      expect.arrayContaining([{ path, message: expect.stringMatching(message) }]),
    )
    expect(world.told).toEqual([])
  })

  test.each([
    'http://127.0.0.1:9999/',
    'https://127.0.0.1/',
    'https://[::1]/',
    'https://localhost/',
  ])('%s outside a local run, new or changed', async (url) => {
    const id = await register()
    world.told = []
    const abroad = { ...world.env, PUBLIC_URL: 'https://belfry.example.com' }
    for (const [method, path, body] of [
      ['POST', '', { ...warehouse, url }],
      ['PATCH', `/${id}`, { url }],
    ] as const)
      expect(await ask(method, path, body, {}, abroad)).toMatchObject({
        status: 400,
        body: { code: 'invalid_body', errors: [{ path: 'url' }] },
      })
    expect(world.told).toEqual([])
  })

  it('by the database leaves no object behind', async () => {
    await db.run(
      "ALTER TABLE webhook_endpoints ADD CONSTRAINT refused CHECK (description <> 'refuse me')",
    )
    const { status, body } = await ask('POST', '', { ...warehouse, description: 'refuse me' })
    expect({ status, code: body.code }).toEqual({ status: 422, code: 'unprocessable' })
    expect(world.told).toEqual([{ register: expect.anything() }, { forget: expect.any(String) }])
  })

  it('by its object leaves no row behind', async () => {
    const logged = vi.spyOn(console, 'error').mockReturnValue()
    world.registerFails = true
    const count = () => db.run('SELECT count(*) FROM webhook_endpoints')
    const before = await count()
    expect((await ask('POST', '', warehouse)).status).toBe(500)
    expect(logged).toHaveBeenCalledOnce()
    logged.mockRestore()
    expect(await count()).toEqual(before)
  })

  test.each(['?limit=0', '?limit=1&limit=2', '?cursor=x', '?colour=1', '/x', '/42'])(
    'asked for as %s',
    async (path) => {
      expect((await ask('GET', path)).status).toBe(400)
    },
  )

  it('changed to nothing', async () => {
    const id = await register()
    expect((await ask('PATCH', `/${id}`, {})).body.code).toBe('invalid_body')
  })
})
