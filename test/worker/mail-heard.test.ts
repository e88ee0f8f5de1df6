import { abortAllDurableObjects, runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Mailer } from '../../worker/mail/mailer.ts'
import type { ProviderEvent } from '../../worker/mail/provider-event.ts'
import {
  broken,
  configure,
  env,
  eventually,
  hanging,
  mailerAtRest,
  only,
  owed,
  ResendStandIn,
  refusal,
  sql,
  step,
  within,
} from './mail-world.ts'
import { summaryIn } from './summary-in.ts'

let resend: ResendStandIn
let events = 0

beforeEach(() => {
  configure()
  resend = new ResendStandIn()
  vi.spyOn(console, 'warn').mockReturnValue()
})
afterEach(() => {
  vi.restoreAllMocks()
})

type Mailbox = Awaited<ReturnType<typeof mailerAtRest>>

function event(kind: ProviderEvent['kind'], more: Partial<ProviderEvent> = {}): ProviderEvent {
  events++
  return {
    id: `msg_${events}`,
    kind,
    at: new Date(Date.UTC(2026, 10, 21, 9, 0, events)).toISOString(),
    providerId: 're_1',
    delivery: null,
    recipient: 'ada@example.com',
    detail: null,
    permanent: false,
    ...more,
  }
}

async function sentMail(name: string): Promise<Mailbox> {
  const mailer = await mailerAtRest(name)
  await mailer.enqueue([owed(1)])
  await step(mailer)
  return mailer
}

const tagOf = (request: number) => resend.requests[request]?.mails[0]?.tags[0]?.value ?? ''
const listOf = async (mailer: Mailbox) => (await mailer.suppressions(10, null, null)).suppressions

