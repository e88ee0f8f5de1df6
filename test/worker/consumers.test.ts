import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { afterEach, describe, expect, it } from 'vitest'
import { MAX_ATTEMPTS } from '../../worker/feed/consumer.ts'
import { bindings, openLink, orderChange, orderRow, startAfresh } from './link.ts'
import { DEADLINE_MS, subscribe } from './subscriber.ts'

afterEach(startAfresh)

const feed = () => bindings.FEED.getByName('main')
const mailer = () => bindings.MAILER.getByName('main')

/** As if the backoff were over. */
async function retryNow(): Promise<void> {
  await runInDurableObject(feed(), (_, { storage }) => {
    storage.sql.exec('UPDATE consumers SET retry_at = 1 WHERE attempts > 0')
  })
  await runDurableObjectAlarm(feed())
}

describe('the mail consumer', () => {
  it('P50 hands over what a filled order owes, and keeps its place', async () => {
    const link = await openLink()
    const filled = { ...orderRow('filled'), customer_email: 'ada@belfry.test' }
    await link.deliver([orderChange(), orderChange({ new: filled })])
    await expect
      .poll(() => mailer().summary(), { timeout: DEADLINE_MS })
      .toMatchObject({ queued: 2 })
    await expect
      .poll(async () => (await feed().status()).consumers, { timeout: DEADLINE_MS })
      .toMatchObject([{ name: 'mail', offset: 2, behind: 0, parked: 0, error: null }])
  })

  it('P40 P41 parks what it cannot read, holds back nobody, and goes on', async () => {
    const link = await openLink()
    const subscriber = await subscribe()
    await subscriber.frame('hello')
    const poison = orderChange({ new: null, oversize: true })
    await link.deliver([orderChange(), poison, orderChange({ new: orderRow('filled') })])
    expect(await subscriber.readTo(0, 3)).toHaveLength(3)
    await expect
      .poll(async () => (await feed().status()).consumers[0]?.error, { timeout: DEADLINE_MS })
      .toBeTruthy()
    for (let attempt = 0; attempt <= MAX_ATTEMPTS; attempt++) await retryNow()
    expect((await feed().status()).consumers).toMatchObject([{ offset: 3, parked: 1, error: null }])
    expect(await mailer().summary()).toMatchObject({ queued: 1 })
  })
})
