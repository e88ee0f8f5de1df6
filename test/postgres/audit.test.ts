import { describe, expect, it } from 'vitest'
import { AdminWorld, type Answer } from './admin-world.ts'

const world = new AdminWorld()
const { db } = world
const ask = world.ask.bind(world)
type Entry = Record<string, unknown> & { id: number }

const by = (name: string, more: object = {}) => ({ 'asked-by': name, ...more })
const auditOf = async (query: string) =>
  (await ask('GET', `/api/audit?${query}`)).body.audit as Entry[]
const oldestFirst = async (query: string) => (await auditOf(query)).toReversed()
const ofRequest = ({ request }: Answer) => oldestFirst(`request=${request}`)

describe('P104 the audit', () => {
  it('of a user says who changed what, also what became of others by it', async () => {
    const made = await ask('POST', '/api/users', { name: 'Ada' }, by('key:7'))
    const { id } = made.body
    const order = { customer_name: 'Ada', product_name: 'Bell', amount: 1, customer_id: id }
    const placed = await ask('POST', '/api/orders', order, by(`user:${id}`))
    await ask('POST', '/api/notifications', { user_id: id, title: 'Hello' })
    const gone = await ask('DELETE', `/api/users/${id}`, undefined, by('operator'))
    expect(await ofRequest(made)).toMatchObject([
      { principal: 'key:7', name: null, action: 'insert', table: 'users', key: String(id) },
    ])
    // Its notifications went with it, and are not told one by one.
    const became = await ofRequest(gone)
    expect(became.map(({ action, table, key }) => `${action} ${table} ${key}`).sort()).toEqual([
      `delete users ${id}`,
      `insert revocations user:${id}`,
      `update orders ${placed.body.id}`,
    ])
    expect(became.find(({ table }) => table === 'orders')?.changed).toMatchObject({
      customer_id: [id, null],
    })
  })

  it('of many rows is one, with what was counted, and the same range again is answered the same', async () => {
    const range = { from: 5_001, to: 5_020, name: 'Customer {n}' }
    const headers = by('key:7', { 'idempotency-key': 'range' })
    const first = await ask('POST', '/api/users', range, headers)
    expect(first).toMatchObject({ status: 200, body: { created: 20, changed: 0, unchanged: 0 } })
    expect(await ofRequest(first)).toMatchObject([
      { action: 'load', table: 'users', key: '5001-5020', changed: { created: 20, changed: 0 } },
    ])
    const again = await ask('POST', '/api/users', range, headers)
    expect(again).toMatchObject({ status: 200, body: first.body })
    expect(await ofRequest(again)).toEqual([])
  })

  it('of a load is one, however many transactions it takes', async () => {
    const lines = Array.from({ length: 2_500 }, (_, n) => ({ id: 6_001 + n, name: 'Loaded' }))
    const response = await world.request('POST', '/api/users/load', {
      body: lines.map((line) => JSON.stringify(line)).join('\n'),
      headers: { 'content-type': 'application/x-ndjson', 'asked-by': 'key:7' },
    })
    expect(await response.text()).toContain('"done":true,"lines":2500,"created":2500')
    expect(await auditOf(`request=${response.headers.get('x-request-id')}`)).toMatchObject([
      { principal: 'key:7', action: 'load', changed: { created: 2_500, changed: 0 } },
    ])
  })

  it('of telling many, and of redriving many, is one; of cancelling one, that', async () => {
    await ask('POST', '/api/users', { from: 9_001, to: 9_003 })
    const told = await ask('POST', '/api/notifications', {
      ...{ user_ids: [9_001, 9_002, 9_003], title: 'News' },
      scheduled_at: '2999-01-01T08:00:00Z',
    })
    expect(await ofRequest(told)).toMatchObject([
      { action: 'notify', table: 'notifications', changed: { title: 'News', notifications: 3 } },
    ])
    const [first] = told.body.ids as number[]
    const cancelled = await ask('POST', `/api/notifications/${first}/cancel`)
    expect(await ofRequest(cancelled)).toMatchObject([
      { action: 'update', key: String(first), changed: { state: ['scheduled', 'cancelled'] } },
    ])
    const filter = { state: ['cancelled'] }
    const redriven = await ask('POST', '/api/notifications/redrive', { filter })
    expect(redriven.body).toMatchObject({ redriven: 1 })
    expect(await ofRequest(redriven)).toMatchObject([
      { action: 'redrive', table: 'notifications', key: 'many', changed: { redriven: 1 } },
    ])
  })

  it('keeps nothing of what notifications hold', async () => {
    await ask('POST', '/api/users', { id: 9_100, name: 'Bob' })
    const made = await ask('POST', '/api/notifications', { user_id: 9_100, title: 'T' })
    const [id] = made.body.ids as number[]
    const changed = await ask('PATCH', `/api/notifications/${id}`, { content: { pin: 1234 } })
    expect(await ofRequest(changed)).toMatchObject([{ changed: { content: [] } }])
    expect(JSON.stringify(await ofRequest(changed))).not.toContain('1234')
  })

  it('names who it was, whatever has been said there', async () => {
    await ask('POST', '/api/users', { id: 9_200, name: 'Grace' })
    const names = [
      'user:9200',
      'user:88888888',
      'user:abc',
      'key:99999999999999999999',
      'token:9200',
    ]
    for (const name of names) await ask('POST', '/api/users', { name: 'One of them' }, by(name))
    const said = await Promise.all(names.map((name) => auditOf(`principal=${name}`)))
    expect(said.flat().map(({ name }) => name)).toEqual(['Grace', null, null, null, null])
  })

  it('is listed newest first, page by page, by who, what, which and when', async () => {
    const { body } = await ask('POST', '/api/users', { name: 'Paged' }, by('key:8'))
    const path = `/api/users/${body.id}`
    for (const name of ['a', 'b', 'c', 'd']) await ask('PATCH', path, { name }, by('key:8'))
    const query = `principal=key:8&table=users&key=${body.id}`
    const all = await auditOf(query)
    expect(all.map(({ version }) => version)).toEqual([5, 4, 3, 2, 1])
    const pages: Entry[] = []
    for (let cursor: unknown = ''; cursor !== null; ) {
      const { body } = await ask('GET', `/api/audit?${query}&limit=2${cursor}`)
      pages.push(...(body.audit as Entry[]))
      cursor = body.next_cursor === null ? null : `&cursor=${body.next_cursor}`
    }
    expect(pages).toEqual(all)
  })

  it.each(['colour=red', 'limit=0', 'key=%00', 'key=1&key=2'])('refuses %s', async (query) => {
    const { body } = await ask('GET', `/api/audit?${query}`)
    expect(body).toMatchObject({ status: 400, code: 'invalid_query' })
  })

  it('cannot be rewritten by whom the worker is', async () => {
    const [role] = await db.run<{ may: boolean }>(
      "SELECT has_table_privilege('belfry_worker', 'belfry.audit', 'UPDATE, DELETE, INSERT, TRUNCATE') AS may",
    )
    expect(role?.may).toBe(false)
  })
})

