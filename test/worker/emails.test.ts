import { abortAllDurableObjects } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { deliveryStates } from '../../protocol/delivery-states.ts'
import { Mailer } from '../../worker/mail/mailer.ts'
import { databaseOfRules } from '../support/database-of-rules.ts'
import { operator, startAfresh } from './link.ts'
import { type Answer, ask, configure, handOver, mailer, owed, Post, until } from './mail-post.ts'
import { openSocket, worker } from './subscriber.ts'

beforeEach(() => {
  configure({ sends: false })
})
afterEach(async () => {
  vi.restoreAllMocks()
  await startAfresh()
})

const nothing = Object.fromEntries(deliveryStates.map((state) => [state, 0]))

const ordersOf = ({ body }: Answer) =>
  (body.emails as { order_id: number | string | null }[]).map(({ order_id }) => order_id)

/** Puts a mailbox on the list, so that its mails are parked at their first attempt. */
async function suppressed(order: number, recipient: string): Promise<number> {
  await mailer().suppress(recipient, 'asked by telephone')
  configure({ sends: true })
  const [mail] = await handOver([owed(order, recipient)], 'suppressed')
  configure({ sends: false })
  return mail?.id ?? 0
}

describe('GET /api/emails', () => {
  it('lists them newest first, with how many there are in each state', async () => {
    await mailer().enqueue([owed(1), owed(2), owed(3, 'Bob@Example.com')])
    const answer = await ask('GET', '/api/emails')
    expect(answer.status).toBe(200)
    expect(ordersOf(answer)).toEqual([3, 2, 1])
    expect(answer.body).toMatchObject({
      next_cursor: null,
      counts: { ...nothing, queued: 3 },
      emails: [
        {
          rule: 1,
          rule_name: 'order-filled',
          change: owed(3).change,
          table: 'orders',
          key: '3',
          order_id: 3,
          recipient: 'Bob@Example.com',
          state: 'queued',
          attempts: 0,
          provider_id: null,
          created_at: expect.stringMatching(/^\d{4}-.*Z$/),
          first_at: null,
          sent_at: null,
        },
        {},
        {},
      ],
    })
    expect(Object.keys((answer.body.emails as object[])[0] ?? {})).not.toContain('body')
  })

  it('has the number of an order only of an order, and whole', async () => {
    const big = '9007199254740993'
    await mailer().enqueue([
      owed(1, 'a@example.com', { key: big }),
      owed(2, 'a@example.com', { table: 'shop.items', key: '7' }),
    ])
    expect(ordersOf(await ask('GET', '/api/emails'))).toEqual([null, big])
    expect(ordersOf(await ask('GET', `/api/emails?order=${big}`))).toEqual([big])
  })

  it.each([
    ['order=2', [2]],
    ['order=002', [2]],
    ['table=orders&key=2', [2]],
    ['table=shop.items', [null]],
    ['recipient=%20BOB@example.COM', [3]],
    ['rule=2', [null, 3]],
    ['state=queued', [null, 3, 2, 1]],
    ['state=Queued,%20parked', [null, 3, 2, 1]],
    ['state=parked,sent', []],
    ['state=queued&rule=1&recipient=ada@example.com&order=1', [1]],
    ['recipient=ada', []],
  ])('?%s names %j', async (query, expected) => {
    await mailer().enqueue([
      owed(1),
      owed(2),
      owed(3, 'Bob@example.com', { rule: 2 }),
      owed(4, 'eve@example.com', { rule: 2, table: 'shop.items', key: '9' }),
    ])
    expect(ordersOf(await ask('GET', `/api/emails?${query}`))).toEqual(expected)
  })

  it('goes page by page, and what comes meanwhile shifts nothing', async () => {
    await mailer().enqueue([1, 2, 3, 4, 5].map((order) => owed(order)))
    const first = await ask('GET', '/api/emails?limit=2')
    expect(ordersOf(first)).toEqual([5, 4])
    await mailer().enqueue([owed(6)])
    const second = await ask('GET', `/api/emails?limit=2&cursor=${first.body.next_cursor}`)
    expect(ordersOf(second)).toEqual([3, 2])
    const third = await ask('GET', `/api/emails?limit=2&cursor=${second.body.next_cursor}`)
    expect(ordersOf(third)).toEqual([1])
    expect(third.body.next_cursor).toBeNull()
  })

  it.each([
    'state=lost',
    'state=',
    'state=parked,',
    'state=toString',
    'state=sent&state=parked',
    'limit=0',
    'limit=201',
    'limit=x',
    'limit=1&limit=2',
    'stat=sent',
    'order=x',
    'order=-1',
    `order=${'1'.repeat(20)}`,
    'order=1&table=orders',
    'order=1&key=1',
    'order=1&order=2',
    'rule=0',
    'rule=x',
    'recipient=',
    `recipient=${'x'.repeat(321)}`,
    `key=${'x'.repeat(1_001)}`,
  ])('P60 refuses ?%s', async (query) => {
    expect(await ask('GET', `/api/emails?${query}`)).toMatchObject({
      status: 400,
      body: { code: 'invalid_query', detail: expect.stringMatching(/\w/) },
    })
  })

  it('P60 refuses a cursor that is not ours, or of another list', async () => {
    await mailer().suppress('a@example.com', null)
    await mailer().suppress('b@example.com', null)
    const other = await ask('GET', '/api/mail-suppressions?limit=1')
    expect(other.body.next_cursor).toEqual(expect.any(String))
    const cursors = [
      '1',
      'x',
      'eyJhIjoxfQ',
      btoa('{"list":"emails"}'),
      '%00',
      other.body.next_cursor,
    ]
    for (const cursor of cursors)
      expect(await ask('GET', `/api/emails?cursor=${cursor}`)).toMatchObject({
        status: 400,
        body: { code: 'invalid_cursor', detail: expect.stringContaining('egin without') },
      })
  })
})

