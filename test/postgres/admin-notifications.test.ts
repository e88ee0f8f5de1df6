import { describe, expect, it } from 'vitest'
import { idOf, idsOf, LATER, NotificationWorld, PATH } from './notification-world.ts'

const world = new NotificationWorld()
const { db } = world
const ask = world.ask.bind(world)
const create = world.create.bind(world)
const one = world.one.bind(world)

describe('creating notifications', () => {
  it('tells one user, whose inbox hears at once what the feed will say', async () => {
    const given = {
      title: ' Your order was shipped ',
      category: 'orders',
      content: { order: 42, nested: [{ ok: true }, null, 'ünï', 0.1] },
      link: '/orders/42',
      expires_at: LATER,
    }
    const made = await create({ user_id: world.user, ...given })
    expect(made).toMatchObject({
      status: 201,
      body: { notifications: 1, delivered: 1, scheduled: 0, declined: 0 },
    })
    const [change] = await db.changes()
    expect(change).toMatchObject({ table: 'notifications', op: 'insert' })
    expect(world.told).toEqual([
      { user: String(world.user), notifications: [change?.new], row: null },
    ])
    expect(await ask('GET', `${PATH}/${idOf(made)}`)).toMatchObject({
      status: 200,
      body: {
        ...given,
        title: 'Your order was shipped',
        expires_at: '2999-01-01T07:00:00+00:00',
        user_id: world.user,
        state: 'delivered',
        problem: null,
        channels: { inbox: true, mail: true, webhook: true },
        ...{ seen: false, read: false, archived: false, version: 1 },
      },
    })
  })

  it('P87 tells several, or everyone who receives any, each of them once', async () => {
    const some = await create({ user_ids: [world.user, world.others[1], world.user] })
    expect(some.body).toMatchObject({ notifications: 2, delivered: 1, declined: 1 })
    const all = await create({ to: 'all', scheduled_at: LATER })
    expect(all.body).toMatchObject({ notifications: 2, scheduled: 2, declined: 0 })
    expect(await world.count()).toBe(4)
  })

  it('P87 tells nobody if one is not there, and says who', async () => {
    const headers = { 'idempotency-key': 'first' }
    const gone = await create({ user_ids: [world.user, 999_999, 888_888] }, headers)
    expect(gone).toMatchObject({
      status: 422,
      body: {
        code: 'unknown_users',
        detail: expect.stringContaining('no user 888888, 999999'),
        errors: [{ message: 'there is no user 888888' }, { message: 'there is no user 999999' }],
      },
    })
    expect(await world.count()).toBe(0)
    // What told nobody does not use up the key.
    expect((await create({ user_id: world.user }, headers)).status).toBe(201)
  })

  it('P87 with a key twice is once, also at once, and another body is refused', async () => {
    const headers = { 'idempotency-key': 'release-notes' }
    const body = { user_ids: [world.user, world.others[0]], content: { a: 1 } }
    const answers = await Promise.all([1, 2, 3].map(() => create(body, headers)))
    const made = answers.filter(({ status }) => status === 201)
    expect(made[0]).toMatchObject({ body: { notifications: 2 } })
    const again = await create(body, headers)
    for (const { status, body } of [...made, again])
      expect({ status, body }).toEqual({ status: 201, body: made[0]?.body })
    for (const { status } of answers) expect([201, 409]).toContain(status)
    expect(await create({ ...body, title: 'Other' }, headers)).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_reused', detail: expect.stringContaining('release-notes') },
    })
    expect(await world.count()).toBe(2)
    await create(body, { 'idempotency-key': 'another' })
    expect(await world.count()).toBe(4)
  })

  it('takes 64 kB of content, and the inboxes of more than 50 users hear by the feed', async () => {
    const text = 'é'.repeat((65_536 - '{"text":""}'.length - 1) / 2)
    const path = await one({ content: { text } })
    expect((await ask('GET', path)).body.content).toEqual({ text })
    await db.run("INSERT INTO users (name) SELECT 'Many' FROM generate_series(1, 60)")
    world.told = []
    expect((await create({ to: 'all' })).body).toMatchObject({ notifications: 62 })
    expect(world.told).toEqual([])
  })
})

