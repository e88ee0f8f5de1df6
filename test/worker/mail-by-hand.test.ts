import { runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Channel } from '../../worker/courier/channel.ts'
import type { DeliveryFilter } from '../../worker/courier/delivery.ts'
import type { Mailer } from '../../worker/mail/mailer.ts'
import {
  age,
  broken,
  configure,
  HOUR_MS,
  listed,
  mailerAtRest,
  only,
  owed,
  ResendStandIn,
  refusal,
  sql,
  step,
  within,
} from './mail-world.ts'

let resend: ResendStandIn

beforeEach(() => {
  configure()
  resend = new ResendStandIn()
  vi.spyOn(console, 'warn').mockReturnValue()
})
afterEach(() => {
  vi.restoreAllMocks()
})

type Stub = Awaited<ReturnType<typeof mailerAtRest>>
const bob = 'bob@example.com'

async function parkedMail(name: string): Promise<{ mailer: Stub; id: number }> {
  const mailer = await mailerAtRest(name)
  resend.script.push(() => refusal(422, 'validation_error'))
  await mailer.enqueue([owed(1)])
  await step(mailer)
  return { mailer, id: (await only(mailer)).id }
}

describe('a redrive', () => {
  test('P54: of what was refused begins anew, under a key and a tag of its own', async () => {
    const { mailer, id } = await parkedMail('anew')
    expect(await mailer.redrive({ id })).toBe(1)
    expect(await mailer.redrive({ id })).toBe(0)
    expect(await only(mailer)).toMatchObject({ state: 'queued', attempts: 0, last_error: null })
    await step(mailer)
    const [first, second] = resend.requests
    expect(second?.key).toBe(`${first?.key}/1`)
    expect(second?.mails[0]?.tags[0]?.value).toBe(`${first?.mails[0]?.tags[0]?.value}-1`)
    expect((await only(mailer)).state).toBe('sent')
  })

  test.each([
    [22, 'the same request', 'sent', 1],
    [23, 'a new one', 'sent', 2],
  ])('P54: of what has been in doubt for %i h makes %s', async (hours, _, state, keys) => {
    const mailer = await mailerAtRest(`doubt of ${hours} h`)
    await mailer.enqueue([owed(1)])
    await sql(mailer, 'UPDATE deliveries SET attempts = 7')
    resend.script.push(broken)
    await step(mailer)
    await age(mailer, hours * HOUR_MS)
    expect(await mailer.redrive({ id: (await only(mailer)).id })).toBe(1)
    await step(mailer)
    expect((await only(mailer)).state).toBe(state)
    expect(new Set(resend.requests.map(({ key }) => key)).size).toBe(keys)
    expect(new Set(resend.requests.map(({ text }) => text)).size).toBe(keys)
  })

  test('of a filter is counted first, and takes those it counted', async () => {
    const mailer = await mailerAtRest('filter')
    await mailer.enqueue([owed(1), owed(2, bob), owed(3), owed(4, bob)])
    resend.script.push(...[1, 2, 3].map(() => () => refusal(422, 'validation_error')))
    for (let mail = 1; mail <= 4; mail++) await step(mailer)
    const filters: [DeliveryFilter, number][] = [
      [{}, 3],
      [{ recipient: 'BOB@example.com' }, 1],
      [{ table: 'orders', key: '3' }, 1],
      [{ states: ['parked', 'sent'] }, 3],
      [{ states: ['sent'] }, 0],
      [{ states: [] }, 0],
      [{ rule: 2 }, 0],
      [{ rule: 1, states: ['parked'], recipient: 'ada@example.com' }, 2],
    ]
    for (const [filter, count] of filters)
      expect([filter, await mailer.countRedrivable(filter)]).toEqual([filter, count])
    expect(await mailer.redrive({ recipient: bob })).toBe(1)
    expect(await mailer.redrive({})).toBe(2)
    expect(await mailer.counts()).toMatchObject({ queued: 3, sent: 1, parked: 0 })
  })

  test('of a thousand takes each once', async () => {
    const mailer = await mailerAtRest('a thousand')
    await mailer.enqueue(Array.from({ length: 1_000 }, (_, change) => owed(change)))
    await runInDurableObject(mailer, (_mailer, { storage }) => {
      storage.sql.exec(`UPDATE deliveries SET state = 'parked', next_at = NULL`)
      storage.sql.exec(`UPDATE counts SET state = 'parked' WHERE state = 'queued'`)
    })
    expect(await mailer.redrive({ states: ['parked'] })).toBe(1_000)
    expect(await mailer.counts()).toMatchObject({ queued: 1_000, parked: 0 })
  })

  test('P54: of a batch in doubt counts and takes the whole of it', async () => {
    configure({ MAIL_BATCH: '3' })
    const mailer = await mailerAtRest('whole batch')
    await mailer.enqueue([owed(1), owed(2, bob), owed(3)])
    await sql(mailer, 'UPDATE deliveries SET attempts = 7')
    resend.script.push(broken)
    await step(mailer)
    expect(await mailer.countRedrivable({ recipient: bob })).toBe(3)
    expect(await mailer.redrive({ recipient: bob })).toBe(3)
    await step(mailer)
    expect(new Set(resend.requests.map(({ key, text }) => key + text)).size).toBe(1)
    expect(await mailer.counts()).toMatchObject({ sent: 3 })
  })

  test('while its alarm runs does not send it twice', async () => {
    const { mailer, id } = await parkedMail('racing')
    const object = await within(mailer)
    const meanwhile: unknown[] = []
    resend.script.push(async (request) => {
      meanwhile.push(await object.redrive({ id }), await object.cancel(id))
      await object.enqueue([owed(1), owed(2)])
      return resend.accept(request)
    })
    expect(await mailer.redrive({ id })).toBe(1)
    await step(mailer)
    expect(await listed(mailer)).toMatchObject([{ state: 'queued' }, { state: 'sent' }])
    expect(meanwhile).toEqual([0, 'too_late'])
    expect(resend.requests).toHaveLength(2)
  })
})

