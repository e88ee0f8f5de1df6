import { afterEach, describe, expect, test, vi } from 'vitest'
import { AdminDoors } from './admin-doors.ts'
import { bindings } from './link.ts'

/*
 * Users and notifications, as those who run it write them: what their doors refuse before the
 * database is asked. What it does is in test/postgres.
 */
const world = new AdminDoors()
const ask = world.ask.bind(world)

const doors: [method: string, path: string][] = [
  ['GET', '/api/users'],
  ['POST', '/api/users'],
  ['POST', '/api/users/load'],
  ['GET', '/api/users/1'],
  ['PATCH', '/api/users/1'],
  ['DELETE', '/api/users/1'],
  ['GET', '/api/notifications'],
  ['POST', '/api/notifications'],
  ['POST', '/api/notifications/redrive'],
  ['GET', '/api/notifications/1'],
  ['PATCH', '/api/notifications/1'],
  ['DELETE', '/api/notifications/1'],
  ['POST', '/api/notifications/1/cancel'],
  ['POST', '/api/notifications/1/redrive'],
  ['GET', '/api/notification-categories'],
  ['PUT', '/api/notification-categories/x'],
  ['DELETE', '/api/notification-categories/x'],
]

describe('P60, P90: what is refused never reaches the database', () => {
  afterEach(() => {
    expect(world.statements).toEqual([])
  })

  test.each(doors)('%s %s is for those who run it', async (method, path) => {
    for (const authorization of ['', 'Bearer', 'Bearer wrong', `Basic ${bindings.ADMIN_TOKEN}`])
      expect(await ask(method, path, undefined, { authorization })).toMatchObject({
        status: 401,
        body: { code: 'unauthorized' },
      })
  })

  test.each(doors.filter(([, path]) => path.includes('/1')))(
    '%s %s takes no other id',
    async (method, path) => {
      for (const id of ['0', '-1', '1.5', 'x', '9007199254740992', '%00', "1'--"])
        expect(
          await ask(method, path.replace('/1', `/${id}`), method === 'GET' ? undefined : {}),
        ).toMatchObject({
          status: 400,
          body: { code: 'invalid_id' },
        })
    },
  )

  test.each(
    doors.filter(
      ([method, path]) => /POST|PATCH|PUT/.test(method) && !/cancel|1.redrive|load/.test(path),
    ),
  )('%s %s takes no other body', async (method, path) => {
    for (const body of ['', '{', '[]', 'null', '7', '"x"'])
      expect(await ask(method, path, body)).toMatchObject({
        status: 400,
        body: { code: 'invalid_body' },
      })
    const unknown = await ask(method, path, { nmae: 1 })
    expect(unknown.body.errors).toContainEqual({
      path: 'nmae',
      message: 'is not known here; leave it out',
    })
    expect(await ask(method, path, {}, { 'content-type': 'text/plain' })).toMatchObject({
      status: 415,
    })
    expect(await ask(method, path, { title: 'x'.repeat(600_000) })).toMatchObject({
      status: 413,
      body: { code: 'body_too_large' },
    })
  })

  test.each<[body: object, path: string]>([
    [{ email: 'ada@example.com' }, 'name'],
    [{ name: 7 }, 'name'],
    [{ name: '' }, 'name'],
    [{ name: 'x'.repeat(201) }, 'name'],
    [{ name: 'a\nb' }, 'name'],
    [{ name: 'A', email: 'a@example.com, b@example.com' }, 'email'],
    [{ name: 'A', email: '' }, 'email'],
    [{ name: 'A', id: 0 }, 'id'],
    [{ name: 'A', id: 9_000_000_000_000_001 }, 'id'],
    [{ name: 'A', id: '7' }, 'id'],
    [{ name: 'A', time_zone: 'Mars/Base' }, 'time_zone'],
    [{ name: 'A', time_zone: "UTC'; DROP TABLE users; --" }, 'time_zone'],
    [{ name: 'A', quiet_hours: { from: '22:00' } }, 'quiet_hours.to'],
    [{ name: 'A', quiet_hours: { from: '22:00', to: '24:00' } }, 'quiet_hours.to'],
    [{ name: 'A', digest: 'weekly' }, 'digest'],
    [{ name: 'A', digest_at: null }, 'digest_at'],
    [{ name: 'A', can_receive_notifications: 'yes' }, 'can_receive_notifications'],
    [{ from: 1 }, 'to'],
    [{ from: 5, to: 4 }, 'to'],
    [{ from: 1, to: 100_001 }, 'to'],
    [{ from: 1, to: 2, id: 3 }, 'id'],
    [{ from: 1, to: 2, email: '{m}@example.com, {n}@example.com' }, 'email'],
    [{ from: 1, to: 2, name: '{n}'.repeat(60) }, 'name'],
  ])('a user %j', async (body, path) => {
    expect(await ask('POST', '/api/users', body)).toMatchObject({
      status: 400,
      body: {
        code: 'invalid_body',
        errors: expect.arrayContaining([expect.objectContaining({ path })]),
      },
    })
  })

  test.each<[body: object, path: string]>([
    [{ title: 'A' }, 'user_id'],
    [{ title: 'A', user_id: 1, to: 'all' }, 'user_id'],
    [{ title: 'A', user_id: 1, user_ids: [1] }, 'user_id'],
    [{ title: 'A', user_id: 0 }, 'user_id'],
    [{ title: 'A', user_ids: [] }, 'user_ids'],
    [{ title: 'A', user_ids: [1, '2'] }, 'user_ids.1'],
    [{ title: 'A', user_ids: Array.from({ length: 10_001 }, (_, n) => n + 1) }, 'user_ids'],
    [{ title: 'A', to: 'everyone' }, 'to'],
    [{ user_id: 1 }, 'title'],
    [{ user_id: 1, title: ' ' }, 'title'],
    [{ user_id: 1, title: 'x'.repeat(201) }, 'title'],
    [{ user_id: 1, title: 'a\u0000' }, 'title'],
    [{ user_id: 1, title: 'A', category: 'two words' }, 'category'],
    [{ user_id: 1, title: 'A', content: [] }, 'content'],
    [{ user_id: 1, title: 'A', content: null }, 'content'],
    [{ user_id: 1, title: 'A', content: { text: 'x'.repeat(65_536) } }, 'content'],
    [{ user_id: 1, title: 'A', content: { a: [{ b: '\u0000' }] } }, 'content.a.0.b'],
    [{ user_id: 1, title: 'A', content: { '\ud800': 1 } }, 'content'],
    [{ user_id: 1, title: 'A', content: { n: 2 ** 53 } }, 'content.n'],
    [{ user_id: 1, title: 'A', link: 'javascript:alert(1)' }, 'link'],
    [{ user_id: 1, title: 'A', link: ' javascript:alert(1)' }, 'link'],
    [{ user_id: 1, title: 'A', link: 'orders/42' }, 'link'],
    [{ user_id: 1, title: 'A', link: '' }, 'link'],
    [{ user_id: 1, title: 'A', scheduled_at: 'tomorrow' }, 'scheduled_at'],
    [{ user_id: 1, title: 'A', scheduled_at: '2026-12-24T08:00:00' }, 'scheduled_at'],
    [{ user_id: 1, title: 'A', scheduled_at: '2026-02-30T08:00:00Z' }, 'scheduled_at'],
    [{ user_id: 1, title: 'A', expires_at: 5 }, 'expires_at'],
    [
      {
        user_id: 1,
        title: 'A',
        scheduled_at: '2999-01-02T00:00:00Z',
        expires_at: '2999-01-01T23:00:00Z',
      },
      'expires_at',
    ],
  ])('a notification %j', async (body, path) => {
    expect(await ask('POST', '/api/notifications', body)).toMatchObject({
      status: 400,
      body: {
        code: 'invalid_body',
        errors: expect.arrayContaining([expect.objectContaining({ path })]),
      },
    })
  })

  test.each(['', ' ', 'two words', 'x'.repeat(256)])('an Idempotency-Key of %j', async (key) => {
    const headers = { 'idempotency-key': key }
    const sent = { user_id: 1, title: 'A' }
    expect(await ask('POST', '/api/notifications', sent, headers)).toMatchObject({
      status: 400,
      body: { code: 'invalid_query', errors: [{ path: 'idempotency-key' }] },
    })
  })

  test.each<[path: string, body: object, fault: string]>([
    ['/api/notifications/redrive', { filter: {} }, 'filter'],
    ['/api/notifications/redrive', { filter: { user: 1 }, all: true }, 'filter'],
    ['/api/notifications/redrive', { filter: { state: 'delivered' } }, 'filter.state'],
    ['/api/notifications/redrive', { filter: { state: [] } }, 'filter.state'],
    ['/api/notifications/redrive', { filter: { user: '1' } }, 'filter.user'],
    ['/api/notifications/1', {}, ''],
    ['/api/notifications/1', { title: null }, 'title'],
    ['/api/notifications/1', { state: 'delivered' }, 'state'],
    ['/api/users/1', {}, ''],
    ['/api/users/1', { name: null }, 'name'],
    ['/api/users/1', { id: 2 }, 'id'],
    ['/api/users/1', { last_opened_at: null }, 'last_opened_at'],
    ['/api/notification-categories/x', { critical: 'yes' }, 'critical'],
    ['/api/notification-categories/x', { description: 'x'.repeat(1_001) }, 'description'],
  ])('%s %j', async (path, body, fault) => {
    const method = path.endsWith('redrive') ? 'POST' : path.endsWith('x') ? 'PUT' : 'PATCH'
    expect(await ask(method, path, body)).toMatchObject({
      status: 400,
      body: {
        code: 'invalid_body',
        errors: expect.arrayContaining([expect.objectContaining({ path: fault })]),
      },
    })
  })

  test.each([
    ['users?limit=0', 'invalid_query'],
    ['users?limit=201', 'invalid_query'],
    ['users?search=', 'invalid_query'],
    ['users?search=%00', 'invalid_query'],
    ['users?name=ada', 'invalid_query'],
    ['users?cursor=x', 'invalid_cursor'],
    ['users?cursor=eyJsaXN0Ijoibm90aWZpY2F0aW9ucyIsImJlZm9yZSI6NX0', 'invalid_cursor'],
    ['notifications?cursor=eyJsaXN0IjoidXNlcnMiLCJiZWZvcmUiOjV9', 'invalid_cursor'],
    ['notifications?state=lost', 'invalid_query'],
    ['notifications?user=ada', 'invalid_query'],
    ['notifications?user=1&user=2', 'invalid_query'],
    ['notifications?category=', 'invalid_query'],
  ])('?%s', async (query, code) => {
    expect(await ask('GET', `/api/${query}`)).toMatchObject({ status: 400, body: { code } })
  })

  test('a category without a name that it could have', async () => {
    for (const name of ['two%20words', '%00', 'x'.repeat(65)])
      expect(await ask('PUT', `/api/notification-categories/${name}`, {})).toMatchObject({
        status: 400,
        body: { code: 'invalid_id' },
      })
  })
})

describe('a database that fails', () => {
  test('to take a notification is said with what to do, and without what was sent', async () => {
    vi.spyOn(console, 'error').mockReturnValue()
    const sent = { user_id: 1, title: 'Secret title' }
    const { status, body } = await ask('POST', '/api/notifications', sent)
    expect({ status, code: body.code }).toEqual({ status: 503, code: 'database_unavailable' })
    expect(body.detail).toContain('look before you send it again')
    expect(JSON.stringify(body)).not.toContain('Secret')
    const again = await ask('POST', '/api/notifications', sent, { 'idempotency-key': 'a' })
    expect(again.body.detail).toContain('send it again with the same Idempotency-Key')
  })
})
