import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { MAX_ATTEMPTS } from '../../worker/courier/attempt.ts'
import {
  age,
  broken,
  configure,
  env,
  eventually,
  HOUR_MS,
  hanging,
  listed,
  mailerAtRest,
  only,
  owed,
  ResendStandIn,
  refusal,
  rest,
  sql,
  step,
  within,
} from './mail-world.ts'
import { summaryIn } from './summary-in.ts'

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
  test('goes out at once, through the real client, under a key of change, rule and mailbox', async () => {
    const mailer = env.MAILER.getByName('at once')
    await mailer.enqueue([owed(1, 'Ada@Example.com')])
    await eventually(async () => expect(await summaryIn(mailer)).toMatchObject({ sent: 1 }))
    const [request] = resend.requests
    expect(request?.key).toMatch(/^00000000-0000-4000-8000-000000000001\/1\/[0-9a-f]{32}$/)
    expect(request?.headers.get('authorization')).toBe('Bearer re_key')
    expect(request?.mails).toEqual([
      {
        from: 'Orders <orders@example.com>',
        to: ['Ada@Example.com'],
        subject: 'Order 1 is filled: Difference engine for Ada Lovelace',
        html: expect.stringContaining('Difference engine'),
        text: expect.stringContaining('Difference engine'),
        tags: [{ name: 'delivery', value: request?.key.replaceAll('/', '-') }],
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
    expect(resend.asked).toEqual(['ada@example.com', 'bob@example.com'])
    expect(await summaryIn(mailer)).toEqual({ queued: 0, sent: 2, parked: 0 })
  })

  test('P51: is another one by another rule', async () => {
    const mailer = await mailerAtRest('two rules')
    await mailer.enqueue([owed(1), { ...owed(1), rule: 2, ruleName: 'second' }])
    expect(await listed(mailer)).toMatchObject([{ rule_name: 'second' }, { rule: 1 }])
  })

  test('P52: that met a broken network is tried again after a restart, under the same key', async () => {
    const mailer = await mailerAtRest('network')
    resend.script.push(broken)
    await mailer.enqueue([owed(1)])
    await step(mailer)
    await evictDurableObject(mailer)
    expect(await only(mailer)).toMatchObject({
      state: 'failed',
      attempts: 1,
      last_error: expect.stringContaining('no answer'),
    })
    await step(mailer)
    expect(await only(mailer)).toMatchObject({
      state: 'sent',
      attempts: 2,
      last_error: null,
      provider_id: 're_1',
    })
    expect(new Set(resend.requests.map(({ key, text }) => key + text)).size).toBe(1)
  })

  test('P51: that was being sent when the mailer crashed is repeated, and arrives once', async () => {
    const mailer = await mailerAtRest('crash')
    await mailer.enqueue([owed(1)])
    resend.script.push((request) => {
      resend.accept(request)
      return hanging()
    })
    const crashed = step(mailer).catch(() => 'crashed')
    await eventually(() => expect(resend.requests).toHaveLength(1))
    await abortAllDurableObjects()
    expect(await crashed).toBe('crashed')

    const again = env.MAILER.getByName('crash')
    expect(await only(again)).toMatchObject({
      state: 'failed',
      attempts: 1,
      last_error: expect.stringContaining('stopped'),
    })
    await rest(again)
    await step(again)
    expect(await only(again)).toMatchObject({ state: 'sent', provider_id: 're_1' })
    expect(resend.requests).toHaveLength(2)
    expect(resend.mails).toHaveLength(1)
  })

  test('P51: is on disk as under way before its request leaves', async () => {
    const mailer = await mailerAtRest('on disk')
    await mailer.enqueue([owed(1)])
    const order: string[] = []
    await runInDurableObject(mailer, (_mailer, { storage }) => {
      const sync = storage.sync.bind(storage)
      vi.spyOn(storage, 'sync').mockImplementation(async () => {
        const { state, doubt_since } = storage.sql
          .exec('SELECT state, doubt_since FROM deliveries')
          .one()
        order.push(`synced while ${state}, in doubt: ${doubt_since !== null}`)
        await sync()
        order.push('on disk')
      })
    })
    resend.script.push((request) => {
      order.push('the request leaves')
      return resend.accept(request)
    })
    await step(mailer)
    expect(order).toEqual(['synced while sending, in doubt: true', 'on disk', 'the request leaves'])
  })

  test('P52: two alarms at once send it once', async () => {
    const mailer = await mailerAtRest('two alarms')
    await mailer.enqueue([owed(1), owed(2)])
    await sql(mailer, 'UPDATE pace SET until = 0')
    await runInDurableObject(mailer, async (object, { storage }) => {
      await Promise.all([object.alarm(), object.alarm(), object.alarm()])
      expect(await storage.getAlarm()).not.toBeNull()
    })
    await rest(mailer)
    expect(resend.asked).toHaveLength(1)
  })

  test('P52: an alarm while its request is out leaves it alone', async () => {
    const mailer = await mailerAtRest('alarm meanwhile')
    await mailer.enqueue([owed(1), owed(2)])
    const object = await within(mailer)
    const meanwhile: unknown[] = []
    resend.script.push(async (request) => {
      await object.alarm()
      meanwhile.push(await object.counts())
      return resend.accept(request)
    })
    await step(mailer)
    expect(meanwhile).toMatchObject([{ sending: 1, queued: 1 }])
    expect(await mailer.counts()).toMatchObject({ sent: 1, queued: 1 })
    expect(resend.asked).toHaveLength(1)
  })

  test('P54: in doubt is repeated as it was, though the settings have changed', async () => {
    const mailer = await mailerAtRest('as it was')
    resend.script.push(broken)
    await mailer.enqueue([owed(1, 'ada@example.com', 'customer')])
    await step(mailer)
    configure({ MAIL_FROM: 'Others <others@example.com>', PUBLIC_URL: '' })
    await step(mailer)
    const [first, second] = resend.requests
    expect(second?.text).toBe(first?.text)
  })

  test('that is refused as it is gets parked with the reason, and the next one goes out', async () => {
    const mailer = await mailerAtRest('refused')
    resend.script.push(() => refusal(422, 'validation_error'))
    await mailer.enqueue([owed(1), owed(2)])
    await step(mailer)
    await step(mailer)
    expect(await listed(mailer)).toMatchObject([
      { key: '2', state: 'sent' },
      { key: '1', state: 'parked', last_error: expect.stringContaining('validation_error') },
    ])
  })

  test('P55: that fails each time is parked after eight attempts, in doubt', async () => {
    const mailer = await mailerAtRest('given up')
    await mailer.enqueue([owed(1)])
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      expect(await summaryIn(mailer)).toEqual({ queued: 1, sent: 0, parked: 0 })
      resend.script.push(() => refusal(500, 'internal_server_error'))
      await sql(mailer, 'UPDATE deliveries SET next_at = 0')
      await step(mailer)
    }
    expect(await only(mailer)).toMatchObject({
      state: 'parked',
      attempts: MAX_ATTEMPTS,
      last_error: expect.stringContaining('Given up'),
    })
    expect(resend.requests).toHaveLength(MAX_ATTEMPTS)
    expect(new Set(resend.requests.map(({ key, text }) => key + text)).size).toBe(1)
  })

  test('P54: that may have gone out a day ago is unknown, and not repeated', async () => {
    const mailer = await mailerAtRest('a day ago')
    resend.script.push(() => refusal(500, 'internal_server_error'))
    await mailer.enqueue([owed(1)])
    await step(mailer)
    await age(mailer, 23 * HOUR_MS)
    await step(mailer)
    expect(await only(mailer)).toMatchObject({
      state: 'unknown',
      last_error: expect.stringContaining('look at the provider'),
    })
    expect(resend.requests).toHaveLength(1)
  })

  test('P54: that was given up in doubt becomes unknown by itself after 23 hours', async () => {
    const mailer = await mailerAtRest('given up in doubt')
    await mailer.enqueue([owed(1)])
    resend.script.push(broken)
    await sql(mailer, 'UPDATE deliveries SET attempts = 7')
    const alarmAt = await step(mailer)
    expect(await only(mailer)).toMatchObject({ state: 'parked' })
    expect(alarmAt).toBeLessThanOrEqual(Date.now() + 23 * HOUR_MS)
    await age(mailer, 23 * HOUR_MS)
    await step(mailer)
    expect(await only(mailer)).toMatchObject({ state: 'unknown' })
  })

  test.each([
    ['cannot be made', { body: '{"template":"none"}' }, 'cannot be made'],
    ['goes to what is no address', { recipient: 'a@example.com, b@example.com' }, 'one address'],
    ['goes to a user who is none', { recipient: 'user:x' }, 'no user'],
  ])('that %s is parked with the reason, and harms no other', async (name, more, why) => {
    const mailer = await mailerAtRest(name)
    await mailer.enqueue([{ ...owed(1), ...more }, owed(2)])
    await step(mailer)
    await step(mailer)
    expect(await listed(mailer)).toMatchObject([
      { key: '2', state: 'sent' },
      { key: '1', state: 'parked', attempts: 0, last_error: expect.stringContaining(why) },
    ])
    expect(resend.asked).toEqual(['ada@example.com'])
  })

  test('tells its whole story', async () => {
    const mailer = await mailerAtRest('story')
    resend.script.push(broken)
    await mailer.enqueue([owed(1)])
    await step(mailer)
    await step(mailer)
    const story = await mailer.story((await only(mailer)).id)
    expect(story?.history.map(({ kind }) => kind)).toEqual([
      'queued',
      'attempt',
      'failed',
      'attempt',
      'sent',
    ])
    expect(story?.history[2]?.detail).toContain('no answer')
    expect(story?.body).toBe(owed(1).body)
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

test('what was settled long ago is forgotten, what waits for a person later, what waits never', async () => {
  const mailer = await mailerAtRest('long ago')
  resend.script.push(resend.accept.bind(resend), () => refusal(422, 'validation_error'))
  await mailer.enqueue([owed(1), owed(2), owed(3)])
  await step(mailer)
  await step(mailer)
  const DAY_MS = 24 * HOUR_MS
  await sql(mailer, 'UPDATE deliveries SET forget_at = forget_at - ?', 59 * DAY_MS)
  await step(mailer)
  expect(await summaryIn(mailer)).toEqual({ queued: 0, sent: 2, parked: 1 })
  await sql(mailer, 'UPDATE deliveries SET forget_at = forget_at - ?', 2 * DAY_MS)
  await step(mailer)
  expect(await summaryIn(mailer)).toEqual({ queued: 0, sent: 1, parked: 1 })
  await sql(mailer, 'UPDATE deliveries SET forget_at = forget_at - ?', 305 * DAY_MS)
  await step(mailer)
  expect(await summaryIn(mailer)).toEqual({ queued: 0, sent: 0, parked: 0 })
})