describe('P56: what Resend says of a mail', () => {
  test('moves it on and is told in its story, once for each event', async () => {
    const mailer = await sentMail('told')
    const delivered = event('delivered')
    expect(await mailer.heard(delivered)).toBe('applied')
    expect(await mailer.heard(delivered)).toBe('known')
    expect(await mailer.heard(event('sent'))).toBe('applied')
    const mail = await only(mailer)
    expect(mail.state).toBe('delivered')
    const story = await mailer.story(mail.id)
    expect(story?.history.map(({ kind }) => kind).sort()).toEqual(
      ['queued', 'attempt', 'sent', 'delivered', 'sent'].sort(),
    )
  })

  test('is of no mail of ours: unmatched', async () => {
    const mailer = await sentMail('unmatched')
    expect(await mailer.heard(event('delivered', { providerId: 're_other' }))).toBe('unmatched')
    expect(await mailer.heard(event('delivered', { providerId: 're_x', delivery: 'x' }))).toBe(
      'unmatched',
    )
    expect((await only(mailer)).state).toBe('sent')
  })

  test('before its answer comes is believed, and the answer changes nothing', async () => {
    const mailer = await mailerAtRest('before the answer')
    await mailer.enqueue([owed(1)])
    const object = await within(mailer)
    const before: unknown[] = []
    resend.script.push(async (request) => {
      await object.heard(event('delivered', { delivery: tagOf(0) }))
      before.push(await summaryIn(object))
      return resend.accept(request)
    })
    await step(mailer)
    expect(before).toEqual([{ queued: 0, sent: 1, parked: 0 }])
    expect(await only(mailer)).toMatchObject({ state: 'delivered', provider_id: 're_1' })
  })

  test.each([
    ['500', () => refusal(500, 'internal_server_error')],
    ['422', () => refusal(422, 'validation_error')],
    ['429', () => refusal(429, 'rate_limit_exceeded')],
  ])('before an answer of %s is believed instead of it', async (status, answer) => {
    const mailer = await mailerAtRest(`instead of ${status}`)
    await mailer.enqueue([owed(1)])
    const object = await within(mailer)
    resend.script.push(async () => {
      await object.heard(event('delivered', { delivery: tagOf(0) }))
      return answer()
    })
    await step(mailer)
    expect(await only(mailer)).toMatchObject({ state: 'delivered', next_at: null })
  })

  test('settles one in doubt, by the tag that it carries', async () => {
    const mailer = await mailerAtRest('in doubt')
    await mailer.enqueue([owed(1)])
    resend.script.push(broken)
    await step(mailer)
    expect(await mailer.heard(event('sent', { delivery: tagOf(0) }))).toBe('applied')
    expect(await only(mailer)).toMatchObject({ state: 'sent', provider_id: 're_1', attempts: 1 })
  })

  test('settles one that was unknown', async () => {
    const mailer = await mailerAtRest('unknown')
    await mailer.enqueue([owed(1)])
    resend.script.push(broken)
    await step(mailer)
    await sql(mailer, 'UPDATE deliveries SET doubt_since = 1')
    await step(mailer)
    expect((await only(mailer)).state).toBe('unknown')
    await mailer.heard(event('delivered', { delivery: tagOf(0) }))
    expect((await only(mailer)).state).toBe('delivered')
  })

  test('survives a crash between the answer and its writing', async () => {
    const mailer = await mailerAtRest('crash after')
    await mailer.enqueue([owed(1)])
    resend.script.push((request) => {
      resend.accept(request)
      return hanging()
    })
    const crashed = step(mailer).catch(() => 'crashed')
    await eventually(() => expect(resend.requests).toHaveLength(1))
    await abortAllDurableObjects()
    await crashed
    const again = env.MAILER.getByName('crash after')
    expect(await again.heard(event('delivered', { delivery: tagOf(0) }))).toBe('applied')
    expect(await only(again)).toMatchObject({ state: 'delivered', next_at: null })
  })

  test('of a round before does not move the one after', async () => {
    const mailer = await sentMail('rounds')
    await mailer.heard(event('bounced', { delivery: tagOf(0) }))
    const { id } = await only(mailer)
    expect(await mailer.redrive({ id })).toBe(1)
    const late = event('complained', { delivery: tagOf(0) })
    expect(await mailer.heard(late)).toBe('applied')
    expect(await mailer.heard(late)).toBe('known')
    expect((await only(mailer)).state).toBe('queued')
    await mailer.unsuppress('ada@example.com')
    await step(mailer)
    expect(tagOf(1)).toBe(`${tagOf(0)}-1`)
    await mailer.heard(event('delivered', { providerId: 're_2', delivery: tagOf(1) }))
    expect((await only(mailer)).state).toBe('delivered')
  })
})

describe('P57: the suppression list', () => {
  test.each([
    ['a complaint', event('complained', { detail: 'abuse' }), 'complained'],
    ['a hard bounce', event('bounced', { permanent: true, detail: 'abuse' }), 'bounced'],
  ])('gets the mailbox of %s, and nothing more is sent there', async (name, heard, reason) => {
    const mailer = await sentMail(name)
    await mailer.heard(heard)
    expect(await listOf(mailer)).toEqual([
      {
        mailbox: 'ada@example.com',
        reason,
        since: expect.stringMatching(/Z$/),
        detail: 'abuse',
      },
    ])
    await mailer.enqueue([owed(2, 'ADA@example.com')])
    await step(mailer)
    const { deliveries } = await mailer.list({ key: '2', table: 'orders' }, 1, null)
    expect(deliveries).toMatchObject([
      { state: 'suppressed', attempts: 0, last_error: expect.stringContaining('redrive') },
    ])
    expect(resend.requests).toHaveLength(1)
  })

  test('does not get one of a soft bounce', async () => {
    const mailer = await sentMail('soft')
    await mailer.heard(event('bounced'))
    expect(await listOf(mailer)).toEqual([])
  })

  test('is not changed by an event that was heard before a person took it off', async () => {
    const mailer = await sentMail('taken off')
    const complaint = event('complained')
    await mailer.heard(complaint)
    expect(await mailer.unsuppress('ada@example.com')).toBe(true)
    expect(await mailer.unsuppress('ada@example.com')).toBe(false)
    await mailer.heard(complaint)
    expect(await listOf(mailer)).toEqual([])
  })

  test('is written with the ledger or not at all', async () => {
    const mailer = await sentMail('together')
    await runInDurableObject(mailer, async (object: Mailer, { storage }) => {
      storage.sql.exec('DROP TABLE suppressions')
      await expect(object.heard(event('complained'))).rejects.toThrow('suppressions')
    })
    expect((await only(mailer)).state).toBe('sent')
  })

  test('keeps the strongest reason, and a person’s list is found by part of a mailbox', async () => {
    const mailer = await mailerAtRest('strongest')
    await mailer.suppress(' Bob@Example.com ', 'called us')
    await mailer.suppress('bob@example.com', 'called again')
    await mailer.suppress('eve@example.org', null)
    expect(await mailer.suppressions(10, null, 'EXAMPLE.com')).toMatchObject({
      suppressions: [{ mailbox: 'bob@example.com', reason: 'by_hand', detail: 'called us' }],
      next: null,
    })
    await mailer.heard(event('complained', { recipient: 'bob@example.com', providerId: 're_9' }))
    const first = await mailer.suppressions(1, null, null)
    expect(first.suppressions).toMatchObject([{ mailbox: 'eve@example.org' }])
    expect(await mailer.suppressions(1, first.next, null)).toMatchObject({
      suppressions: [{ mailbox: 'bob@example.com', reason: 'complained' }],
      next: null,
    })
  })
})

