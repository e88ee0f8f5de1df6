import { OpenAPIHono } from '@hono/zod-openapi'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { notFound, onError } from '../../worker/api/problem.ts'
import { webhookDeliveries } from '../../worker/api/webhook-deliveries.ts'
import { askedBy } from '../support/asked-by.ts'
import { worker } from './subscriber.ts'
import {
  changeId,
  configure,
  endpoint,
  env,
  Network,
  owed,
  registeredAtRest,
  rest,
  type Sender,
  step,
} from './webhook-world.ts'

const app = new OpenAPIHono()
app.onError(onError)
app.notFound(notFound)
app.use(askedBy)
app.route('/', webhookDeliveries)

let network: Network
let id: string
let sender: Sender

beforeEach(async () => {
  configure()
  network = new Network()
  vi.spyOn(console, 'warn').mockReturnValue()
  const registered = await registeredAtRest(network)
  id = registered.id
  sender = registered.sender
})
afterEach(() => {
  vi.restoreAllMocks()
})

async function ask(method: string, path: string, body?: unknown) {
  const init = {
    method,
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
  }
  const response = await app.request(`/api/webhooks/${id}${path}`, init, env)
  return { status: response.status, body: await response.json<Record<string, unknown>>() }
}

/** Three that are parked, then one that is queued. */
async function parkThree(): Promise<void> {
  await sender.enqueue([1, 2, 3].map((number) => owed(id, number)))
  await sender.configure(endpoint(id, { enabled: false, version: 2 }))
  await sender.configure(endpoint(id, { version: 3 }))
  await rest(sender)
  await sender.enqueue([owed(id, 4)])
}

describe('GET /api/webhooks/{id}/deliveries', () => {
  test('lists them page by page, of the states asked for, and counts them all', async () => {
    await parkThree()
    const first = await ask('GET', '/deliveries?state=parked,failed&limit=2')
    expect(first).toMatchObject({
      status: 200,
      body: {
        deliveries: [
          {
            id: 3,
            type: 'orders.update',
            change: changeId(3),
            table: 'orders',
            key: '3',
            state: 'parked',
          },
          { id: 2 },
        ],
        counts: { parked: 3, queued: 1 },
      },
    })
    const next = await ask(
      'GET',
      `/deliveries?state=parked&limit=2&cursor=${first.body.next_cursor}`,
    )
    expect(next.body).toMatchObject({ deliveries: [{ id: 1 }], next_cursor: null })
    expect((await ask('GET', '/deliveries?table=orders&key=4')).body.deliveries).toMatchObject([
      { id: 4, state: 'queued', attempts: 0, sent_at: null },
    ])
  })

  test('tells the whole history of one, and what is sent', async () => {
    await sender.enqueue([owed(id, 1)])
    await step(sender)
    expect(await ask('GET', '/deliveries/1')).toMatchObject({
      status: 200,
      body: {
        state: 'sent',
        body: owed(id, 1).body,
        history: expect.arrayContaining([
          { at: expect.any(String), kind: 'attempt', detail: null },
        ]),
      },
    })
  })

  test.each([
    ['?state=lost', 'invalid_query'],
    ['?limit=0', 'invalid_query'],
    ['?stat=sent', 'invalid_query'],
    ['?cursor=x', 'invalid_cursor'],
    ['/0', 'invalid_id'],
    ['/x', 'invalid_id'],
    ['/99', 'not_found'],
  ])('P60: refuses %s', async (query, code) => {
    expect((await ask('GET', `/deliveries${query}`)).body).toMatchObject({ code })
  })

  test('P60: the cursor of one endpoint is none of another', async () => {
    await parkThree()
    const { body } = await ask('GET', '/deliveries?limit=1')
    const other = await registeredAtRest(network)
    id = other.id
    expect((await ask('GET', `/deliveries?cursor=${body.next_cursor}`)).body).toMatchObject({
      code: 'invalid_cursor',
    })
  })
})

