import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { MAX_ATTEMPTS } from '../../worker/courier/attempt.ts'
import type { WebhookSender } from '../../worker/webhooks/sender.ts'
import {
  changeId,
  configure,
  endpoint,
  env,
  HOUR_MS,
  listed,
  Network,
  owed,
  type Received,
  registeredAtRest,
  sql,
  step,
} from './webhook-world.ts'

let network: Network
let logged: string[]

beforeEach(() => {
  configure()
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

/** @throws unless it is signed with this secret, as the library of Standard Webhooks sees it */
function verify({ body, headers }: Received, secret: string) {
  return new Webhook(secret).verify(body, headers)
}

describe('a message that is owed', () => {
  test('P65: goes out at once, signed, under the UUID of its change', async () => {
    const id = crypto.randomUUID()
    network.rows = [endpoint(id)]
    const sender = env.WEBHOOKS.getByName(id)
    const secret = await sender.register(endpoint(id))
    await sender.enqueue([owed(id, 1)])
    await vi.waitFor(async () => expect(await sender.counts()).toMatchObject({ sent: 1 }))
    const [received] = network.received as [Received]
    expect(received).toMatchObject({
      url: 'https://hooks.example.com/in',
      body: owed(id, 1).body,
      headers: { 'content-type': 'application/json', 'webhook-id': changeId(1) },
    })
    expect(verify(received, secret)).toEqual(JSON.parse(owed(id, 1).body))
    expect(await listed(sender)).toMatchObject([{ state: 'sent', attempts: 1, last_error: null }])
  })

  test('P69: is one, however often it is handed over', async () => {
    const { id, sender } = await registeredAtRest(network)
    await sender.enqueue([owed(id, 1), owed(id, 1), owed(id, 2)])
    await step(sender)
    await evictDurableObject(sender)
    await sender.enqueue([owed(id, 2), owed(id, 1)])
    await step(sender)
    expect(network.ids).toEqual([changeId(1), changeId(2)])
  })

  test('P67: goes out with others, and one that is refused holds back none', async () => {
    const { id, sender } = await registeredAtRest(network)
    network.answer = ({ headers }) =>
      headers['webhook-id'] === changeId(2)
        ? new Response('no', { status: 500 })
        : Response.json({})
    await sender.enqueue([1, 2, 3, 4].map((number) => owed(id, number)))
    await step(sender)
    expect(network.ids).toHaveLength(4)
    expect(await listed(sender)).toMatchObject([
      { state: 'sent' },
      { state: 'failed', attempts: 1, last_error: 'The endpoint answered 500: no' },
      { state: 'sent' },
      { state: 'sent' },
    ])
    expect((await sender.condition()).health.failing).toBeNull()
  })

  test('P67: is tried again after a restart with the same id and body, and parked in the end', async () => {
    const { id, sender } = await registeredAtRest(network)
    network.answer = () => new Response('no', { status: 500 })
    await sender.enqueue([owed(id, 1)])
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      expect(await listed(sender)).toMatchObject([{ attempts: attempt - 1 }])
      await step(sender)
      await evictDurableObject(sender)
    }
    expect(await listed(sender)).toMatchObject([
      { state: 'parked', attempts: MAX_ATTEMPTS, last_error: expect.stringContaining('Given up') },
    ])
    expect(new Set(network.ids)).toEqual(new Set([changeId(1)]))
    expect(new Set(network.received.map(({ body }) => body)).size).toBe(1)

    network.answer = () => new Response(null, { status: 204 })
    expect(await sender.countRedrivable({ states: ['parked'] })).toBe(1)
    expect(await sender.redrive({ states: ['parked'] })).toBe(1)
    await step(sender)
    expect(await listed(sender)).toMatchObject([{ state: 'sent', attempts: 1 }])
    expect(network.ids.at(-1)).toBe(changeId(1))
  })

  test('P67: goes out once though the alarm fires twice', async () => {
    const { id, sender } = await registeredAtRest(network)
    await sender.enqueue([owed(id, 1), owed(id, 2)])
    await runInDurableObject(sender, async (object: WebhookSender, { storage }) => {
      storage.sql.exec('UPDATE pace SET until = 0')
      await Promise.all([object.alarm(), object.alarm()])
      await object.alarm()
    })
    expect(network.ids).toEqual([changeId(1), changeId(2)])
  })

  test('P67: that was under way when its object crashed is repeated with the same id', async () => {
    const { id, sender } = await registeredAtRest(network)
    network.script.push(() => new Promise(() => {}))
    await sender.enqueue([owed(id, 1)])
    const crashed = step(sender).catch(() => 'crashed')
    await vi.waitFor(() => expect(network.received).toHaveLength(1))
    await abortAllDurableObjects()
    expect(await crashed).toBe('crashed')

    const again = env.WEBHOOKS.getByName(id)
    expect(await listed(again)).toMatchObject([{ state: 'failed', attempts: 1 }])
    await step(again)
    expect(await listed(again)).toMatchObject([{ state: 'sent' }])
    expect(network.ids).toEqual([changeId(1), changeId(1)])
  })

  test('P67: to an endpoint that hangs is given up after 15 s', async () => {
    const { id, sender } = await registeredAtRest(network)
    network.script.push(
      (_received, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason))
        }),
    )
    await sender.enqueue([owed(id, 1)])
    // As if 15 s were over at once.
    const wait = globalThis.setTimeout
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(((run: () => void, ms: number) =>
      wait(run, ms === 15_000 ? 1 : ms)) as typeof setTimeout)
    await step(sender)
    expect(await listed(sender)).toMatchObject([
      { state: 'failed', last_error: expect.stringContaining('within 15 s') },
    ])
  })

  test('P67: that meets an endless answer is told of its first 2 kB, on one line', async () => {
    const { id, sender } = await registeredAtRest(network)
    let pulled = 0
    network.script.push(() => {
      const endless = new ReadableStream({
        pull(controller) {
          pulled++
          controller.enqueue(new TextEncoder().encode('no\r\n\u0007'.repeat(100)))
        },
      })
      return new Response(endless, { status: 500 })
    })
    await sender.enqueue([owed(id, 1)])
    await step(sender)
    const [{ last_error: error = '' } = {}] = await listed(sender)
    expect(error).toMatch(/^The endpoint answered 500: no no no/)
    expect(error).not.toMatch(/\p{C}/u)
    expect(error?.length).toBeLessThan(400)
    expect(pulled).toBeLessThan(10)
  })

  test('P67: that is redirected has failed, and nothing is sent there', async () => {
    const { id, sender } = await registeredAtRest(network)
    network.script.push(
      () => new Response(null, { status: 307, headers: { location: 'https://10.0.0.1/' } }),
    )
    await sender.enqueue([owed(id, 1)])
    await step(sender)
    expect(network.received).toHaveLength(1)
    expect(await listed(sender)).toMatchObject([
      { state: 'failed', last_error: expect.stringContaining('Redirects are not followed') },
    ])
  })

  test.each([
    [429, '1800', 1_800_000],
    [503, '60', 60_000],
  ])(
    'P67: that is answered %i with retry-after waits so long, and costs no attempt',
    async (status, after, waitMs) => {
      const { id, sender } = await registeredAtRest(network)
      network.script.push(
        () => new Response('later', { status, headers: { 'retry-after': after } }),
      )
      await sender.enqueue([owed(id, 1)])
      const before = Date.now()
      expect(await step(sender)).toBeGreaterThanOrEqual(before + waitMs)
      expect(await listed(sender)).toMatchObject([{ state: 'queued', attempts: 0 }])
      await step(sender)
      expect(await listed(sender)).toMatchObject([{ state: 'sent', attempts: 1 }])
    },
  )
})

