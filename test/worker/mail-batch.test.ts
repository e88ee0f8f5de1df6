import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  age,
  bothCounts,
  broken,
  configure,
  env,
  eventually,
  HOUR_MS,
  hanging,
  listed,
  mailerAtRest,
  owed,
  ResendStandIn,
  refusal,
  rest,
  type SentRequest,
  sql,
  step,
  stepOn,
} from './mail-world.ts'
import { summaryIn } from './summary-in.ts'

let resend: ResendStandIn

beforeEach(() => {
  configure({ MAIL_BATCH: '100' })
  resend = new ResendStandIn()
  vi.spyOn(console, 'warn').mockReturnValue()
  vi.spyOn(console, 'error').mockReturnValue()
})
afterEach(() => {
  vi.restoreAllMocks()
})

const bob = 'bob@example.com'
const some = (count: number) => Array.from({ length: count }, (_, change) => owed(change + 1))
const shapes = () => resend.requests.map(({ path, mails }) => [path, mails.length])
const states = async (stub: Parameters<typeof listed>[0]) =>
  (await listed(stub)).map(({ key, state }) => [key, state]).reverse()
const requestOf = ({ key, text }: SentRequest) => key + text

describe('mails that are due together', () => {
  test('P51: go in one request, permissively, under one key of its own', async () => {
    const mailer = await mailerAtRest('together')
    await mailer.enqueue(some(3))
    await step(mailer)
    expect(shapes()).toEqual([['/emails/batch', 3]])
    expect(resend.requests[0]?.key).toMatch(/^batch\/[0-9a-f-]{36}$/)
    expect(resend.requests[0]?.headers.get('x-batch-validation')).toBe('permissive')
    expect(await listed(mailer)).toMatchObject([
      { key: '3', state: 'sent', provider_id: 're_3' },
      { key: '2', state: 'sent', provider_id: 're_2' },
      { key: '1', state: 'sent', provider_id: 're_1' },
    ])
  })

  test.each([
    ['1', [1, 1, 1]],
    ['2', [2, 1]],
    ['many', [3]],
    ['0', [1, 1, 1]],
    ['999', [3]],
  ])('go %s at a time if MAIL_BATCH says so', async (batch, sizes) => {
    configure({ MAIL_BATCH: batch })
    const mailer = await mailerAtRest(`batch of ${batch}`)
    await mailer.enqueue(some(3))
    await stepOn(mailer)
    expect(resend.requests.map(({ mails }) => mails.length)).toEqual(sizes)
  })

  test('P51: of which one is refused: it alone is parked, the others are sent', async () => {
    const mailer = await mailerAtRest('one refused')
    resend.refuses = ({ to }) => to.includes(bob)
    await mailer.enqueue([owed(1), owed(2, bob), owed(3)])
    await step(mailer)
    expect(await listed(mailer)).toMatchObject([
      { key: '3', state: 'sent', provider_id: 're_2' },
      { key: '2', state: 'parked', last_error: expect.stringContaining('Invalid `to` field') },
      { key: '1', state: 'sent', provider_id: 're_1' },
    ])
  })

  test('P54: in doubt are repeated whole, the same bytes under the same key, and arrive once', async () => {
    const mailer = await mailerAtRest('repeated whole')
    resend.script.push(async (request) => {
      resend.accept(request)
      return broken()
    })
    await mailer.enqueue(some(3))
    await step(mailer)
    await mailer.enqueue([owed(4)])
    await evictDurableObject(mailer)
    await rest(mailer)
    await stepOn(mailer)
    const [first, ...others] = resend.requests
    const repeated = others.find(({ key }) => key === first?.key)
    expect(repeated && requestOf(repeated)).toBe(first && requestOf(first))
    expect(resend.mails).toHaveLength(4)
    expect(await states(mailer)).toEqual([1, 2, 3, 4].map((key) => [String(key), 'sent']))
  })

  test('P54: that were being sent in a crash are repeated whole, also after two crashes', async () => {
    const name = 'two crashes'
    await (await mailerAtRest(name)).enqueue(some(3))
    for (const crash of [1, 2]) {
      resend.script.push((request) => {
        resend.accept(request)
        return hanging()
      })
      const crashed = step(env.MAILER.getByName(name)).catch(() => 'crashed')
      await eventually(() => expect(resend.requests).toHaveLength(crash))
      await abortAllDurableObjects()
      expect(await crashed).toBe('crashed')
      await rest(env.MAILER.getByName(name))
    }
    const mailer = env.MAILER.getByName(name)
    expect(await listed(mailer)).toMatchObject(
      [3, 2, 1].map((key) => ({ key: String(key), state: 'failed', attempts: 2 })),
    )
    await step(mailer)
    expect(new Set(resend.requests.map(requestOf)).size).toBe(1)
    expect(resend.mails).toHaveLength(3)
    expect(await summaryIn(mailer)).toEqual({ queued: 0, sent: 3, parked: 0 })
  })

  test('P55: refused as a whole are taken apart, and that costs no attempt', async () => {
    const mailer = await mailerAtRest('taken apart')
    resend.script.push(() => refusal(422, 'validation_error'))
    await mailer.enqueue([owed(1), owed(2, bob), owed(3)])
    await step(mailer)
    expect((await listed(mailer)).map(({ attempts }) => attempts)).toEqual([0, 0, 0])
    resend.script.push(({ mails, ...request }) =>
      mails[0]?.to.includes(bob)
        ? refusal(422, 'validation_error')
        : resend.accept({ ...request, mails }),
    )
    resend.script.push(() => refusal(422, 'validation_error'))
    await stepOn(mailer)
    expect(shapes()).toEqual([
      ['/emails/batch', 3],
      ['/emails', 1],
      ['/emails', 1],
      ['/emails', 1],
    ])
    expect(await states(mailer)).toEqual([
      ['1', 'sent'],
      ['2', 'parked'],
      ['3', 'sent'],
    ])
  })

  test('P54: refused as a whole when they may have gone out are not taken apart', async () => {
    const mailer = await mailerAtRest('not taken apart')
    resend.script.push(broken, () => refusal(422, 'validation_error'))
    await mailer.enqueue(some(2))
    await step(mailer)
    await step(mailer)
    expect(await listed(mailer)).toMatchObject(
      [2, 1].map((key) => ({
        key: String(key),
        state: 'parked',
        last_error: expect.stringContaining('may have gone out'),
      })),
    )
    expect(await mailer.redrive({ id: (await listed(mailer))[0]?.id ?? 0 })).toBe(2)
    await step(mailer)
    expect(new Set(resend.requests.map(requestOf)).size).toBe(1)
    expect(await summaryIn(mailer)).toEqual({ queued: 0, sent: 2, parked: 0 })
  })

  test('P55: held for the rate go together later, and with those that came meanwhile', async () => {
    const mailer = await mailerAtRest('held')
    resend.script.push(() => refusal(429, 'rate_limit_exceeded', { 'retry-after': '5' }))
    await mailer.enqueue(some(2))
    await step(mailer)
    await mailer.enqueue([owed(3)])
    await step(mailer)
    expect(shapes()).toEqual([
      ['/emails/batch', 2],
      ['/emails/batch', 3],
    ])
    expect(await summaryIn(mailer)).toEqual({ queued: 0, sent: 3, parked: 0 })
  })

  test('P54: after 23 hours of doubt are unknown, all of them', async () => {
    const mailer = await mailerAtRest('all unknown')
    resend.script.push(broken)
    await mailer.enqueue(some(100))
    await step(mailer)
    await age(mailer, 23 * HOUR_MS)
    await step(mailer)
    expect(await mailer.counts()).toMatchObject({ unknown: 100, failed: 0 })
    expect(resend.requests).toHaveLength(1)
  })

  test('P54: after 23 hours of doubt are not sent by a step that could not look at all of them', async () => {
    const mailer = await mailerAtRest('many unknown')
    await mailer.enqueue(some(250))
    await sql(
      mailer,
      'UPDATE deliveries SET doubt_since = ?, alone = 1, attempts = 1',
      Date.now() - 23 * HOUR_MS,
    )
    await step(mailer)
    await step(mailer)
    expect(await mailer.counts()).toMatchObject({ unknown: 250, queued: 0 })
    expect(resend.requests).toHaveLength(0)
  })

  test('P55: of which one may be what failed them all go each alone in the next round', async () => {
    const mailer = await mailerAtRest('each alone')
    resend.script.push(broken)
    await mailer.enqueue(some(3))
    await step(mailer)
    await age(mailer, 23 * HOUR_MS)
    await step(mailer)
    expect(await mailer.redrive({ states: ['unknown'] })).toBe(3)
    await stepOn(mailer)
    expect(shapes().slice(1)).toEqual([1, 1, 1].map((count) => ['/emails', count]))
  })

  test('P56: one of whom Resend tells is settled, and the others are repeated with it', async () => {
    const mailer = await mailerAtRest('one told')
    resend.script.push(async (request) => {
      resend.accept(request)
      return broken()
    })
    await mailer.enqueue(some(3))
    await step(mailer)
    const tag = resend.requests[0]?.mails[1]?.tags[0]?.value ?? ''
    const about = { at: new Date().toISOString(), recipient: null, detail: null, permanent: false }
    const told = { id: 'evt_1', kind: 'bounced', providerId: 're_2', delivery: tag } as const
    expect(await mailer.heard({ ...told, ...about })).toBe('applied')
    const second = (await listed(mailer)).find(({ key }) => key === '2')
    expect(second?.state).toBe('bounced')
    expect(await mailer.redrive({ id: second?.id ?? 0 })).toBe(0)

    await step(mailer)
    expect(new Set(resend.requests.map(requestOf)).size).toBe(1)
    expect(await states(mailer)).toEqual([
      ['1', 'sent'],
      ['2', 'bounced'],
      ['3', 'sent'],
    ])
    const kept = await runInDurableObject(mailer, (_mailer, { storage }) =>
      storage.sql
        .exec('SELECT count(*) AS n FROM deliveries WHERE batch IS NOT NULL OR payload IS NOT NULL')
        .one(),
    )
    expect(kept).toEqual({ n: 0 })
    expect(await mailer.redrive({ id: second?.id ?? 0 })).toBe(1)
  })

  test('P56: one of whom Resend tells is free again once the others are given up', async () => {
    const mailer = await mailerAtRest('free again')
    resend.script.push(broken)
    await mailer.enqueue(some(3))
    await step(mailer)
    const tag = resend.requests[0]?.mails[1]?.tags[0]?.value ?? ''
    const about = { at: new Date().toISOString(), recipient: null, detail: null, permanent: false }
    await mailer.heard({ id: 'e', kind: 'bounced', providerId: 're_2', delivery: tag, ...about })
    expect(await mailer.countRedrivable({})).toBe(0)
    await age(mailer, 23 * HOUR_MS)
    await step(mailer)
    expect(await mailer.countRedrivable({})).toBe(3)
    expect(await mailer.redrive({ states: ['bounced'] })).toBe(1)
  })

  test('P57: one who is suppressed meanwhile is left out', async () => {
    const mailer = await mailerAtRest('left out')
    await mailer.enqueue([owed(1), owed(2, bob), owed(3)])
    await mailer.suppress(bob, null)
    await step(mailer)
    expect(resend.asked).toEqual(['ada@example.com', 'ada@example.com'])
    expect(await states(mailer)).toEqual([
      ['1', 'sent'],
      ['2', 'suppressed'],
      ['3', 'sent'],
    ])
  })
})