describe('GET /api/emails/{id}', () => {
  it('tells its whole history, and what it says', async () => {
    await mailer().enqueue([owed(7)])
    const [mail] = await until('queued')
    const { status, body } = await ask('GET', `/api/emails/${mail?.id}`)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      id: mail?.id,
      order_id: 7,
      state: 'queued',
      history: [{ kind: 'queued', at: expect.stringMatching(/Z$/), detail: null }],
      letter: {
        subject: expect.stringContaining('Order 7 is filled'),
        html: expect.stringContaining('<html'),
        text: expect.stringContaining('Ada Lovelace'),
      },
    })
    expect(body).not.toHaveProperty('body')
  })

  it.each(['{}', '{"template":"gone","audience":"staff","category":"x","data":{}}', 'no JSON'])(
    'says that the letter cannot be written any more: %s',
    async (body) => {
      await mailer().enqueue([owed(1, 'ada@example.com', { body })])
      const [mail] = await until('queued')
      expect(await ask('GET', `/api/emails/${mail?.id}`)).toMatchObject({
        status: 200,
        body: { letter: null, order_id: 1 },
      })
    },
  )

  it.each(['0', '-1', 'x', '1.5', '9007199254740993', '1'.repeat(300), '%00', 'redrive'])(
    'P60 refuses the id %s',
    async (id) => {
      for (const [method, action] of [
        ['GET', ''],
        ['POST', '/redrive'],
        ['POST', '/cancel'],
      ] as const)
        expect(await ask(method, `/api/emails/${id}${action}`)).toMatchObject({
          status: 400,
          body: { code: 'invalid_id' },
        })
    },
  )

  it('P60 says that there is none, and where to look', async () => {
    for (const [method, action] of [
      ['GET', ''],
      ['POST', '/redrive'],
      ['POST', '/cancel'],
    ] as const)
      expect(await ask(method, `/api/emails/999${action}`)).toMatchObject({
        status: 404,
        body: { code: 'not_found', detail: expect.stringContaining('GET /api/emails') },
      })
  })
})

describe('POST /api/emails/{id}/cancel', () => {
  it('cancels what waits, once', async () => {
    await mailer().enqueue([owed(1)])
    const [mail] = await until('queued')
    expect(await ask('POST', `/api/emails/${mail?.id}/cancel`)).toEqual({
      status: 200,
      body: { cancelled: true },
    })
    expect((await mailer().story(mail?.id ?? 0))?.state).toBe('cancelled')
    expect(await ask('POST', `/api/emails/${mail?.id}/cancel`)).toMatchObject({
      status: 409,
      body: { code: 'wrong_state', detail: expect.stringContaining('nothing to cancel') },
    })
  })

  it('says that it is too late, and what to do', async () => {
    configure({ sends: true })
    new Post()
    const [mail] = await handOver([owed(1)], 'sent')
    expect(await ask('POST', `/api/emails/${mail?.id}/cancel`)).toMatchObject({
      status: 409,
      body: { code: 'wrong_state', detail: expect.stringContaining('cannot be called back') },
    })
    expect((await mailer().story(mail?.id ?? 0))?.state).toBe('sent')
  })

  it('says so while it may be on its way', async () => {
    configure({ sends: true })
    vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
      const request = new Request(input as RequestInfo, init as RequestInit)
      return request.url.endsWith('/sql') ? databaseOfRules(request) : new Promise(() => undefined)
    })
    const [mail] = await handOver([owed(1)], 'sending')
    expect(await ask('POST', `/api/emails/${mail?.id}/cancel`)).toMatchObject({
      status: 409,
      body: { code: 'wrong_state', detail: expect.stringContaining('may be on its way') },
    })
    expect(await ask('POST', `/api/emails/${mail?.id}/redrive`)).toMatchObject({ status: 409 })
    await abortAllDurableObjects()
  })
})

describe('POST /api/emails/{id}/redrive', () => {
  it('tries one again that was given up, once', async () => {
    const id = await suppressed(1, 'ada@example.com')
    expect(await ask('POST', `/api/emails/${id}/redrive`)).toEqual({
      status: 200,
      body: { redriven: 1 },
    })
    expect(await ask('POST', `/api/emails/${id}/redrive`)).toMatchObject({
      status: 409,
      body: { code: 'wrong_state', detail: expect.stringContaining('tried by itself') },
    })
  })

  it('does not send twice what Resend has taken', async () => {
    configure({ sends: true })
    const resend = new Post()
    const [mail] = await handOver([owed(1)], 'sent')
    expect(await ask('POST', `/api/emails/${mail?.id}/redrive`)).toMatchObject({
      status: 409,
      body: { code: 'wrong_state', detail: expect.stringContaining('Resend has taken it') },
    })
    expect(resend.mails).toHaveLength(1)
  })
})

