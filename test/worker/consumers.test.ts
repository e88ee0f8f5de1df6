import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CapturedChange, Row } from '../../protocol/change.ts'
import { type Consumer, MAX_ATTEMPTS, Unready } from '../../worker/feed/consumer.ts'
import { Consumers } from '../../worker/feed/consumers.ts'
import { orderFilledRule } from '../support/database-of-rules.ts'
import { bindings, openLink, orderChange, orderRow, startAfresh } from './link.ts'
import { DEADLINE_MS, subscribe } from './subscriber.ts'
import { summaryIn } from './summary-in.ts'

beforeEach(() => {
  vi.spyOn(console, 'warn').mockReturnValue()
})
afterEach(async () => {
  vi.restoreAllMocks()
  await startAfresh()
})

const feed = () => bindings.FEED.getByName('main')
const mailer = () => bindings.MAILER.getByName('main')

async function report() {
  return (await feed().status()).consumers.find(({ name }) => name === 'mail')
}

/** As if the backoff were over. */
async function retryNow(): Promise<void> {
  await runInDurableObject(feed(), (_, { storage }) => {
    storage.sql.exec('UPDATE consumers SET retry_at = 1 WHERE retry_at > 0')
  })
  // While the feed's own alarm rings, there is none to be rung here.
  await expect
    .poll(() => runDurableObjectAlarm(feed()), { interval: 5, timeout: DEADLINE_MS })
    .toBe(true)
}

describe('the mail consumer', () => {
  it('P50 hands over what a filled order owes, and keeps its place', async () => {
    const link = await openLink()
    const filled = { ...orderRow('filled'), customer_email: 'ada@belfry.test' }
    await link.deliver([orderChange(), orderChange({ new: filled })])
    await expect
      .poll(() => summaryIn(mailer()), { timeout: DEADLINE_MS })
      .toMatchObject({ queued: 2 })
    await expect
      .poll(report, { timeout: DEADLINE_MS })
      .toMatchObject({ offset: 2, behind: 0, parked: 0, error: null })
  })

  it('P40 P41 parks what it cannot read, holds back nobody, and goes on', async () => {
    const link = await openLink()
    const subscriber = await subscribe()
    await subscriber.frame('hello')
    const poison = orderChange({ new: null, oversize: true })
    await link.deliver([orderChange(), poison, orderChange({ new: orderRow('filled') })])
    expect(await subscriber.readTo(0, 3)).toHaveLength(3)
    await expect
      .poll(async () => (await report())?.error, { timeout: DEADLINE_MS })
      .toMatch(/too large to travel/)
    for (let attempt = 0; attempt <= MAX_ATTEMPTS; attempt++) await retryNow()
    expect(await report()).toMatchObject({ offset: 3, parked: 1, error: null })
    expect(await summaryIn(mailer())).toMatchObject({ queued: 1 })
  })

  it('P41 waits while the rules cannot be read, parks nothing, and then owes what it owed', async () => {
    const database = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new TypeError('no network'))
    const link = await openLink()
    await link.deliver([orderChange({ new: orderRow('filled') })])
    await expect
      .poll(async () => (await report())?.error, { timeout: DEADLINE_MS })
      .toMatch(/table rules could not be read, so this waits/)
    for (let attempt = 0; attempt <= 2 * MAX_ATTEMPTS; attempt++) await retryNow()
    expect(database.mock.calls.length).toBeGreaterThan(MAX_ATTEMPTS)
    expect(await report()).toMatchObject({ offset: 0, behind: 1, parked: 0 })
    database.mockRestore()
    await retryNow()
    expect(await report()).toMatchObject({ offset: 1, parked: 0, error: null })
    expect(await summaryIn(mailer())).toMatchObject({ queued: 1 })
  })
})

describe('a consumer', () => {
  const page = [{ ...orderChange(), offset: 1 }]

  function inObject<T>(work: (sql: SqlStorage) => Promise<T>): Promise<T> {
    const stub = mailer()
    return runInDurableObject(stub, (_, { storage }) => work(storage.sql))
  }

  it('P40 of a life that ended while it worked leaves the next one at its beginning', () =>
    inObject(async (sql) => {
      let epoch = 'one'
      const restart = () => {
        epoch = 'two'
        consumers.restart()
      }
      const fail = () => {
        restart()
        throw new Error('the old one failed')
      }
      const ends = [restart, fail]
      const consumer: Consumer = { name: 'slow', handle: async () => ends.shift()?.() }
      const read = () => (epoch === 'one' ? page : [])
      const consumers = new Consumers(sql, [consumer], read, () => epoch, 0)
      await consumers.run()
      expect(consumers.report(1)).toMatchObject([{ offset: 0, behind: 1, error: null }])
      epoch = 'one'
      await consumers.run()
      expect(consumers.report(1)).toMatchObject([{ offset: 0, behind: 1, error: null }])
      expect(ends).toEqual([])
    }))

  it('P41 that is not ready says when it is to be tried again', () =>
    inObject(async (sql) => {
      const handle = () => Promise.reject(new Unready('not yet'))
      const read = () => page
      const consumers = new Consumers(sql, [{ name: 'early', handle }], read, () => 'life', 0)
      await consumers.run()
      expect(consumers.nextRetryAt).toBeGreaterThan(Date.now())
      expect(consumers.report(1)).toMatchObject([{ offset: 0, parked: 0, error: 'not yet' }])
    }))
})