describe('redrive', () => {
  test('counts first, then tries again what the filter names', async () => {
    await parkThree()
    const filter = { state: 'parked', key: '2' }
    expect((await ask('POST', '/deliveries/redrive', { filter, dry_run: true })).body).toEqual({
      matching: 1,
    })
    expect((await ask('POST', '/deliveries/redrive', { filter })).body).toEqual({ redriven: 1 })
    expect((await ask('POST', '/deliveries/redrive', {})).body).toEqual({ redriven: 2 })
    await step(sender)
    expect(await sender.counts()).toMatchObject({ sent: 4 })
  })

  test('of one says why not, if there is nothing to try again', async () => {
    await parkThree()
    expect(await ask('POST', '/deliveries/1/redrive')).toMatchObject({ body: { redriven: 1 } })
    expect(await ask('POST', '/deliveries/1/redrive')).toMatchObject({
      status: 409,
      body: { code: 'wrong_state', detail: expect.stringContaining('by itself') },
    })
    await step(sender)
    expect((await ask('POST', '/deliveries/1/redrive')).body.detail).toMatch('has taken it')
    expect((await ask('POST', '/deliveries/99/redrive')).body.code).toBe('not_found')
  })

  test('asks for the endpoint to be switched on first', async () => {
    await parkThree()
    await sender.configure(endpoint(id, { enabled: false, version: 4 }))
    for (const path of ['/deliveries/redrive', '/deliveries/1/redrive'])
      expect(await ask('POST', path, {})).toMatchObject({
        status: 409,
        body: { code: 'wrong_state', detail: expect.stringContaining('switch it on first') },
      })
    expect((await ask('POST', '/deliveries/redrive', { dry_run: true })).body).toEqual({
      matching: 4,
    })
  })

  test.each([{ filter: { state: 'lost' } }, { filter: { colour: 1 } }, { dry_run: 'yes' }, []])(
    'P60: refuses %j',
    async (body) => {
      expect((await ask('POST', '/deliveries/redrive', body)).body.code).toBe('invalid_body')
    },
  )
})

test('cancel holds for what waits, and for nothing that was sent', async () => {
  await sender.enqueue([owed(id, 1), owed(id, 2)])
  expect((await ask('POST', '/deliveries/1/cancel')).body).toEqual({ cancelled: true })
  await step(sender)
  expect(network.ids).toEqual([changeId(2)])
  expect((await ask('POST', '/deliveries/2/cancel')).body.code).toBe('wrong_state')
  expect((await ask('POST', '/deliveries/99/cancel')).body.code).toBe('not_found')
})

test('a test is a delivery like any other, signed and of a type of its own', async () => {
  const { status, body } = await ask('POST', '/test')
  expect(status).toBe(202)
  await step(sender)
  expect(network.ids).toEqual([body.change])
  expect(JSON.parse(network.received[0]?.body ?? '')).toMatchObject({
    type: 'belfry.test',
    data: { endpoint: id },
  })
})

test('of an endpoint that there is not, nothing is told and no object is made', async () => {
  network.rows = []
  const made = vi.spyOn(env.WEBHOOKS, 'getByName')
  for (const [method, path] of [
    ['GET', '/deliveries'],
    ['GET', '/deliveries/1'],
    ['POST', '/test'],
    ['POST', '/deliveries/1/redrive'],
    ['POST', '/deliveries/1/cancel'],
  ] as const)
    expect(await ask(method, path)).toMatchObject({ status: 404, body: { code: 'not_found' } })
  expect(made).not.toHaveBeenCalled()
})

test.each([
  ['GET', ''],
  ['POST', ''],
  ['PATCH', `/${changeId(1)}`],
  ['DELETE', `/${changeId(1)}`],
  ['POST', `/${changeId(1)}/rotate-secret`],
  ['GET', `/${changeId(1)}/deliveries`],
  ['POST', `/${changeId(1)}/deliveries/redrive`],
])('%s /api/webhooks%s is for those with the admin token', async (method, path) => {
  const response = await worker.fetch(`http://belfry.test/api/webhooks${path}`, { method })
  expect(response.status).toBe(401)
})
