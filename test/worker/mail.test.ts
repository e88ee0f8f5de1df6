import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { emails } from '../../worker/api/emails.ts'
import { MAX_ATTEMPTS } from '../../worker/mail/attempt.ts'
import type { OwedMail } from '../../worker/mail/owed.ts'
import {
  configure,
  env,
  mailerAtRest,
  owed,
  ResendStandIn,
  refusal,
  sql,
  step,
} from './mail-world.ts'

let resend: ResendStandIn

beforeEach(() => {
  configure()
  resend = new ResendStandIn()
  vi.spyOn(console, 'warn').mockReturnValue()
  vi.spyOn(console, 'error').mockReturnValue()
})
afterEach(() => {
  vi.restoreAllMocks()
})

describe('a mail that is owed', () => {
  test('goes out at once, through the real client, with a key of change and mailbox', async () => {
    const mailer = env.MAILER.getByName('at once')
    await mailer.enqueue([owed(1, 'Ada@Example.com')])
    await vi.waitFor(async () => expect(await mailer.summary()).toMatchObject({ sent: 1 }))
    expect(resend.requests).toEqual([
      {
        key: expect.stringMatching(/^00000000-0000-4000-8000-000000000001\/[0-9a-f]{32}$/),
        authorization: 'Bearer re_key',
        to: 'Ada@Example.com',
        body: expect.objectContaining({
          from: 'Orders <orders@example.com>',
          subject: 'Order 1 is filled: Difference engine for Ada Lovelace',
          html: expect.stringContaining('Difference engine'),
          text: expect.stringContaining('Difference engine'),
        }),
      },
    ])
  })

  test('P51: is one, however often it is handed over and however its address is spelled', async () => {
    const mailer = await mailerAtRest('handed over again')
    await mailer.enqueue([owed(1), owed(1), owed(1, 'ADA@example.com'), owed(1, 'bob@example.com')])
    await step(mailer)
    await mailer.enqueue([owed(1), owed(1, 'Bob@example.com')])
    await step(mailer)
    await mailer.enqueue([owed(1), owed(1, 'bob@example.com')])
    expect(resend.requests.map(({ to }) => to)).toEqual(['ada@example.com', 'bob@example.com'])
    expect(await mailer.summary()).toEqual({ queued: 0, sent: 2, parked: 0 })
  })

  test('P52: that met a broken network is tried again after a restart, under the same key', async () => {
    const mailer = await mailerAtRest('network')
    resend.script.push(() => Promise.reject(new TypeError('fetch failed')))
    await mailer.enqueue([owed(1)])
    await step(mailer)
    await evictDurableObject(mailer)
    expect(await mailer.list({ limit: 1 })).toMatchObject([
      { state: 'queued', attempts: 1, last_error: expect.stringContaining('no answer') },
    ])
    await step(mailer)
    expect(await mailer.list({ limit: 1 })).toMatchObject([
      { state: 'sent', attempts: 2, last_error: null, provider_id: 're_1' },
    ])
    expect(new Set(resend.requests.map(({ key }) => key)).size).toBe(1)
  })

  test('P51: that was being sent when the mailer crashed is repeated, and arrives once', async () => {
    const mailer = await mailerAtRest('crash')
    await mailer.enqueue([owed(1)])
    resend.script.push(() => {
      const { key, body } = resend.requests[0] as (typeof resend.requests)[0]
      resend.accept(key, JSON.stringify(body))
      return new Promise(() => {})
    })
    const crashed = step(mailer).catch(() => 'crashed')
    await vi.waitFor(() => expect(resend.requests).toHaveLength(1))
    await abortAllDurableObjects()
    expect(await crashed).toBe('crashed')

    const again = env.MAILER.getByName('crash')
    expect(await again.list({ limit: 1 })).toMatchObject([
      { attempts: 1, last_error: expect.stringContaining('stopped') },
    ])
    await step(again)
    expect(await again.list({ limit: 1 })).toMatchObject([{ state: 'sent', provider_id: 're_1' }])
    expect(resend.requests).toHaveLength(2)
    expect(resend.accepted.size).toBe(1)
  })

  test('that is refused as it is gets parked with the reason, and the next one goes out', async () => {
    const mailer = await mailerAtRest('refused')
    resend.script.push(() => refusal(422, 'validation_error'))
    await mailer.enqueue([owed(1, 'nobody'), owed(2)])
    await step(mailer)
    await step(mailer)
    expect(await mailer.list({ limit: 2 })).toMatchObject([
      { order_id: 2, state: 'sent' },
      { order_id: 1, state: 'parked', last_error: expect.stringContaining('validation_error') },
    ])
  })

  test('that fails each time is parked in the end', async () => {
    const mailer = await mailerAtRest('given up')
    await mailer.enqueue([owed(1)])
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      expect(await mailer.summary()).toEqual({ queued: 1, sent: 0, parked: 0 })
      resend.script.push(() => refusal(500, 'internal_server_error'))
      await step(mailer)
    }
    expect(await mailer.list({ limit: 1 })).toMatchObject([
      { state: 'parked', attempts: MAX_ATTEMPTS, last_error: expect.stringContaining('Given up') },
    ])
    expect(resend.requests).toHaveLength(MAX_ATTEMPTS)
  })

  test('P51: that may have gone out a day ago is parked, not repeated', async () => {
    const mailer = await mailerAtRest('a day ago')
    resend.script.push(() => refusal(500, 'internal_server_error'))
    await mailer.enqueue([owed(1)])
    await step(mailer)
    await sql(mailer, 'UPDATE mails SET first_at = first_at - ?', 24 * 3_600_000)
    await step(mailer)
    expect(await mailer.summary()).toEqual({ queued: 0, sent: 0, parked: 1 })
    expect(resend.requests).toHaveLength(1)
  })

  test('that cannot be written harms no other', async () => {
    const mailer = await mailerAtRest('unwritable')
    const unwritable = { ...owed(1), order: { id: 1 } } as OwedMail
    await mailer.enqueue([unwritable, owed(2)])
    await step(mailer)
    await step(mailer)
    expect(await mailer.list({ limit: 2 })).toMatchObject([
      { order_id: 2, state: 'sent' },
      { order_id: 1, state: 'queued', last_error: expect.stringContaining('TypeError') },
    ])
  })
})