describe('P58 a rule is in force for every change behind it in the log', () => {
  const shipped = {
    ...{ ...orderFilledRule, id: 2, name: 'order-shipped', template: 'order-status' },
    ...{ when: { status: { became: ['shipped'] } }, recipients: [{ address: 'desk@belfry.test' }] },
  }
  const ship = () => orderChange({ new: orderRow('shipped') })
  const before = ship()
  const during = ship()
  const whileOff = ship()
  const again = ship()
  const after = ship()
  const log: CapturedChange[] = [
    before,
    ruleChange(null, shipped),
    during,
    ruleChange(shipped, { ...shipped, version: 2, enabled: false }),
    whileOff,
    ruleChange({ ...shipped, version: 2 }, { ...shipped, version: 3 }),
    again,
    ruleChange({ ...shipped, version: 3 }, null),
    after,
  ]

  async function mailed(): Promise<string[]> {
    await expect.poll(report, { timeout: DEADLINE_MS }).toMatchObject({ behind: 0, error: null })
    const { deliveries } = await mailer().list({}, 100, null)
    return deliveries.map(({ change }) => change).toReversed()
  }

  it('though the feed is evicted between every two changes', async () => {
    const link = await openLink()
    for (const [index, change] of log.entries()) {
      await link.deliver([change])
      await expect.poll(report, { timeout: DEADLINE_MS }).toMatchObject({ offset: index + 1 })
      await evictDurableObject(feed())
    }
    expect(await mailed()).toEqual([during.id, again.id])
  })

  it('though all of it comes at once', async () => {
    const link = await openLink()
    await link.deliver(log)
    expect(await mailed()).toEqual([during.id, again.id])
  })

  it('and a new life of the feed begins with the rules that there are then', async () => {
    const link = await openLink()
    await link.deliver([ruleChange(null, shipped), during])
    expect(await mailed()).toEqual([during.id])
    await feed().beginLife()
    const next = await openLink()
    await next.deliver([whileOff, orderChange({ new: orderRow('filled') })])
    const handed = await mailed()
    expect(handed).toHaveLength(2)
    expect(handed).not.toContain(whileOff.id)
  })

  it('and what is redriven meets the rules there are by then, and moves none', async () => {
    const aboutRules = {
      ...{ ...orderFilledRule, id: 3, name: 'about rules', table: 'rules', when: {} },
      ...{ template: 'row-changed', recipients: [{ column: 'nobody' }] },
    }
    const link = await openLink()
    await link.deliver([ruleChange(null, aboutRules), ruleChange(null, shipped), during])
    await expect
      .poll(async () => (await report())?.error, { timeout: DEADLINE_MS })
      .toMatch(/"about rules" \(3\) and rules 3: there is no column "nobody"/)
    for (let attempt = 0; attempt <= 2 * MAX_ATTEMPTS; attempt++) await retryNow()
    expect(await report()).toMatchObject({ offset: 3, parked: 2 })
    expect(await mailed()).toEqual([during.id])

    await link.deliver([ruleChange(aboutRules, null), ruleChange(shipped, null)])
    await expect.poll(report, { timeout: DEADLINE_MS }).toMatchObject({ offset: 5, parked: 2 })
    expect(await feed().redrive('mail', null, 2)).toEqual({ outcome: 'handled' })
    await link.deliver([after])
    await expect.poll(report, { timeout: DEADLINE_MS }).toMatchObject({ offset: 6 })
    expect(await mailed()).toEqual([during.id])
  })
})

function ruleChange(old: Row | null, row: Row | null): CapturedChange {
  const op = old === null ? 'insert' : row === null ? 'delete' : 'update'
  const key = { id: (row ?? old)?.id ?? null }
  return orderChange({ table: 'rules', op, key, old, new: row })
}
