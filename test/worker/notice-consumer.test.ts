import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CapturedChange, Row } from '../../protocol/change.ts'
import { MAX_ATTEMPTS } from '../../worker/feed/consumer.ts'
import { answerWithRows } from '../support/database-of-rules.ts'
import { bindings, openLink, orderChange, orderRow, startAfresh } from './link.ts'
import { DEADLINE_MS } from './subscriber.ts'

/** A database in which there are some users, and which keeps what it is told of notifications. */
const users = new Set<number | string>(['7', '8'])
let written: Map<string, Row>
let asked: number
let isAway: boolean

beforeEach(() => {
  written = new Map()
  asked = 0
  isAway = false
  vi.spyOn(console, 'warn').mockReturnValue()
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (_, init) => {
    const { query, params } = JSON.parse(String(init?.body))
    if (!/INSERT INTO notifications/.test(query)) return answerWithRows([])
    asked++
    if (isAway) throw new TypeError('fetch failed')
    const told: Row[] = JSON.parse(params[0])
    const missing = told.filter(({ user_id }) => !users.has(user_id as string))
    for (const row of told)
      if (!missing.includes(row) && !written.has(row.origin as string))
        written.set(row.origin as string, row)
    return Response.json({
      fields: [{ name: 'origin', dataTypeID: 25 }],
      rows: missing.map(({ origin }) => [origin]),
      ...{ command: 'SELECT', rowCount: missing.length, rowAsArray: true },
    })
  })
})
afterEach(async () => {
  vi.restoreAllMocks()
  await startAfresh()
})

const feed = () => bindings.FEED.getByName('main')

async function report() {
  return (await feed().status()).consumers.find(({ name }) => name === 'notices')
}

/** As if the backoff were over. */
async function retryNow(): Promise<void> {
  await runInDurableObject(feed(), (_, { storage }) => {
    storage.sql.exec('UPDATE consumers SET retry_at = 1 WHERE retry_at > 0')
  })
  await expect
    .poll(() => runDurableObjectAlarm(feed()), { interval: 5, timeout: DEADLINE_MS })
    .toBe(true)
}

const shippedRule = {
  ...{ id: 2, name: 'order-shipped', channel: 'inbox', table: 'orders', ops: ['insert'] },
  ...{ when: { status: { became: ['shipped'] } }, template: null, category: 'orders' },
  ...{ notification: { title: 'Order {id}' }, recipients: [{ user: 'customer_id' }] },
  ...{ endpoint: null, enabled: true, version: 1 },
}

function ruleChange(old: Row | null, row: Row | null): CapturedChange {
  const op = old === null ? 'insert' : row === null ? 'delete' : 'update'
  return orderChange({ table: 'rules', op, key: { id: (row ?? old)?.id ?? null }, old, new: row })
}

const shipped = (user: number | null, fields: Row = {}) =>
  orderChange({ new: { ...orderRow('shipped'), customer_id: user, ...fields } })

const origins = () => [...written.keys()]
const originOf = (change: CapturedChange, user: number) =>
  `rule:2/${change.id}/${user}/orders/${change.key?.id}/${change.new?.version ?? ''}`

describe('the notice consumer', () => {
  it('P86 writes what changes owe under the rule in force, though the feed is evicted in between', async () => {
    const link = await openLink()
    const [during, again] = [shipped(7), shipped(8)]
    const off = { ...shippedRule, version: 2, enabled: false }
    const log = [
      shipped(7),
      ruleChange(null, shippedRule),
      during,
      ruleChange(shippedRule, off),
      shipped(8),
      ruleChange(off, { ...shippedRule, version: 3 }),
      again,
    ]
    for (const [index, change] of log.entries()) {
      await link.deliver([change])
      await expect.poll(report, { timeout: DEADLINE_MS }).toMatchObject({ offset: index + 1 })
      await evictDurableObject(feed())
    }
    expect(origins()).toEqual([originOf(during, 7), originOf(again, 8)])
    expect(written.get(originOf(during, 7))).toMatchObject({ title: 'Order 1', category: 'orders' })
  })

  it('P41 waits while the database is away, parks nothing, and then writes what was owed', async () => {
    const link = await openLink()
    isAway = true
    const owing = shipped(7)
    await link.deliver([ruleChange(null, shippedRule), owing])
    await expect
      .poll(async () => (await report())?.error, { timeout: DEADLINE_MS })
      .toMatch(/could not be written, so this waits\. The database did not answer/)
    for (let attempt = 0; attempt <= MAX_ATTEMPTS; attempt++) await retryNow()
    expect(asked).toBeGreaterThan(MAX_ATTEMPTS)
    expect(await report()).toMatchObject({ parked: 0 })
    isAway = false
    await retryNow()
    await expect.poll(report).toMatchObject({ offset: 2, parked: 0, error: null })
    expect(origins()).toEqual([originOf(owing, 7)])
  })

  it('P86 P89 parks what cannot be told with its reason, tells the others, and twice is once', async () => {
    const link = await openLink()
    const two = { ...shippedRule, recipients: [{ user: 'customer_id' }, { user: 'agent_id' }] }
    const log = [ruleChange(null, two), shipped(7), shipped(99, { agent_id: 8 }), shipped(8)]
    const agents = log.slice(1).map((change) => {
      if (change.new && !('agent_id' in change.new)) change.new.agent_id = null
      return change
    })
    await link.deliver(log)
    await expect
      .poll(async () => (await report())?.error, { timeout: DEADLINE_MS })
      .toBe('Rule "order-shipped" (2) and orders 1: there is no user 99.')
    for (let attempt = 0; attempt <= MAX_ATTEMPTS; attempt++) await retryNow()
    expect(await report()).toMatchObject({ offset: 4, parked: 1, error: null })
    const [first, second, third] = agents as [CapturedChange, CapturedChange, CapturedChange]
    expect(origins().toSorted()).toEqual(
      [originOf(first, 7), originOf(second, 8), originOf(third, 8)].toSorted(),
    )
    const { parked } = await feed().parked('notices', 10, null)
    expect(parked).toMatchObject([{ error: expect.stringContaining('there is no user 99') }])
    users.add('99')
    try {
      expect(await feed().redrive('notices', null, 3)).toEqual({ outcome: 'handled' })
    } finally {
      users.delete('99')
    }
    expect(origins()).toContain(originOf(second, 99))
    expect(origins()).toHaveLength(4)
  })
})
