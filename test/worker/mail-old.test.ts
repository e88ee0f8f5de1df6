import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import {
  bothCounts,
  configure,
  HOUR_MS,
  listed,
  mailerAtRest,
  owed,
  ResendStandIn,
  refusal,
  rest,
  step,
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

type Old = {
  state?: 'queued' | 'sending' | 'sent' | 'parked'
  attempts?: number
  first_at?: number | null
  last_error?: string | null
  provider_id?: string | null
  sent_at?: number | null
  customer_email?: string | null
}

/** What version 0.1.0 left behind, in the order of its orders: 1, 2, 3 … */
async function leftBehind(name: string, mails: readonly Old[]) {
  const mailer = await mailerAtRest(name)
  await runInDurableObject(mailer, (_mailer, { storage: { sql } }) => {
    sql.exec(`CREATE TABLE mails (
      change TEXT NOT NULL, mailbox TEXT NOT NULL, recipient TEXT NOT NULL, "order" TEXT NOT NULL,
      state TEXT NOT NULL DEFAULT 'queued', attempts INTEGER NOT NULL DEFAULT 0, first_at INTEGER,
      next_at INTEGER NOT NULL, last_error TEXT, provider_id TEXT, created_at INTEGER NOT NULL,
      sent_at INTEGER, PRIMARY KEY (change, mailbox))`)
    sql.exec('CREATE TABLE pause (one INTEGER PRIMARY KEY CHECK (one = 1), until INTEGER NOT NULL)')
    for (const [index, mail] of mails.entries()) {
      const { change, body } = owed(index + 1)
      const order = { ...JSON.parse(body).data, customer_email: mail.customer_email ?? null }
      sql.exec(
        'INSERT INTO mails VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        ...[change, 'ada@example.com', 'Ada@Example.com', JSON.stringify(order)],
        ...[mail.state ?? 'queued', mail.attempts ?? 0, mail.first_at ?? null, 1],
        ...[mail.last_error ?? null, mail.provider_id ?? null, Date.now(), mail.sent_at ?? null],
      )
    }
  })
  await evictDurableObject(mailer)
  await rest(mailer)
  return mailer
}

test('P51: mails of the version before move into the ledger, each as it stood', async () => {
  const now = Date.now()
  const mailer = await leftBehind('as it stood', [
    {},
    { attempts: 2, first_at: now - HOUR_MS, last_error: '500' },
    { state: 'sending', attempts: 1, first_at: now - HOUR_MS },
    { state: 'sent', attempts: 1, first_at: now, sent_at: now, provider_id: 're_old' },
    { state: 'parked', attempts: 1, first_at: now, last_error: '422 validation_error: no.' },
    { state: 'parked', attempts: 16, first_at: now, last_error: 'Given up after 16 attempts.' },
    { attempts: 3, first_at: now - 30 * HOUR_MS },
  ])
  expect((await listed(mailer)).reverse()).toMatchObject([
    { key: '1', state: 'queued', recipient: 'Ada@Example.com', rule: 1 },
    { key: '2', state: 'failed', attempts: 2, last_error: '500' },
    { key: '3', state: 'failed', attempts: 1 },
    { key: '4', state: 'sent', provider_id: 're_old' },
    { key: '5', state: 'parked' },
    { key: '6', state: 'parked' },
    { key: '7', state: 'failed' },
  ])
  const { kept, recount } = await bothCounts(mailer)
  expect(kept).toEqual(recount)
  await evictDurableObject(mailer)
  expect(await listed(mailer)).toHaveLength(7)

  // Handed over once more, it is known.
  await mailer.enqueue([1, 2, 3, 4, 5, 6, 7].map((order) => owed(order)))
  expect(await listed(mailer)).toHaveLength(7)
  for (let mail = 0; mail < 4; mail++) await step(mailer)
  expect(await mailer.counts()).toMatchObject({ sent: 4, parked: 2, unknown: 1, failed: 0 })
})

test('P54: they go out under the keys they had, and Resend’s word about them is heard', async () => {
  const mailer = await leftBehind('keys', [
    { attempts: 1, first_at: Date.now() },
    { state: 'sent', attempts: 1, sent_at: Date.now(), provider_id: 're_old' },
    { customer_email: 'ADA@example.com' },
  ])
  await step(mailer)
  await step(mailer)
  expect(resend.requests.map(({ key }) => key).sort()).toEqual([
    expect.stringMatching(/^00000000-0000-4000-8000-000000000001\/[0-9a-f]{32}$/),
    expect.stringMatching(/^00000000-0000-4000-8000-000000000003\/[0-9a-f]{32}$/),
  ])
  // To the customer with a link to unsubscribe, to staff without.
  const headers = resend.requests.map(({ key, mails }) => [
    key[35],
    mails[0]?.headers !== undefined,
  ])
  expect(headers.sort()).toEqual([
    ['1', false],
    ['3', true],
  ])
  const about = { at: new Date().toISOString(), recipient: null, detail: null, permanent: false }
  const event = { id: 'msg_1', kind: 'bounced', providerId: 're_old', delivery: null } as const
  expect(await mailer.heard({ ...event, ...about })).toBe('applied')
  expect(await mailer.counts()).toMatchObject({ bounced: 1, sent: 2 })
})

test('P54: one that was accepted with the old content is unknown, not sent again', async () => {
  const mailer = await leftBehind('old content', [{ attempts: 1, first_at: Date.now() }])
  resend.script.push(() => refusal(409, 'invalid_idempotent_request'))
  await step(mailer)
  expect(await listed(mailer)).toMatchObject([
    { state: 'unknown', last_error: expect.stringContaining('look in Resend') },
  ])
})

test('a thousand and more of them move at one start', async () => {
  const mailer = await leftBehind(
    'thousands',
    Array.from({ length: 1_200 }, () => ({ state: 'sent', attempts: 1, sent_at: 1 })),
  )
  await runInDurableObject(mailer, (_mailer, { storage }) => {
    const tables = storage.sql
      .exec(`SELECT name FROM sqlite_schema WHERE name IN ('mails', 'pause')`)
      .toArray()
    expect(tables).toEqual([])
  })
  const { kept, recount } = await bothCounts(mailer)
  expect(kept).toEqual(recount)
})
