import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startAfresh } from './link.ts'
import { type Answer, ask, configure, handOver, mailer, owed, Post } from './mail-post.ts'

beforeEach(() => {
  configure({ sends: false })
})
afterEach(async () => {
  vi.restoreAllMocks()
  await startAfresh()
})

const PATH = '/api/mail-suppressions'
const put = (mailbox: string, body?: unknown) =>
  ask('PUT', `${PATH}/${encodeURIComponent(mailbox)}`, body)
const remove = (mailbox: string) => ask('DELETE', `${PATH}/${encodeURIComponent(mailbox)}`)
const mailboxesOf = ({ body }: Answer) =>
  (body.suppressions as { mailbox: string }[]).map(({ mailbox }) => mailbox)

describe('who gets no mail', () => {
  it('is put there by hand, once however it is spelled, and taken away', async () => {
    const ada = {
      mailbox: 'ada@example.com',
      reason: 'by_hand',
      since: expect.stringMatching(/Z$/),
      detail: 'asked by telephone',
    }
    expect(await put(' Ada@Example.COM ', { detail: ' asked by telephone ' })).toEqual({
      status: 200,
      body: ada,
    })
    expect((await put('ada@example.com', { detail: 'asked by telephone' })).status).toBe(200)
    expect(await ask('GET', PATH)).toEqual({
      status: 200,
      body: { suppressions: [ada], next_cursor: null },
    })
    expect(await remove('ADA@example.com')).toEqual({ status: 204, body: {} })
    expect(await remove('ada@example.com')).toMatchObject({
      status: 404,
      body: { code: 'not_found', detail: expect.stringContaining(PATH) },
    })
    expect(mailboxesOf(await ask('GET', PATH))).toEqual([])
  })

  it('needs no reason: neither a body nor a detail', async () => {
    for (const body of [undefined, {}, { detail: null }, { detail: '  ' }])
      expect(await put('ada@example.com', body)).toMatchObject({
        status: 200,
        body: { detail: null },
      })
  })

  it('is not written to, and what was kept back can be redriven', async () => {
    configure({ sends: true })
    const resend = new Post()
    await put('ada@example.com')
    const [mail] = await handOver([owed(1, 'ADA@example.com')], 'suppressed')
    expect(resend.mails).toEqual([])
    await remove('ada@example.com')
    await ask('POST', `/api/emails/${mail?.id}/redrive`)
    await vi.waitFor(() => expect(resend.mails).toHaveLength(1))
  })

  it('is found by a part of the address, page by page, the newest first', async () => {
    for (const name of ['ada', 'bob', 'adam', 'eve', 'adele']) await put(`${name}@example.com`)
    expect(mailboxesOf(await ask('GET', `${PATH}?search=AD`))).toEqual([
      'adele@example.com',
      'adam@example.com',
      'ada@example.com',
    ])
    const first = await ask('GET', `${PATH}?search=ad&limit=2`)
    const second = await ask('GET', `${PATH}?search=ad&limit=2&cursor=${first.body.next_cursor}`)
    expect([...mailboxesOf(first), ...mailboxesOf(second)]).toEqual([
      'adele@example.com',
      'adam@example.com',
      'ada@example.com',
    ])
    expect(second.body.next_cursor).toBeNull()
    for (const search of ['%25', '_', "'", '\\'])
      expect(mailboxesOf(await ask('GET', `${PATH}?search=${search}`))).toEqual([])
  })

  it.each([
    'ada',
    'ada@',
    '@example.com',
    'ada@b@example.com',
    'ada@example.com,bob@example.com',
    'ada@example.com bob@example.com',
    'Ada <ada@example.com>',
    'ada@example.com\r\nBcc: bob@example.com',
    `${'a'.repeat(300)}@example.com`,
    'ada@example.com\u0000',
    ' ',
  ])('P60 is one address: %j is refused', async (mailbox) => {
    expect(await put(mailbox)).toMatchObject({
      status: 400,
      body: { code: 'invalid_mailbox', detail: expect.stringContaining('ada@example.com') },
    })
    expect(mailboxesOf(await ask('GET', PATH))).toEqual([])
  })

  it.each([
    'no JSON',
    'null',
    '[]',
    { detail: 5 },
    { detail: 'x'.repeat(501) },
    { reason: 'bounced' },
  ])('P60 refuses the body %j', async (body) => {
    expect(await put('ada@example.com', body)).toMatchObject({
      status: 400,
      body: { code: 'invalid_body' },
    })
    expect(mailboxesOf(await ask('GET', PATH))).toEqual([])
  })

  it.each(['limit=0', 'limit=201', 'limit=1&limit=2', 'seach=x', `search=${'x'.repeat(255)}`])(
    'P60 refuses ?%s',
    async (query) => {
      expect(await ask('GET', `${PATH}?${query}`)).toMatchObject({
        status: 400,
        body: { code: 'invalid_query' },
      })
    },
  )

  it('P60 refuses a cursor that is not ours, or of another list', async () => {
    await mailer().enqueue([owed(1), owed(2)])
    const other = await ask('GET', '/api/emails?limit=1')
    for (const cursor of ['1', 'x', '%00', other.body.next_cursor])
      expect(await ask('GET', `${PATH}?cursor=${cursor}`)).toMatchObject({
        status: 400,
        body: { code: 'invalid_cursor' },
      })
  })
})