test('what was sent ten days ago is forgotten, what is parked is not', async () => {
  const { id, sender } = await registeredAtRest(network)
  await sender.enqueue([owed(id, 1)])
  await step(sender)
  network.answer = () => new Response('no', { status: 500 })
  await sender.enqueue([owed(id, 2)])
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) await step(sender)
  const pass = (days: number) =>
    sql(sender, 'UPDATE deliveries SET forget_at = forget_at - ?', days * 24 * HOUR_MS)
  await pass(9)
  await sender.enqueue([owed(id, 3)])
  await step(sender)
  expect(await listed(sender)).toHaveLength(3)
  await pass(2)
  await step(sender)
  expect(await listed(sender)).toMatchObject([{ change: changeId(2) }, { change: changeId(3) }])
})

describe('P65: secrets', () => {
  test('while one is rotated both sign; after a day the old one is forgotten', async () => {
    const { id, sender, secret } = await registeredAtRest(network)
    const { secret: newer, previousUntil } = await rotated(sender)
    expect(newer).not.toBe(secret)
    expect(previousUntil - Date.now()).toBeGreaterThan(23.9 * HOUR_MS)
    expect((await sender.condition()).previousUntil).toBe(previousUntil)
    await evictDurableObject(sender)
    await sender.enqueue([owed(id, 1)])
    await step(sender)
    const [first] = network.received as [Received]
    for (const each of [secret, newer]) expect(verify(first, each)).toBeTruthy()

    await sql(sender, 'UPDATE secrets SET until = until - ?', 24 * HOUR_MS)
    await sender.enqueue([owed(id, 2)])
    await step(sender)
    const second = network.received[1] as Received
    expect(verify(second, newer)).toBeTruthy()
    expect(() => verify(second, secret)).toThrow('signature')
    expect((await sender.condition()).previousUntil).toBeNull()
    const left = await runInDurableObject(sender, (_object, { storage }) =>
      storage.sql.exec('SELECT secret FROM secrets').toArray(),
    )
    expect(left).toEqual([{ secret: newer }])
  })

  test('two are in force at most, however often they are rotated', async () => {
    const { id, sender, secret } = await registeredAtRest(network)
    const { secret: second } = await rotated(sender)
    const { secret: third } = await rotated(sender)
    await sender.enqueue([owed(id, 1)])
    await step(sender)
    const [received] = network.received as [Received]
    for (const each of [second, third]) expect(verify(received, each)).toBeTruthy()
    expect(() => verify(received, secret)).toThrow('signature')
  })

  test('of one that is deleted there are none, nor anything else', async () => {
    const { sender } = await registeredAtRest(network)
    await sender.forget()
    expect(await sender.rotate()).toBeNull()
    expect(await sender.condition()).toMatchObject({ nextAt: null, previousUntil: null })
    expect(await sender.isOff()).toBe(true)
  })

  test('stand in no report, story or line of the log', async () => {
    const { id, sender, secret } = await registeredAtRest(network)
    network.answer = () => new Response('gone', { status: 410 })
    await sender.enqueue([owed(id, 1)])
    await step(sender)
    const said = [
      await sender.condition(),
      await sender.list({}, 10, null),
      await sender.story(1),
      logged,
    ]
    expect(logged).not.toEqual([])
    expect(JSON.stringify(said)).not.toContain(secret.slice(6, 20))
    expect(JSON.stringify(said)).not.toContain('whsec')
  })
})

async function rotated(sender: DurableObjectStub<WebhookSender>) {
  const made = await sender.rotate()
  if (!made) throw new Error('there is no endpoint any more')
  return made
}