describe('P99 and P100 of users', () => {
  it('a version is named, and one that has moved on is refused', async () => {
    const made = await ask('POST', '/api/users', { name: 'Ada' })
    const path = made.location ?? ''
    expect(made.tag).toBe('"1"')
    const change = (name: string, tag: string) => ask('PATCH', path, { name }, { 'if-match': tag })
    expect(await change('Grace', '"1"')).toMatchObject({ status: 200, tag: '"2"' })
    expect(await change('Joan', '"1"')).toMatchObject({ status: 412, tag: '"2"' })
    expect(await ask('DELETE', path, undefined, { 'if-match': '"1"' })).toMatchObject({
      status: 412,
    })
    expect((await ask('GET', path)).body.name).toBe('Grace')
  })

  it('a create with a key is done once, with an id or without', async () => {
    for (const given of [{ name: 'Once' }, { name: 'Once', id: 9_300 }]) {
      const headers = { 'idempotency-key': `once ${given.id}`.replace(' ', '-') }
      const first = await ask('POST', '/api/users', given, headers)
      const again = await ask('POST', '/api/users', given, headers)
      expect(again).toMatchObject({ status: 201, body: first.body, location: first.location })
    }
  })

  it('an id that is taken uses no key up', async () => {
    await ask('POST', '/api/users', { id: 9_400, name: 'First' })
    const headers = { 'idempotency-key': 'taken' }
    const given = { id: 9_400, name: 'Second' }
    expect(await ask('POST', '/api/users', given, headers)).toMatchObject({ status: 409 })
    await ask('DELETE', '/api/users/9400')
    expect(await ask('POST', '/api/users', given, headers)).toMatchObject({
      status: 201,
      body: { name: 'Second' },
    })
  })

  it('a subject is of one user only', async () => {
    const made = await ask('POST', '/api/users', { name: 'Ada', subject: 'auth0|1' })
    expect(made.body).toMatchObject({ subject: 'auth0|1' })
    expect(await ask('POST', '/api/users', { name: 'Eve', subject: 'auth0|1' })).toMatchObject({
      status: 409,
      body: { code: 'conflict' },
    })
    expect((await ask('PATCH', made.location ?? '', { subject: null })).body.subject).toBeNull()
    const range = { from: 1, to: 2, subject: 'auth0|1' }
    expect(await ask('POST', '/api/users', range)).toMatchObject({ status: 400 })
  })
})

describe('P99 of categories', () => {
  const path = '/api/notification-categories/news'
  const put = (body: object, tag: string) => ask('PUT', path, body, { 'if-match': tag })

  it('one that is not there yet is at 0; of two who say it at once, one is told', async () => {
    expect(await ask('GET', path)).toMatchObject({ status: 404 })
    expect(await put({}, '"1"')).toMatchObject({ status: 412, tag: '"0"' })
    const first = (name: string) =>
      Promise.all(
        ['a', 'b', 'c'].map((description) =>
          ask(
            'PUT',
            `/api/notification-categories/${name}`,
            { description },
            { 'if-match': '"0"' },
          ),
        ),
      )
    for (const name of ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'news'])
      expect((await first(name)).map(({ status }) => status).sort()).toEqual([200, 412, 412])
    expect(await ask('GET', path)).toMatchObject({ status: 200, tag: '"1"' })
    expect(await put({ critical: true }, '"1"')).toMatchObject({ status: 200, tag: '"2"' })
    const remove = (tag: string) => ask('DELETE', path, undefined, { 'if-match': tag })
    expect(await remove('"1"')).toMatchObject({ status: 412, tag: '"2"' })
    expect(await remove('"2"')).toMatchObject({ status: 204 })
  })
})

describe('P99 of notifications', () => {
  it('a version is named, and one that has moved on is refused', async () => {
    await ask('POST', '/api/users', { id: 9_500, name: 'Bob' })
    const { body } = await ask('POST', '/api/notifications', { user_id: 9_500, title: 'One' })
    const path = `/api/notifications/${(body.ids as number[])[0]}`
    const { tag } = await ask('GET', path)
    const change = (title: string) => ask('PATCH', path, { title }, { 'if-match': String(tag) })
    const changed = await change('Two')
    expect(changed).toMatchObject({ status: 200, body: { title: 'Two' } })
    expect(await change('Three')).toMatchObject({ status: 412, tag: changed.tag })
  })
})