describe('a refusal that concerns everyone', () => {
  test('for the rate holds all mails as long as asked, and costs no attempt', async () => {
    const mailer = await mailerAtRest('rate')
    resend.script.push(() => refusal(429, 'rate_limit_exceeded', { 'retry-after': '1800' }))
    await mailer.enqueue([owed(1), owed(2)])
    const before = Date.now()
    const alarmAt = await step(mailer)
    expect(alarmAt).toBeGreaterThanOrEqual(before + 1_800_000)
    expect(await mailer.list({ limit: 2 })).toMatchObject([
      { state: 'queued', attempts: 0, last_error: expect.stringContaining('rate_limit') },
      { state: 'queued', attempts: 0, last_error: expect.stringContaining('rate_limit') },
    ])
    await step(mailer)
    await step(mailer)
    expect(await mailer.summary()).toEqual({ queued: 0, sent: 2, parked: 0 })
  })

  test.each([
    ['RESEND_API_KEY', 'npx wrangler secret put RESEND_API_KEY'],
    ['MAIL_FROM', 'wrangler.toml'],
  ] as const)(
    'without %s nothing is asked of Resend, and the mails wait and say why',
    async (setting, how) => {
      const mailer = await mailerAtRest(`without ${setting}`)
      configure({ [setting]: '' })
      await mailer.enqueue([owed(1), owed(2)])
      await step(mailer)
      for (const mail of await mailer.list({ limit: 2 })) {
        expect(mail).toMatchObject({ state: 'queued', attempts: 0 })
        expect(mail.last_error).toContain(`${setting} is not set`)
        expect(mail.last_error).toContain(how)
      }
      expect(resend.requests).toEqual([])

      configure()
      await step(mailer)
      await step(mailer)
      expect(await mailer.summary()).toEqual({ queued: 0, sent: 2, parked: 0 })
    },
  )

  test('a key that Resend does not know keeps the mails waiting', async () => {
    const mailer = await mailerAtRest('unknown key')
    resend.script.push(() => refusal(401, 'invalid_api_key'))
    await mailer.enqueue([owed(1)])
    await step(mailer)
    expect(await mailer.list({ limit: 1 })).toMatchObject([
      { state: 'queued', attempts: 0, last_error: expect.stringContaining('RESEND_API_KEY') },
    ])
  })
})

test('a mailer sets its alarm at every start', async () => {
  const mailer = await mailerAtRest('start')
  await mailer.enqueue([owed(1)])
  await runInDurableObject(mailer, (_mailer, { storage }) => storage.deleteAlarm())
  await evictDurableObject(mailer)
  const alarmAt = await runInDurableObject(mailer, (_mailer, { storage }) => storage.getAlarm())
  expect(alarmAt).not.toBeNull()
})

test('what was sent long ago is forgotten, what waits or is parked is not', async () => {
  const mailer = await mailerAtRest('long ago')
  resend.script.push(
    () => resend.accept('first', ''),
    () => refusal(422, 'validation_error'),
  )
  await mailer.enqueue([owed(1), owed(2), owed(3), owed(4)])
  await step(mailer)
  await step(mailer)
  await sql(mailer, 'UPDATE mails SET sent_at = 1 WHERE sent_at IS NOT NULL')
  await sql(mailer, 'UPDATE mails SET created_at = 1')
  await step(mailer)
  const left = await mailer.list({ limit: 9 })
  expect(left.map(({ order_id, state }) => [order_id, state])).toEqual([
    [4, 'queued'],
    [3, 'sent'],
    [2, 'parked'],
  ])
})

describe('GET /api/emails', () => {
  async function get(query: string) {
    const response = await emails.request(`/api/emails${query}`, {}, env)
    return { status: response.status, body: await response.json<Record<string, unknown>>() }
  }

  test('lists mails, newest first, of one state and up to a limit', async () => {
    const mailer = await mailerAtRest('main')
    await mailer.enqueue([owed(1), owed(2), owed(3)])
    await step(mailer)
    expect((await get('')).body.emails).toMatchObject([
      { order_id: 3 },
      { order_id: 2 },
      { order_id: 1 },
    ])
    expect((await get('?state=queued&limit=1')).body).toEqual({
      emails: [
        {
          change: owed(3).change,
          recipient: 'ada@example.com',
          order_id: 3,
          state: 'queued',
          attempts: 0,
          next_at: expect.stringMatching(/^\d{4}-.*Z$/),
          last_error: null,
          provider_id: null,
          created_at: expect.stringMatching(/^\d{4}-.*Z$/),
          sent_at: null,
        },
      ],
    })
  })

  test.each([
    '?state=lost',
    '?limit=0',
    '?limit=201',
    '?limit=x',
    '?limit=1&limit=2',
    '?stat=sent',
  ])('P60: refuses %s', async (query) => {
    expect(await get(query)).toMatchObject({ status: 400, body: { code: 'invalid_query' } })
  })
})