describe('cancelling', () => {
  test('keeps what waits from being sent, and only that', async () => {
    const mailer = await mailerAtRest('cancel')
    await mailer.enqueue([owed(1), owed(2)])
    const [second, first] = await listed(mailer)
    expect(await mailer.cancel(second?.id ?? 0)).toBe('cancelled')
    expect(await mailer.cancel(second?.id ?? 0)).toBe('too_late')
    expect(await mailer.cancel(99)).toBe('missing')
    await step(mailer)
    expect(await mailer.cancel(first?.id ?? 0)).toBe('too_late')
    expect(await mailer.counts()).toMatchObject({ cancelled: 1, sent: 1, queued: 0 })
    await mailer.enqueue([owed(2)])
    expect(await mailer.counts()).toMatchObject({ cancelled: 1, queued: 0 })
    expect(await mailer.redrive({ id: second?.id ?? 0 })).toBe(1)
    expect(await mailer.counts()).toMatchObject({ cancelled: 0, queued: 1 })
  })

  test('P54: is too late for what is in doubt', async () => {
    const mailer = await mailerAtRest('cancel in doubt')
    await mailer.enqueue([owed(1)])
    resend.script.push(broken)
    await step(mailer)
    expect(await mailer.cancel((await only(mailer)).id)).toBe('too_late')
  })

  test.each([
    ['cancelled', (object: Mailer, id: number) => object.cancel(id)],
    ['suppressed', (object: Mailer) => object.suppress('ada@example.com', null)],
  ])('P57: one that is %s while it is prepared is not sent', async (state, meanwhile) => {
    const mailer = await mailerAtRest(`prepared and ${state}`)
    await mailer.enqueue([owed(1)])
    const { id } = await only(mailer)
    const object = await within(mailer)
    await runInDurableObject(mailer, () => {
      const { channel } = object as unknown as { channel: Channel }
      const prepare = channel.prepare.bind(channel)
      vi.spyOn(channel, 'prepare').mockImplementation(async (parcel) => {
        const prepared = await prepare(parcel)
        await meanwhile(object, id)
        return prepared
      })
    })
    await step(mailer)
    expect((await only(mailer)).state).toBe(state)
    expect(resend.requests).toEqual([])
  })
})

describe('the list', () => {
  test('goes newest first in pages, by every filter alike', async () => {
    const mailer = await mailerAtRest('pages')
    await mailer.enqueue([1, 2, 3, 4, 5, 6].map((n) => owed(n, n % 2 === 0 ? bob : undefined)))
    await step(mailer)
    await step(mailer)
    const cases: [DeliveryFilter, string[]][] = [
      [{}, ['6', '5', '4', '3', '2', '1']],
      [{ states: ['sent', 'queued'] }, ['6', '5', '4', '3', '2', '1']],
      [{ states: ['queued'] }, ['6', '5', '4', '3']],
      [{ recipient: 'Bob@Example.com' }, ['6', '4', '2']],
      [{ recipient: bob, states: ['sent'] }, ['2']],
      [{ table: 'orders', key: '3' }, ['3']],
      [{ table: 'orders' }, ['6', '5', '4', '3', '2', '1']],
      [{ table: 'others', states: ['sent', 'queued'] }, []],
      [{ rule: 2 }, []],
      [{ states: [] }, []],
    ]
    for (const [filter, keys] of cases) {
      const found: string[] = []
      let before: number | null = null
      do {
        const page: Awaited<ReturnType<Stub['list']>> = await mailer.list(filter, 2, before)
        found.push(...page.deliveries.map(({ key }) => key))
        before = page.next
      } while (before !== null)
      expect([filter, found]).toEqual([filter, keys])
    }
  })

  test('costs what it shows, not what the ledger holds', async () => {
    const mailer = await mailerAtRest('cost')
    await mailer.enqueue(Array.from({ length: 2_000 }, (_, change) => owed(change)))
    await mailer.enqueue([owed(9_999, bob)])
    await step(mailer)
    await runInDurableObject(mailer, async (object, { storage }) => {
      const filters: DeliveryFilter[] = [
        {},
        { states: ['sent'] },
        { states: ['queued', 'parked', 'unknown'] },
        { recipient: bob },
        { recipient: bob, states: ['queued'] },
        { table: 'orders', key: '7' },
        { table: 'orders', key: '7', states: ['queued'] },
      ]
      const read = vi.spyOn(storage.sql, 'exec')
      for (const filter of filters) {
        read.mockClear()
        await object.list(filter, 10, null)
        await object.counts()
        const rows = read.mock.results.reduce((sum, { value }) => sum + value.rowsRead, 0)
        expect([filter, rows < 60]).toEqual([filter, true])
      }
      // So does looking for what is due, and when.
      read.mockClear()
      storage.sql.exec('UPDATE pace SET until = 0')
      await object.alarm()
      const rows = read.mock.results.reduce((sum, { value }) => sum + value.rowsRead, 0)
      expect(rows).toBeLessThan(60)
    })
  })
})
