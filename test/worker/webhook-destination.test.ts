import { evictDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
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
  sql,
  step,
} from './webhook-world.ts'

let network: Network

beforeEach(() => {
  configure()
  network = new Network()
  vi.spyOn(console, 'warn').mockReturnValue()
  vi.spyOn(console, 'error').mockReturnValue()
})
afterEach(() => {
  vi.restoreAllMocks()
})

/** @returns what became of one message to an endpoint of that address */
async function sendTo(url: string) {
  const { id, sender } = await registeredAtRest(network, { url })
  await sender.enqueue([owed(id, 1)])
  await step(sender)
  const [delivery] = await listed(sender)
  return { sender, id, delivery }
}

describe('P68: outside a local run nothing is sent', () => {
  test.each([
    'http://hooks.example.com/',
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://0177.0.0.1/',
    'https://[::1]/',
    'https://[::ffff:169.254.169.254]/',
    'https://[64:ff9b::a9fe:a9fe]/',
    'https://localhost/',
    'https://metadata.google.internal/',
    'https://ada:secret@hooks.example.com/',
  ])('to %s, whoever wrote it into the table', async (url) => {
    const { delivery } = await sendTo(url)
    expect(delivery).toMatchObject({
      state: 'parked',
      last_error: expect.stringMatching('another one'),
    })
    expect(network.received).toEqual([])
    expect(network.lookups).toEqual([])
  })

  test.each([
    ['one address of it', ['93.184.216.34', '10.0.0.1']],
    ['an IPv6 address of it', ['93.184.216.34', 'fd00:ec2::254']],
  ])('to a name if %s is within a private network', async (_, addresses) => {
    network.names.set('inside.example.com', addresses)
    const { delivery } = await sendTo('https://inside.example.com/')
    expect(delivery).toMatchObject({
      state: 'parked',
      last_error: expect.stringContaining('private network'),
    })
    expect(network.received).toEqual([])
  })

  test('while the resolver does not answer: it waits, and costs no attempt', async () => {
    network.names.set('hooks.example.com', null)
    const { sender, delivery } = await sendTo('https://hooks.example.com/')
    expect(delivery).toMatchObject({ state: 'queued', attempts: 0 })
    expect((await sender.condition()).health.failing).toBeNull()
    network.names.set('hooks.example.com', ['93.184.216.34'])
    await step(sender)
    expect(await listed(sender)).toMatchObject([{ state: 'sent', attempts: 1 }])
  })

  test('to a name that nobody knows: that is a failure of the endpoint', async () => {
    const { sender, delivery } = await sendTo('https://nowhere.example.com/')
    expect(delivery).toMatchObject({ state: 'failed', attempts: 1 })
    expect((await sender.condition()).health.failing).toMatchObject({ failures: 1 })
  })
})

test('P68: a name is looked up again after an hour, not before', async () => {
  const { sender, id } = await sendTo('https://hooks.example.com/')
  expect(network.lookups).toHaveLength(2)
  network.names.set('hooks.example.com', ['10.0.0.1'])
  await evictDurableObject(sender)
  await sender.enqueue([owed(id, 2)])
  await step(sender)
  expect(network.lookups).toHaveLength(2)
  expect(network.received).toHaveLength(2)

  await sql(sender, 'UPDATE endpoint SET checked_at = checked_at - ?', HOUR_MS)
  await sender.enqueue([owed(id, 3)])
  await step(sender)
  expect(network.lookups).toHaveLength(4)
  expect(network.received).toHaveLength(2)
  expect((await listed(sender))[2]).toMatchObject({
    state: 'parked',
    last_error: expect.stringContaining('10.0.0.1'),
  })
})

test('P68: a new address is looked up at once, and is where everything goes', async () => {
  const { sender, id } = await sendTo('https://hooks.example.com/')
  network.names.set('new.example.com', ['93.184.216.35'])
  await sender.configure(endpoint(id, { url: 'https://new.example.com/', version: 2 }))
  await rest(sender)
  await sender.enqueue([owed(id, 2)])
  await step(sender)
  expect(network.lookups.slice(2)).toEqual(['new.example.com', 'new.example.com'])
  expect(network.received.map(({ url }) => url)).toEqual([
    'https://hooks.example.com/',
    'https://new.example.com/',
  ])
})

describe('P68: in a local run', () => {
  test.each(['http://127.0.0.1:9999/in', 'http://localhost:9999/in', 'https://10.0.0.1/'])(
    'something is sent to %s, and no resolver is asked',
    async (url) => {
      configure({ PUBLIC_URL: 'http://127.0.0.1:8787' })
      const { delivery } = await sendTo(url)
      expect(delivery).toMatchObject({ state: 'sent' })
      expect(network.received).toMatchObject([{ url }])
      expect(network.lookups).toEqual([])
    },
  )
})

describe('what Postgres says', () => {
  test('is asked by an object that was told nothing, which waits while it cannot be', async () => {
    const id = crypto.randomUUID()
    const sender = env.WEBHOOKS.getByName(id)
    await rest(sender)
    await sender.enqueue([owed(id, 1)])
    await step(sender)
    expect(await listed(sender)).toMatchObject([{ state: 'queued', attempts: 0 }])
    network.rows = [endpoint(id)]
    await step(sender)
    expect(await listed(sender)).toMatchObject([{ state: 'sent' }])
  })

  test('is asked again after an hour: an endpoint that was switched off is off', async () => {
    const { sender, id } = await sendTo('https://hooks.example.com/')
    network.rows = [endpoint(id, { enabled: false, version: 2 })]
    await sql(sender, 'UPDATE endpoint SET checked_at = checked_at - ?', HOUR_MS)
    await sender.enqueue([owed(id, 2)])
    await step(sender)
    expect(network.received).toHaveLength(1)
    expect((await listed(sender))[1]).toMatchObject({ state: 'parked' })
    expect(await sender.isOff()).toBe(true)
  })

  test('is not needed by an endpoint that is known', async () => {
    const { sender, id } = await sendTo('https://hooks.example.com/')
    network.rows = null
    await sql(sender, 'UPDATE endpoint SET checked_at = checked_at - ?', HOUR_MS)
    await sender.enqueue([owed(id, 2)])
    await step(sender)
    expect((await listed(sender))[1]).toMatchObject({ state: 'sent' })
  })
})