describe('P55: an outage', () => {
  test('of which five hundred mails learn by a few, who go out in some ten requests afterwards', async () => {
    configure({ MAIL_BATCH: '50' })
    const mailer = await mailerAtRest('outage')
    await mailer.enqueue(some(500))
    const down = () => refusal(503, 'application_error')
    resend.script.push(down, down, down, down, down)
    for (let request = 1; request <= 5; request++) await step(mailer)
    // The first request was a batch; then one mail alone, each time another.
    expect(shapes()).toEqual([
      ['/emails/batch', 50],
      ['/emails', 1],
      ['/emails', 1],
      ['/emails', 1],
      ['/emails', 1],
    ])
    expect(Math.max(...(await listed(mailer)).map(({ attempts }) => attempts))).toBeLessThan(2)
    await stepOn(mailer)
    expect(resend.requests.length - 5).toBeLessThanOrEqual(1 + 10 + 4)
    expect(resend.mails).toHaveLength(500)
    expect(new Set(resend.mails.map(({ subject }) => subject)).size).toBe(500)
    expect(await summaryIn(mailer)).toEqual({ queued: 0, sent: 500, parked: 0 })
    const { kept, recount } = await bothCounts(mailer)
    expect(kept).toEqual(recount)
  })

  test('says why everything waits, and when it goes on', async () => {
    const mailer = await mailerAtRest('says why')
    await mailer.enqueue(some(2))
    resend.script.push(() => refusal(503, 'application_error', { 'retry-after': '300' }))
    await sql(mailer, 'UPDATE pace SET until = 0')
    const before = Date.now()
    await runInDurableObject(mailer, (object) => object.alarm())
    await mailer.enqueue([owed(3)])
    const [third] = await listed(mailer)
    expect(third).toMatchObject({ state: 'queued', last_error: expect.stringContaining('503') })
    expect(Date.parse(third?.next_at ?? '')).toBeGreaterThanOrEqual(before + 300_000)
    expect((await mailer.story(third?.id ?? 0))?.last_error).toContain('503')
  })
})
