import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { closeCodes } from '../../protocol/close-codes.ts'
import { toOpaque } from '../../worker/api/opaque.ts'
import { app } from '../../worker/app.ts'
import { bindings, operator, startAfresh } from './link.ts'
import { ADA, BOB, bearer, idsOf, MeWorld, notificationRow, SECRET, token } from './me-world.ts'
import { within, worker } from './subscriber.ts'

/*
 * Ada tries to get at what is Bob's, at every route under /api/me, and gets nothing: no statement
 * is ever asked about Bob, and nothing of Bob's is in any answer.
 */

let world: MeWorld

// Loading the worker takes seconds on a busy machine, and is no test's time.
beforeAll(() => worker.fetch('http://belfry.test/openapi.json'))
beforeEach(() => {
  world = new MeWorld()
})
afterEach(() => {
  vi.restoreAllMocks()
})
afterAll(startAfresh)

const [bobs] = idsOf(BOB) as [number]
const [own] = idsOf(ADA) as [number]
const AT = '2026-11-21T08:33:55.123456+00:00'
const bobsCursor = await toOpaque(bindings, { inbox: BOB, at: AT, id: bobs })
const bobsOrders = await toOpaque(bindings, { list: `orders of ${BOB}`, before: 1_000 })
const asOperator = { 'belfry-scope': '{"kind":"operator"}' }
const asBob = {
  'belfry-scope': JSON.stringify({
    kind: 'own',
    table: 'orders',
    column: 'customer_id',
    value: BOB,
  }),
  'x-user': BOB,
  'x-partykit-room': BOB,
  'x-partykit-namespace': 'inbox',
  'x-original-url': `/api/users/${BOB}`,
  'x-http-method-override': 'DELETE',
  cookie: `user=${BOB}; ticket=${BOB}.aaaaaaaaaaaaaaaaaaaaaaaa`,
}

/** `own`: it is answered, with what is Ada's. Of a socket a status is the code it is closed with. */
type Attempt = {
  suffix?: string
  id?: number | string
  body?: unknown
  headers?: Record<string, string>
  gets: 'own' | number
}

const marking: Attempt[] = [
  { id: bobs, gets: 404 },
  { id: bobs, suffix: `?user=${BOB}&user_id=${BOB}`, headers: asBob, gets: 404 },
  { id: `${own},${bobs}`, gets: 400 },
  { id: `${own}%2F..%2F${bobs}`, gets: 400 },
  { id: 0, gets: 400 },
  { id: '9'.repeat(40), gets: 400 },
]
const { bad_request, unauthorized } = closeCodes