describe('a notification that is there', () => {
  it('P81 is scheduled, moved, cancelled and scheduled again', async () => {
    const path = await one({ scheduled_at: LATER })
    world.told = []
    const sooner = await ask('PATCH', path, { scheduled_at: '2998-01-01T00:00:00Z', title: 'New' })
    expect(sooner).toMatchObject({
      status: 200,
      body: {
        title: 'New',
        state: 'scheduled',
        deliver_at: '2998-01-01T00:00:00+00:00',
        version: 2,
      },
    })
    expect(await ask('POST', `${path}/cancel`)).toMatchObject({
      status: 200,
      body: { state: 'cancelled', deliver_at: null, version: 3 },
    })
    expect(await ask('POST', `${path}/cancel`)).toMatchObject({
      status: 409,
      body: { code: 'wrong_state', detail: expect.stringContaining('cancelled') },
    })
    expect((await ask('PATCH', path, { title: 'Still' })).body).toMatchObject({
      state: 'cancelled',
    })
    expect((await ask('PATCH', path, { scheduled_at: LATER })).body.state).toBe('scheduled')
    expect((await ask('PATCH', path, { scheduled_at: null })).body.state).toBe('delivered')
    expect(world.told.map(({ notifications: [row] }) => row?.version)).toEqual([2, 3, 4, 5, 6])
  })

  it('is changed once delivered, but takes no other time, and is not cancelled', async () => {
    const path = await one({ link: '/a' })
    const changes = { title: 'Now right', content: { b: 2 }, link: null, category: 'news' }
    expect(await ask('PATCH', path, changes)).toMatchObject({
      status: 200,
      body: { ...changes, state: 'delivered', version: 2 },
    })
    for (const [method, to, body] of [
      ['PATCH', path, { scheduled_at: LATER }],
      ['POST', `${path}/cancel`, undefined],
      ['POST', `${path}/redrive`, undefined],
    ] as const)
      expect(await ask(method, to, body)).toMatchObject({
        status: 409,
        body: { code: 'wrong_state', detail: expect.stringContaining('is delivered') },
      })
    expect((await ask('GET', path)).body.version).toBe(2)
  })

  it('says what its user has marked, also all at once', async () => {
    const path = await one({})
    await db.run(`SELECT belfry.mark_all(${world.user}, 'seen', NULL, false)`)
    await db.run(
      `SELECT belfry.mark_notifications(${world.user}, '{${path.split('/').at(-1)}}', 'read', false)`,
    )
    expect((await ask('GET', path)).body).toMatchObject({ seen: true, read: true, archived: false })
  })

  it('is deleted, and is then nowhere', async () => {
    const path = await one({})
    expect((await ask('DELETE', path)).status).toBe(204)
    for (const [method, to, body] of [
      ['GET', path],
      ['DELETE', path],
      ['PATCH', path, { title: 'Gone' }],
      ['POST', `${path}/cancel`],
      ['POST', `${path}/redrive`],
    ] as const)
      expect(await ask(method, to, body)).toMatchObject({
        status: 404,
        body: { code: 'not_found' },
      })
  })
})

describe('the list of notifications', () => {
  it('goes from the newest on, by user, state and category, page by page', async () => {
    const made = []
    for (const body of [
      { user_id: world.user },
      { user_id: world.user, category: 'orders' },
      { user_id: world.others[0], category: 'orders', scheduled_at: LATER },
      { user_id: world.others[1], category: 'orders' },
    ])
      made.push(idOf(await create(body)))
    const [a, b, c, d] = made
    const list = async (query: string) => idsOf(await ask('GET', `${PATH}?${query}`))
    expect(await list('')).toEqual([d, c, b, a])
    expect(await list(`user=${world.user}`)).toEqual([b, a])
    expect(await list('category=orders')).toEqual([d, c, b])
    expect(await list('state=declined')).toEqual([d])
    expect(await list('state=Scheduled,%20declined')).toEqual([d, c])
    expect(await list('state=overdue')).toEqual([])
    const first = await ask('GET', `${PATH}?category=orders&limit=2`)
    const second = await ask(
      'GET',
      `${PATH}?category=orders&limit=2&cursor=${first.body.next_cursor}`,
    )
    expect([...idsOf(first), ...idsOf(second)]).toEqual([d, c, b])
    expect(second.body.next_cursor).toBeNull()
  })

  it('a page of large ones ends at 2 MB, and the next goes on', async () => {
    await db.run(
      `INSERT INTO notifications (user_id, title, content)
       SELECT $1, 'Large ' || n, json_build_object('text', repeat('x', 60000)) FROM generate_series(1, 80) AS n`,
      [world.user],
    )
    const first = await ask('GET', `${PATH}?limit=200`)
    expect(idsOf(first)).toHaveLength(34)
    let cursor = first.body.next_cursor
    const all = idsOf(first)
    while (cursor !== null) {
      const page = await ask('GET', `${PATH}?limit=200&cursor=${cursor}`)
      all.push(...idsOf(page))
      cursor = page.body.next_cursor
    }
    expect(all).toHaveLength(80)
    expect(new Set(all).size).toBe(80)
  })

  it('P5 what SQL wrote keeps its digits', async () => {
    const [row] = await db.run(
      `INSERT INTO notifications (user_id, title, content)
       VALUES ($1, 'Large', '{"n": 12345678901234567890}') RETURNING id`,
      [world.user],
    )
    expect((await ask('GET', `${PATH}/${row?.id}`)).body.content).toEqual({
      n: '12345678901234567890',
    })
  })
})
