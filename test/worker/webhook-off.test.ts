import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { WebhookSender } from '../../worker/webhooks/sender.ts'
import {
  configure,
  endpoint,
  env,
  HOUR_MS,
  listed,
  Network,
  owed,
  registeredAtRest,
  rest,
  type Sender,
  sql,
  step,
} from './webhook-world.ts'

let network: Network
let logged: string[]

beforeEach(() => {
  configure({ ALERT_RECIPIENTS: 'ops@belfry.test, Desk <desk@belfry.test>' })
  network = new Network()
  logged = []
  for (const level of ['warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation((line) => {
      logged.push(line)
    })
})
afterEach(() => {
  vi.restoreAllMocks()
})

const failing = () => new Response('out of order', { status: 500 })

/** As if what failed so far had begun to do so that long ago. */
function age(sender: Sender, ms: number): Promise<void> {
  return sql(
    sender,
    "UPDATE endpoint SET health = json_set(health, '$.failing.since', (health ->> '$.failing.since') - ?)",
    ms,
  )
}

/** Five failures, the last of them a day after the first. */
async function failForADay(id: string, sender: Sender): Promise<void> {
  network.answer = failing
  await sender.enqueue([owed(id, 1)])
  for (let attempt = 1; attempt <= 4; attempt++) await step(sender)
  await age(sender, 24 * HOUR_MS)
  expect(await sender.isOff()).toBe(false)
  await step(sender)
}

async function notices() {
  const mails = env.MAILER.getByName('main')
  const { deliveries } = await mails.list({ table: 'webhook_endpoints' }, 100, null)
  return deliveries
}

describe('P66: an endpoint that fails for a day', () => {
  test('is switched off; what it owes and is owed is parked, and nothing more is sent', async () => {
    const { id, sender } = await registeredAtRest(network)
    await failForADay(id, sender)
    expect(await sender.isOff()).toBe(true)
    const asked = network.received.length
    await evictDurableObject(sender)
    await sender.enqueue([owed(id, 2), owed(id, 3)])
    await step(sender)
    expect(network.received).toHaveLength(asked)
    expect(await sender.counts()).toMatchObject({ parked: 3, queued: 0, failed: 0 })
    for (const { last_error } of await listed(sender))
      expect(last_error).toMatch(/switched off after a day of failures.*redrive/)
    expect((await sender.condition()).health).toMatchObject({
      kind: 'off',
      reason: 'failing',
      failing: { failures: 5, lastError: 'The endpoint answered 500: out of order' },
    })
  })

  test('is told of once to each of ALERT_RECIPIENTS, and in the log', async () => {
    const { id, sender } = await registeredAtRest(network, {
      url: 'https://hooks.example.com/in?token=abc',
    })
    await failForADay(id, sender)
    for (let again = 2; again < 5; again++) {
      await evictDurableObject(sender)
      await sender.enqueue([owed(id, again)])
      await step(sender)
    }
    await sender.configure(endpoint(id, { url: 'https://hooks.example.com/new', version: 2 }))
    const about = (await notices()).filter(({ key }) => key === id)
    expect(about.map(({ recipient }) => recipient).sort()).toEqual([
      'desk@belfry.test',
      'ops@belfry.test',
    ])
    const story = await env.MAILER.getByName('main').story(about[0]?.id ?? 0)
    expect(JSON.parse(story?.body ?? '')).toEqual({
      template: 'webhook-off',
      audience: 'staff',
      category: 'webhooks',
      data: {
        endpoint: id,
        url: 'https://hooks.example.com/in',
        since: expect.stringMatching(/^\d{4}-.*Z$/),
        last_error: 'The endpoint answered 500: out of order',
      },
    })
    expect(logged.filter((line) => line.includes('a webhook was switched off'))).toHaveLength(1)
    expect(logged.join()).not.toContain('token=abc')
  })

  test('is told of later if the mailer cannot be reached', async () => {
    const { id, sender } = await registeredAtRest(network)
    const mailer = vi.spyOn(env.MAILER, 'getByName').mockImplementation(() => {
      throw new Error('no mailer')
    })
    await failForADay(id, sender)
    const at = await runInDurableObject(sender, (_object, { storage }) => storage.getAlarm())
    expect(at).toBeLessThanOrEqual(Date.now() + 60_000)
    mailer.mockRestore()
    expect((await notices()).filter(({ key }) => key === id)).toEqual([])
    await evictDurableObject(sender)
    await step(sender)
    expect((await notices()).filter(({ key }) => key === id)).toHaveLength(2)
  })

  test('is sent to again once a person switches it on, and what is parked is redriven', async () => {
    const { id, sender } = await registeredAtRest(network)
    await failForADay(id, sender)
    await sender.enqueue([owed(id, 2)])
    network.answer = () => new Response('thanks')
    await sender.switchOn()
    await rest(sender)
    expect((await sender.condition()).health).toMatchObject({ kind: 'on', failing: null })
    expect(await sender.counts()).toMatchObject({ parked: 2 })
    expect(await sender.redrive({ states: ['parked'] })).toBe(2)
    await step(sender)
    expect(await sender.counts()).toMatchObject({ parked: 0, sent: 2 })
  })

  test('stays on with one success in between', async () => {
    const { id, sender } = await registeredAtRest(network)
    network.answer = failing
    await sender.enqueue([owed(id, 1), owed(id, 2)])
    for (let attempt = 1; attempt <= 3; attempt++) await step(sender)
    await age(sender, 23 * HOUR_MS)
    network.script.push(() => new Response('thanks'))
    await step(sender)
    await step(sender)
    await age(sender, 2 * HOUR_MS)
    await step(sender)
    expect(await sender.isOff()).toBe(false)
  })

  test('is off too if it only ever says "later"', async () => {
    const { id, sender } = await registeredAtRest(network)
    network.answer = () => new Response('later', { status: 429, headers: { 'retry-after': '60' } })
    await sender.enqueue([owed(id, 1)])
    for (let attempt = 1; attempt <= 5; attempt++) await step(sender)
    await age(sender, 24 * HOUR_MS)
    await step(sender)
    expect(await listed(sender)).toMatchObject([{ state: 'parked', attempts: 0 }])
  })
})