describe('P57: who unsubscribes', () => {
  const link = () =>
    /^<https:\/\/belfry\.test\/api\/unsubscribe\/([\w-]{22})>$/.exec(
      resend.requests.at(-1)?.mails[0]?.headers?.['List-Unsubscribe'] ?? '',
    )?.[1] ?? 'none'

  test('does so by the link in a customer’s mail, one for each mailbox, and is left in peace', async () => {
    const mailer = await mailerAtRest('unsubscribes')
    await mailer.enqueue([owed(1, 'ada@example.com', 'customer')])
    await step(mailer)
    const token = link()
    expect(resend.requests[0]?.mails[0]).toMatchObject({
      headers: { 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' },
      html: expect.stringContaining(`https://belfry.test/api/unsubscribe/${token}`),
      text: expect.stringContaining(`https://belfry.test/api/unsubscribe/${token}`),
    })
    expect(await mailer.mailboxOf(token)).toBe('ada@example.com')
    await mailer.enqueue([owed(2, 'Ada@example.com', 'customer')])
    await step(mailer)
    expect(link()).toBe(token)

    expect(await mailer.unsubscribe(token)).toBe('unsubscribed')
    expect(await mailer.unsubscribe(token)).toBe('unsubscribed')
    await mailer.enqueue([owed(3, 'ada@example.com', 'customer'), owed(4, 'ada@example.com')])
    await step(mailer)
    await step(mailer)
    expect(resend.requests).toHaveLength(3)
    expect(await mailer.list({}, 2, null)).toMatchObject({
      // As staff she still gets what she is owed.
      deliveries: [
        { key: '4', state: 'sent' },
        { key: '3', state: 'suppressed' },
      ],
    })
  })

  test('cannot be anyone by a link that was guessed', async () => {
    const mailer = await mailerAtRest('guessed')
    expect(await mailer.unsubscribe('A'.repeat(22))).toBe('missing')
    expect(await mailer.unsubscribe('')).toBe('missing')
    expect(await mailer.mailboxOf("' OR 1=1 --")).toBeNull()
    expect(await listOf(mailer)).toEqual([])
  })

  test.each([
    ['staff', 'https://belfry.test'],
    ['customer', ''],
  ] as const)('is not offered to %s with PUBLIC_URL=%s', async (audience, PUBLIC_URL) => {
    configure({ PUBLIC_URL })
    const mailer = await mailerAtRest(`not offered ${audience}`)
    await mailer.enqueue([owed(1, 'ada@example.com', audience)])
    await step(mailer)
    expect(resend.requests[0]?.mails[0]?.headers).toBeUndefined()
    expect(resend.requests[0]?.text).not.toContain('unsubscribe')
  })
})