const attempts: Record<string, Attempt[]> = {
  'GET /api/me': [
    { suffix: `?user=${BOB}&id=${BOB}&sub=${BOB}`, gets: 'own' },
    { headers: asBob, gets: 'own' },
  ],
  'GET /api/me/notifications': [
    { suffix: `?user=${BOB}`, gets: 400 },
    { suffix: `?user_id=${BOB}`, gets: 400 },
    { suffix: `?cursor=${bobsCursor}`, gets: 400 },
    {
      suffix: `?cursor=${await toOpaque(bindings, { inbox: ADA, at: AT, id: bobs, user: BOB })}`,
      gets: 400,
    },
    {
      suffix: `?cursor=${await toOpaque(bindings, { inbox: ADA, at: AT, id: 1_000 })}`,
      gets: 'own',
    },
    { suffix: '?listing=all&category=general', headers: asBob, gets: 'own' },
    { suffix: '?listing=everyone', gets: 400 },
    { suffix: `?category=${encodeURIComponent(`x' OR user_id = ${BOB} --`)}`, gets: 'own' },
  ],
  'GET /api/me/notifications/:id': marking,
  'PUT /api/me/notifications/:id/seen': marking,
  'PUT /api/me/notifications/:id/read': marking,
  'PUT /api/me/notifications/:id/archived': marking,
  'DELETE /api/me/notifications/:id/seen': marking,
  'DELETE /api/me/notifications/:id/read': marking,
  'DELETE /api/me/notifications/:id/archived': marking,
  'POST /api/me/notifications/mark': [
    { body: { ids: idsOf(BOB), mark: 'read' }, gets: 'own' },
    { body: { ids: [own, bobs], mark: 'archived', undo: true }, headers: asBob, gets: 'own' },
    { body: { ids: [own], mark: 'read', user_id: BOB }, gets: 400 },
    { body: { ids: `{${bobs}}`, mark: 'read' }, gets: 400 },
    {
      body: { ids: [`${own}}'; UPDATE notifications SET user_id = 1 --`], mark: 'read' },
      gets: 400,
    },
    { body: { ids: [own], mark: 'user_id' }, gets: 400 },
    { body: [{ ids: [bobs], mark: 'read' }], gets: 400 },
  ],
  'POST /api/me/notifications/open': [
    { body: { user_id: BOB }, suffix: `?user=${BOB}`, headers: asBob, gets: 'own' },
  ],
  'POST /api/me/notifications/mark-all': [
    { body: { mark: 'read', user_id: BOB }, gets: 400 },
    { body: { mark: 'read', user: BOB }, gets: 400 },
    { body: { mark: 'seen' }, suffix: `?user=${BOB}`, headers: asBob, gets: 'own' },
  ],
  'POST /api/me/notifications/mark-all/undo': [
    { body: { mark: 'read', before: null, user_id: BOB }, gets: 400 },
    { body: { mark: 'read', before: '2999-01-01T00:00:00Z' }, gets: 400 },
    { body: { mark: 'read', before: 'infinity' }, gets: 400 },
    { body: { mark: 'read', before: AT }, suffix: `?user=${BOB}`, headers: asBob, gets: 'own' },
  ],
  'GET /api/me/notifications/ws': [
    { suffix: `?user=${BOB}`, gets: bad_request.code },
    { suffix: `?name=${BOB}`, gets: bad_request.code },
    { suffix: '?_pk=mine', gets: bad_request.code },
    { suffix: '?feed=another', gets: bad_request.code },
    { suffix: '?after=1', gets: bad_request.code },
    { suffix: '?epoch=another&after=1', headers: asBob, gets: 'own' },
    { suffix: `?ticket=${BOB}.${'a'.repeat(32)}`, gets: 'own' },
  ],
  'GET /api/me/notifications/stream': [
    { suffix: `?user=${BOB}`, gets: 400 },
    { headers: { 'last-event-id': 'rubbish' }, gets: 400 },
    { headers: { ...asBob, 'last-event-id': 'another:5' }, gets: 'own' },
  ],
  'POST /api/me/tickets': [
    { body: { topic: 'notifications', user: BOB }, gets: 400 },
    { body: { topic: `notifications of ${BOB}` }, gets: 400 },
    { body: { topic: 'changes' }, gets: 400 },
    { body: { topic: 'orders' }, suffix: `?user=${BOB}`, headers: asBob, gets: 'own' },
  ],
  'GET /api/me/preferences': [{ suffix: `?user_id=${BOB}`, headers: asBob, gets: 'own' }],
  'PATCH /api/me/preferences': [
    { body: { user_id: BOB, digest: 'daily' }, gets: 400 },
    { body: { id: BOB }, gets: 400 },
    { body: { email: 'bob@example.com' }, gets: 400 },
    { body: { name: 'Bob' }, gets: 400 },
    { body: { categories: { general: { user_id: BOB } } }, gets: 400 },
    { body: { categories: { [`general' OR user_id = ${BOB} --`]: { mail: false } } }, gets: 400 },
    { body: { digest: 'daily' }, suffix: `?user=${BOB}`, headers: asBob, gets: 'own' },
  ],
  'GET /api/me/orders': [
    { suffix: `?customer_id=${BOB}`, gets: 400 },
    { suffix: `?user=${BOB}`, gets: 400 },
    { suffix: `?cursor=${bobsOrders}`, gets: 400 },
    {
      suffix: `?cursor=${await toOpaque(bindings, { list: `orders of ${ADA}`, before: 1_000 })}`,
      gets: 'own',
    },
    { headers: asBob, gets: 'own' },
  ],
  'GET /api/me/orders/ws': [
    { suffix: `?where.customer_id=${BOB}`, gets: 'own' },
    { suffix: `?customer_id=${BOB}&where.customer_id=${BOB}`, gets: bad_request.code },
    { suffix: '?table=users', gets: bad_request.code },
    { suffix: '?table=orders&table=users', gets: bad_request.code },
    { suffix: '?email=bob@example.com', gets: bad_request.code },
    { suffix: `?scope=operator`, gets: bad_request.code },
    { suffix: '?_pk=mine', gets: bad_request.code },
    { suffix: `?token=${bindings.ADMIN_TOKEN}`, headers: asOperator, gets: bad_request.code },
    { suffix: '?after=0', headers: asOperator, gets: 'own' },
    { suffix: '?after=0', headers: asBob, gets: 'own' },
  ],
  'GET /api/me/orders/stream': [
    { suffix: '?table=users', gets: 400 },
    { suffix: `?where.customer_id=${BOB}`, headers: asOperator, gets: 'own' },
    { headers: { ...asBob, 'last-event-id': 'another:5' }, gets: 'own' },
  ],
}

it('P90 every route under /api/me has its row here', () => {
  const routes = app.routes
    .filter(({ method, path }) => method !== 'ALL' && path.startsWith('/api/me'))
    .map(({ method, path }) => `${method} ${path}`)
  expect([...new Set(routes)].toSorted()).toEqual(Object.keys(attempts).toSorted())
})

const isSocket = (route: string) => route.endsWith('/ws')

function addressOf(route: string, { id = own, suffix = '' }: Attempt) {
  const [method = '', path = ''] = route.split(' ')
  return { method, path: path.replace(':id', String(id)) + suffix }
}

/** The status, or the code that a socket was closed with; and all that was said. */
async function outcomeOf(
  route: string,
  attempt: Attempt,
  credentials: Record<string, string>,
): Promise<{ got: number; said: string }> {
  const { method, path } = addressOf(route, attempt)
  const headers = { 'if-match': '*', ...attempt.headers, ...credentials }
  if (isSocket(route)) {
    const socket = await world.socket(path, headers)
    const heard = socket.untilPong().then((texts) => ({ got: 200, said: texts.join('\n') }))
    const closed = socket.closed.then(({ code, reason }) => ({ got: code, said: reason }))
    const outcome = await within(Promise.race([closed, heard]), 'a word')
    heard.catch(() => undefined)
    return outcome
  }
  const response = await world.ask(method, path, {
    headers,
    ...(attempt.body !== undefined && { body: attempt.body }),
  })
  if (response.headers.get('content-type')?.startsWith('text/event-stream'))
    return { got: response.status, said: await firstEvents(response) }
  return { got: response.status, said: await response.text() }
}

async function firstEvents(response: Response): Promise<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let said = ''
  while (reader && !said.includes('data: '))
    said += (await within(reader.read(), 'an event')).value ?? ''
  await reader?.cancel()
  return said
}