describe('POST /api/emails/redrive', () => {
  const redrive = (body: unknown) => ask('POST', '/api/emails/redrive', body)

  it('counts first and changes nothing by that, then redrives as many', async () => {
    await suppressed(1, 'ada@example.com')
    await suppressed(2, 'ada@example.com')
    await suppressed(3, 'bob@example.com')
    for (const filter of [
      { state: 'suppressed', recipient: 'ADA@example.com' },
      { state: ['suppressed', 'parked'], recipient: 'ada@example.com', rule: 1 },
    ])
      expect(await redrive({ filter, dry_run: true })).toEqual({
        status: 200,
        body: { matching: 2 },
      })
    expect(await mailer().counts()).toMatchObject({ suppressed: 3, queued: 0 })
    expect(await redrive({ filter: { recipient: 'ada@example.com' } })).toEqual({
      status: 200,
      body: { redriven: 2 },
    })
    expect(await mailer().counts()).toMatchObject({ suppressed: 1 })
    expect(await redrive({ filter: { order: 3 }, dry_run: false })).toMatchObject({
      body: { redriven: 1 },
    })
  })

  it('takes an empty filter only with all', async () => {
    await suppressed(1, 'ada@example.com')
    for (const dry_run of [true, false])
      expect(await redrive({ filter: {}, dry_run })).toMatchObject({
        status: 400,
        body: { code: 'invalid_body', detail: expect.stringContaining('"all": true') },
      })
    expect(await mailer().counts()).toMatchObject({ suppressed: 1 })
    expect(await redrive({ filter: {}, all: true, dry_run: true })).toMatchObject({
      body: { matching: 1 },
    })
    expect(await redrive({ filter: {}, all: true })).toMatchObject({ body: { redriven: 1 } })
  })

  it('leaves alone what a filter names but no redrive would try', async () => {
    await mailer().enqueue([owed(1)])
    await until('queued')
    expect(await redrive({ filter: { state: 'queued' }, dry_run: true })).toMatchObject({
      body: { matching: 0 },
    })
    expect(await redrive({ filter: { state: 'queued' } })).toMatchObject({ body: { redriven: 0 } })
  })

  it.each([
    '',
    'no JSON',
    'null',
    '[]',
    '{}',
    { filter: null },
    { filter: [] },
    { filter: 'parked' },
    { filter: { state: 'lost' } },
    { filter: { state: [] } },
    { filter: { state: ['lost'] } },
    { filter: { state: null } },
    { filter: { stat: 'parked' } },
    { filter: { order: -1 } },
    { filter: { order: 1.5 } },
    { filter: { order: 'x' } },
    { filter: { order: 1, table: 'orders' } },
    { filter: { rule: 0 } },
    { filter: { rule: {} } },
    { filter: { recipient: '' } },
    { filter: { state: 'parked' }, all: true },
    { filter: { state: 'parked' }, dry_run: 'yes' },
    { filter: { state: 'parked' }, dryrun: true },
    { dry_run: true },
  ])('P60 refuses %j, and redrives nothing', async (body) => {
    const redriven = vi.spyOn(Mailer.prototype, 'redrive')
    expect(await redrive(body)).toMatchObject({
      status: 400,
      body: { code: 'invalid_body', detail: expect.stringMatching(/\w/) },
    })
    expect(redriven).not.toHaveBeenCalled()
  })

  it('P60 refuses what is no JSON by its type, or is too long', async () => {
    const url = 'http://belfry.test/api/emails/redrive'
    const form = await worker.fetch(url, {
      method: 'POST',
      headers: operator,
      body: new URLSearchParams('filter=x'),
    })
    expect(form.status).toBe(415)
    const filter = { recipient: 'x'.repeat(70_000) }
    expect(await redrive({ filter })).toMatchObject({
      status: 413,
      body: { code: 'body_too_large' },
    })
  })
})

describe('GET /api/emails/live', () => {
  it('tells at once how many there are, and again when one moves', async () => {
    const socket = await openSocket('/api/emails/live', operator)
    const first = JSON.parse(await socket.text())
    expect(first).toEqual({ type: 'moved', counts: nothing })
    await mailer().enqueue([owed(1)])
    let counts = first.counts
    while (counts.queued === 0) counts = JSON.parse(await socket.text()).counts
    expect(counts).toEqual({ ...nothing, queued: 1 })
    socket.close()
  })

  it('P60 refuses who does not speak WebSocket', async () => {
    const response = await worker.fetch('http://belfry.test/api/emails/live', { headers: operator })
    expect(response.status).toBe(426)
    expect(response.headers.get('upgrade')).toBe('websocket')
    expect(await response.json()).toMatchObject({ code: 'upgrade_required' })
  })
})
