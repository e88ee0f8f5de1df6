import { evictDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CapturedChange, Row } from '../../protocol/change.ts'
import { bindings, openLink, orderChange, orderRow, startAfresh } from './link.ts'
import { DEADLINE_MS } from './subscriber.ts'

let one: string
let two: string

beforeEach(() => {
  one = crypto.randomUUID()
  two = crypto.randomUUID()
  // The resolver is not there, so that what is owed waits again after a look.
  vi.spyOn(console, 'warn').mockReturnValue()
})
afterEach(async () => {
  vi.restoreAllMocks()
  await startAfresh()
})

const feed = () => bindings.FEED.getByName('main')
const sender = (id: string) => bindings.WEBHOOKS.getByName(id)

async function report(name = 'webhooks') {
  return (await feed().status()).consumers.find((consumer) => consumer.name === name)
}

async function caughtUp(offset: number): Promise<void> {
  await expect
    .poll(() => report(), { timeout: DEADLINE_MS })
    .toMatchObject({ offset, behind: 0, parked: 0, error: null })
}

/** The changes that an endpoint is owed, oldest first. */
async function owedTo(id: string) {
  const { deliveries } = await sender(id).list({}, 100, null)
  return deliveries.toReversed()
}

function rowChange(table: string, old: Row | null, row: Row | null): CapturedChange {
  const op = old === null ? 'insert' : row === null ? 'delete' : 'update'
  return orderChange({ table, op, key: { id: (row ?? old)?.id ?? null }, old, new: row })
}

function endpointRow(id: string, fields: Row = {}): Row {
  return {
    id,
    url: 'https://hooks.example.com/',
    description: '',
    enabled: true,
    version: 1,
    ...fields,
  }
}

function ruleRow(id: number, endpoint: string, fields: Row = {}): Row {
  return {
    ...{
      id,
      name: `webhook ${id}`,
      channel: 'webhook',
      table: 'orders',
      ops: ['insert', 'update'],
    },
    ...{ when: { status: { became: ['filled'] } }, template: null, category: 'general' },
    ...{ recipients: [], endpoint, enabled: true, version: 1, ...fields },
  }
}

const filled = () => orderChange({ new: orderRow('filled') })

describe('the webhook consumer', () => {
  it('P69 hands what a change owes to the object of each endpoint whose rule it meets', async () => {
    const link = await openLink()
    const told = filled()
    await link.deliver([
      rowChange('webhook_endpoints', null, endpointRow(one)),
      rowChange('webhook_endpoints', null, endpointRow(two)),
      rowChange('rules', null, ruleRow(2, one)),
      rowChange('rules', null, ruleRow(3, one, { when: {} })),
      rowChange('rules', null, ruleRow(4, two, { ops: ['delete'] })),
      told,
      orderChange({ new: orderRow('shipped'), op: 'delete' }),
    ])
    await caughtUp(7)
    expect(await owedTo(one)).toMatchObject([
      { change: told.id, rule_name: `orders.${told.op}`, table: 'orders', key: '1' },
    ])
    const story = await sender(one).story(1)
    expect(JSON.parse(story?.body ?? '')).toEqual({
      type: `orders.${told.op}`,
      timestamp: told.at,
      data: { ...told, offset: 6 },
    })
  })

  it('P69 a rule is in force for every change behind it, though the feed is evicted in between', async () => {
    const link = await openLink()
    const [during, again] = [filled(), filled()]
    const rule = ruleRow(2, one)
    const off = { ...rule, version: 2, enabled: false }
    const log = [
      filled(),
      rowChange('rules', null, rule),
      during,
      rowChange('rules', rule, off),
      filled(),
      rowChange('rules', off, { ...rule, version: 3 }),
      again,
      rowChange('rules', { ...rule, version: 3 }, null),
      filled(),
    ]
    for (const [index, change] of log.entries()) {
      await link.deliver([change])
      await caughtUp(index + 1)
      await evictDurableObject(feed())
    }
    expect((await owedTo(one)).map(({ change }) => change)).toEqual([during.id, again.id])
  })

  it('P69 tells an endpoint that it is off, on again and gone, in the order of the log', async () => {
    const link = await openLink()
    const row = endpointRow(one)
    const off = { ...row, enabled: false, version: 2 }
    const on = { ...row, version: 3 }
    await link.deliver([
      rowChange('webhook_endpoints', null, row),
      rowChange('rules', null, ruleRow(2, one)),
      filled(),
      rowChange('webhook_endpoints', row, off),
      filled(),
      rowChange('webhook_endpoints', off, on),
      filled(),
    ])
    await caughtUp(7)
    await expect
      .poll(async () => (await owedTo(one)).map(({ state }) => state), { timeout: DEADLINE_MS })
      .toEqual(['parked', 'parked', 'queued'])

    await link.deliver([
      rowChange('rules', ruleRow(2, one), null),
      rowChange('webhook_endpoints', on, null),
      filled(),
    ])
    await caughtUp(10)
    await evictDurableObject(sender(one))
    expect(await owedTo(one)).toEqual([])
  })

  it('P40 fails alone: mail goes on, and so does every other endpoint', async () => {
    const link = await openLink()
    const { getByName } = bindings.WEBHOOKS
    const broken = vi.spyOn(bindings.WEBHOOKS, 'getByName').mockImplementation((name) => {
      if (name === one) throw new Error('it cannot be reached')
      return getByName.call(bindings.WEBHOOKS, name)
    })
    await link.deliver([
      rowChange('rules', null, ruleRow(2, one)),
      rowChange('rules', null, ruleRow(3, two)),
      filled(),
    ])
    await expect
      .poll(async () => (await report())?.error, { timeout: DEADLINE_MS })
      .toBe('it cannot be reached')
    expect(await owedTo(two)).toHaveLength(1)
    await expect
      .poll(() => report('mail'), { timeout: DEADLINE_MS })
      .toMatchObject({ offset: 3, error: null })
    broken.mockRestore()
    await expect
      .poll(() => report(), { timeout: DEADLINE_MS })
      .toMatchObject({ offset: 3, error: null })
    expect(await owedTo(one)).toHaveLength(1)
    expect(await owedTo(two)).toHaveLength(1)
  })
})