describe.each(Object.keys(attempts))('P90 %s', (route) => {
  it.each(attempts[route] ?? [])('%j', async (attempt) => {
    const { got, said } = await outcomeOf(route, attempt, bearer(await token(ADA)))
    if (attempt.gets === 'own') expect(got).toBeLessThan(300)
    else expect(got).toBe(attempt.gets)
    expect(said).not.toContain(SECRET)
    expect(world.given).not.toContain(BOB)
  })

  it('is shut to whoever is nobody, and asks the database nothing', async () => {
    const now = Math.floor(Date.now() / 1000)
    for (const credentials of [
      {},
      asBob,
      { authorization: '' },
      bearer(await token(BOB, {}, 'another secret')),
      bearer(await token(BOB, { exp: now - 1 })),
      bearer(await token(BOB, { exp: undefined })),
    ]) {
      const { got } = await outcomeOf(route, { headers: {}, gets: 401 }, credentials)
      expect(got).toBe(isSocket(route) ? unauthorized.code : 401)
    }
    expect(world.given).toEqual([])
  })

  it('P94 is shut to whoever is no user, whatever else they may do', async () => {
    for (const credentials of [operator, bearer(await token('auth0|bob', { scope: 'admin' }))]) {
      const { got } = await outcomeOf(route, { headers: {}, gets: 403 }, credentials)
      expect(got).toBe(isSocket(route) ? unauthorized.code : 403)
    }
    expect(world.given).toEqual([])
  })

  it('says so where no secret is set, before anything else', async () => {
    const { method, path } = addressOf(route, { gets: 503 })
    const headers = bearer(await token(ADA))
    const request = new Request(`http://belfry.test${path}?ticket=${BOB}.${'a'.repeat(32)}`, {
      method,
      headers,
    })
    const response = await world.database.fetch(request, { AUTH_SECRET: '' })
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ code: 'not_configured' })
  })
})

describe('P90 what moves in another’s inbox', () => {
  it('is heard by nobody else, over socket or stream', async () => {
    const headers = bearer(await token(ADA))
    const socket = await world.socket('/api/me/notifications/ws', headers)
    await socket.untilPong()
    const bobsSocket = await world.socket('/api/me/notifications/ws', bearer(await token(BOB)))
    await bobsSocket.untilPong()
    await bindings.INBOX.getByName(BOB).written(
      { notifications: [{ ...notificationRow(BOB, 84), version: 2 }], user: null },
      'a feed',
    )
    expect(await bobsSocket.text()).toContain(SECRET)
    expect(await socket.untilPong()).toEqual([])
  })
})