describe('P66: an endpoint', () => {
  test('that answers 410 is off at once, and people are told', async () => {
    const { id, sender } = await registeredAtRest(network)
    network.script.push(() => new Response('closed', { status: 410 }))
    await sender.enqueue([owed(id, 1)])
    await step(sender)
    await sender.enqueue([owed(id, 2)])
    expect((await sender.condition()).health).toMatchObject({ kind: 'off', reason: 'gone' })
    expect(await listed(sender)).toMatchObject([
      { state: 'parked', last_error: 'The endpoint answered 410: closed' },
      { state: 'parked', last_error: expect.stringContaining('410') },
    ])
    expect((await notices()).filter(({ key }) => key === id)).toHaveLength(2)
  })

  test('that a person switches off is owed nothing but what is parked, and nobody is told', async () => {
    const { id, sender } = await registeredAtRest(network)
    await sender.enqueue([owed(id, 1)])
    await sender.configure(endpoint(id, { enabled: false, version: 2 }))
    await sender.enqueue([owed(id, 2)])
    expect(await sender.counts()).toMatchObject({ parked: 2, queued: 0 })
    await sender.configure(endpoint(id, { version: 3 }))
    expect(await sender.isOff()).toBe(false)
    // What was said earlier and comes late moves nothing.
    await sender.configure(endpoint(id, { enabled: false, version: 2 }))
    expect(await sender.isOff()).toBe(false)
    expect((await notices()).filter(({ key }) => key === id)).toEqual([])
  })

  test('that is deleted leaves nothing behind, also if something comes late', async () => {
    const { id, sender } = await registeredAtRest(network)
    await sender.enqueue([owed(id, 1)])
    await sender.forget()
    await sender.enqueue([owed(id, 2)])
    await sender.configure(endpoint(id, { version: 9 }))
    const left = () =>
      runInDurableObject(sender, async (_object, { storage }) => ({
        tables: storage.sql
          .exec("SELECT name FROM sqlite_schema WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'")
          .toArray(),
        alarm: await storage.getAlarm(),
      }))
    expect(await left()).toEqual({ tables: [], alarm: null })
    await evictDurableObject(sender)
    network.rows = []
    await sender.enqueue([owed(id, 3)])
    await step(sender)
    expect(network.received).toEqual([])
    expect(await listed(sender)).toMatchObject([
      { state: 'parked', last_error: expect.stringContaining('not registered any more') },
    ])
  })

  test('that is deleted while a request is out ends quietly', async () => {
    const { id, sender } = await registeredAtRest(network)
    network.script.push(
      (_received, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason))
        }),
    )
    await sender.enqueue([owed(id, 1)])
    const stepped = runInDurableObject(sender, async (object: WebhookSender, { storage }) => {
      storage.sql.exec('UPDATE pace SET until = 0')
      await object.alarm()
    })
    await vi.waitFor(() => expect(network.received).toHaveLength(1))
    await sender.forget()
    await stepped
    expect(logged.filter((line) => line.includes('failed'))).toEqual([])
    const alarm = await runInDurableObject(sender, (_object, { storage }) => storage.getAlarm())
    expect(alarm).toBeNull()
  })
})
