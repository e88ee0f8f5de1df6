import { runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Channel } from '../../worker/courier/channel.ts'
import {
  configure,
  hanging,
  listed,
  mailerAtRest,
  only,
  owed,
  ResendStandIn,
  refusal,
  step,
  within,
} from './mail-world.ts'
import { summaryIn } from './summary-in.ts'

let resend: ResendStandIn

beforeEach(() => {
  configure()
  resend = new ResendStandIn()
  vi.spyOn(console, 'warn').mockReturnValue()
})
afterEach(() => {
  vi.restoreAllMocks()
})

describe('P55: a refusal that concerns everyone', () => {
  test('for the rate holds all mails as long as asked, and costs no attempt', async () => {
    const mailer = await mailerAtRest('rate')
    resend.script.push(() => refusal(429, 'rate_limit_exceeded', { 'retry-after': '1800' }))
    await mailer.enqueue([owed(1), owed(2)])
    const before = Date.now()
    const alarmAt = await step(mailer)
    expect(alarmAt).toBeGreaterThanOrEqual(before + 1_800_000)
    expect(await listed(mailer)).toMatchObject([
      { state: 'queued', attempts: 0, last_error: expect.stringContaining('rate_limit') },
      { state: 'queued', attempts: 0, last_error: expect.stringContaining('rate_limit') },
    ])
    await step(mailer)
    await step(mailer)
    expect(await summaryIn(mailer)).toEqual({ queued: 0, sent: 2, parked: 0 })
    expect((await listed(mailer)).map(({ last_error }) => last_error)).toEqual([null, null])
  })

  test('is written once, not into each of a thousand', async () => {
    const mailer = await mailerAtRest('written once')
    await mailer.enqueue(Array.from({ length: 1_000 }, (_, change) => owed(change)))
    resend.script.push(() => refusal(429, 'rate_limit_exceeded', { 'retry-after': '60' }))
    await step(mailer)
    const waiting = await runInDurableObject(mailer, (_mailer, { storage }) =>
      storage.sql.exec('SELECT count(*) AS n FROM deliveries WHERE last_error IS NULL').one(),
    )
    expect(waiting).toEqual({ n: 1_000 })
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
      for (const mail of await listed(mailer)) {
        expect(mail).toMatchObject({ state: 'queued', attempts: 0 })
        expect(mail.last_error).toContain(`${setting} is not set`)
        expect(mail.last_error).toContain(how)
      }
      expect(resend.requests).toEqual([])

      configure()
      await step(mailer)
      await step(mailer)
      expect(await summaryIn(mailer)).toEqual({ queued: 0, sent: 2, parked: 0 })
    },
  )

  test('a key that Resend does not know keeps the mails waiting', async () => {
    const mailer = await mailerAtRest('unknown key')
    resend.script.push(() => refusal(401, 'invalid_api_key'))
    await mailer.enqueue([owed(1)])
    await step(mailer)
    expect(await only(mailer)).toMatchObject({
      state: 'queued',
      attempts: 0,
      last_error: expect.stringContaining('RESEND_API_KEY'),
    })
  })

  test('a database that does not answer keeps only those waiting that need it', async () => {
    const mailer = await mailerAtRest('no database')
    await mailer.enqueue([owed(1, 'user:7'), owed(2)])
    await step(mailer)
    await step(mailer)
    expect(await listed(mailer)).toMatchObject([
      { key: '2', state: 'sent' },
      { key: '1', state: 'queued', attempts: 0, last_error: expect.stringContaining('database') },
    ])
  })
})

describe('a user', () => {
  const TEXT = 25
  const BOOLEAN = 16
  /** The database's answer to who a user is. */
  function users(rows: [email: string, wantsAny: 't' | 'f', wants: 't' | 'f'][]): void {
    configure({ NEON_ENDPOINT: 'https://database.test/sql' })
    const types = { email: TEXT, wants_any: BOOLEAN, wants: BOOLEAN }
    const fields = Object.entries(types).map(([name, dataTypeID]) => ({ name, dataTypeID }))
    resend.elsewhere = () =>
      Response.json({ fields, rows, command: 'SELECT', rowCount: rows.length, rowAsArray: true })
  }

  test('is written to at the address they have when the mail goes', async () => {
    const mailer = await mailerAtRest('a user')
    users([['new@example.com', 't', 't']])
    await mailer.enqueue([owed(1, 'user:7')])
    await step(mailer)
    expect(resend.asked).toEqual(['new@example.com'])
    expect(await only(mailer)).toMatchObject({ state: 'sent', recipient: 'user:7' })
  })

  test.each([
    ['wants no mail of this kind', [['a@example.com', 't', 'f']], 'suppressed', 'wants no mail'],
    ['wants nothing', [['a@example.com', 'f', 't']], 'suppressed', 'wants no notifications'],
    ['is not there', [], 'parked', 'There is no user 7.'],
    ['has no usable address', [['a@x, b@x', 't', 't']], 'parked', 'not one address'],
  ] as const)('P57: who %s gets none', async (name, rows, state, why) => {
    const mailer = await mailerAtRest(name)
    users(rows.map(([...row]) => row))
    await mailer.enqueue([owed(1, 'user:7')])
    await step(mailer)
    expect(await only(mailer)).toMatchObject({ state, last_error: expect.stringContaining(why) })
    expect(resend.asked).toEqual([])
  })

  test('whose address cannot be asked for is not asked for by everyone', async () => {
    configure({ NEON_ENDPOINT: 'https://database.test/sql', MAIL_BATCH: '1' })
    const mailer = await mailerAtRest('not by everyone')
    const questions = vi.fn(() => Promise.reject(new TypeError('fetch failed')))
    resend.elsewhere = questions
    await mailer.enqueue([1, 2, 3, 4, 5].map((order) => owed(order, 'user:7')))
    for (let mail = 1; mail <= 5; mail++) await step(mailer)
    expect(questions).toHaveBeenCalledTimes(1)
    expect(await mailer.counts()).toMatchObject({ queued: 5 })
  })
})

test('P54: a mail that is not answered within 30 s is in doubt, and holds up no other', async () => {
  const mailer = await mailerAtRest('hanging')
  await mailer.enqueue([owed(1), owed(2)])
  const wait = setTimeout
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((run: () => void, ms: number) =>
    wait(run, ms === 30_000 ? 1 : ms)) as typeof setTimeout)
  resend.script.push(hanging)
  await step(mailer)
  await step(mailer)
  expect(await listed(mailer)).toMatchObject([
    { key: '2', state: 'sent' },
    { key: '1', state: 'failed', attempts: 1, last_error: expect.stringContaining('no answer') },
  ])
})

test('P52: a failure of our own is no end: the alarm stands, and says why everything waits', async () => {
  vi.spyOn(console, 'error').mockReturnValue()
  const mailer = await mailerAtRest('our own')
  await mailer.enqueue([owed(1)])
  const object = await within(mailer)
  await runInDurableObject(mailer, () => {
    const { channel } = object as unknown as { channel: Channel }
    vi.spyOn(channel, 'veto').mockImplementationOnce(() => {
      throw new Error('a bug')
    })
  })
  const alarmAt = await step(mailer)
  expect(alarmAt).toBeLessThanOrEqual(Date.now() + 60_000)
  expect(await only(mailer)).toMatchObject({
    state: 'queued',
    attempts: 0,
    last_error: expect.stringContaining('a bug'),
  })
  await step(mailer)
  expect(await only(mailer)).toMatchObject({ state: 'sent', last_error: null })
})
