import { evictDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Mailer } from '../../worker/mail/mailer.ts'
import { bindings, startAfresh } from './link.ts'
import { configure, handOver, mailer, owed, Post, refusedSoFar } from './mail-post.ts'
import { eventOf, post, signed, tell } from './provider.ts'

let resend: Post

beforeEach(() => {
  configure({ sends: true })
  resend = new Post()
})
afterEach(async () => {
  vi.restoreAllMocks()
  await startAfresh()
})

const stateOf = async (id = 1) => (await mailer().story(id))?.state
const kindsOf = async (id = 1) => (await mailer().story(id))?.history.map(({ kind }) => kind)
const shutOut = async () => (await mailer().suppressions(10, null, null)).suppressions

/** The mail to Ada is sent, and the provider can speak of it. */
async function sendOne(): Promise<{ id: number; about: (type: string, data?: object) => object }> {
  const [mail] = await handOver([owed(1)], 'sent')
  const tags = { delivery: resend.tagOf('ada@example.com') }
  return { id: mail?.id ?? 0, about: (type, data) => eventOf(type, { tags, ...data }) }
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item, place) =>
    permutations(items.toSpliced(place, 1)).map((rest) => [item, ...rest]),
  )
}

const hardBounce = { bounce: { type: 'Permanent', subType: 'General', message: 'Nobody here.' } }

describe('the provider’s word', () => {
  it('moves the mail on, and stands in its history', async () => {
    const { id, about } = await sendOne()
    expect(await tell(about('email.delivered'))).toBe(204)
    expect(await stateOf(id)).toBe('delivered')
    expect(await kindsOf(id)).toContain('delivered')
  })

  it('finds it by Resend’s id alone, without a tag', async () => {
    const { id } = await sendOne()
    expect(await tell(eventOf('email.delivered', { email_id: 're_1' }))).toBe(204)
    expect(await stateOf(id)).toBe('delivered')
  })

  it('of a hard bounce or a complaint shuts the mailbox out', async () => {
    const { id, about } = await sendOne()
    await tell(about('email.bounced', hardBounce))
    expect(await stateOf(id)).toBe('bounced')
    expect(await shutOut()).toMatchObject([
      { mailbox: 'ada@example.com', reason: 'bounced', detail: expect.stringContaining('Nobody') },
    ])
    await tell(about('email.complained'))
    expect(await stateOf(id)).toBe('complained')
  })

  it('of a soft bounce does not', async () => {
    const { id, about } = await sendOne()
    await tell(about('email.bounced', { bounce: { type: 'Transient', message: 'Full.' } }))
    expect(await stateOf(id)).toBe('bounced')
    expect(await shutOut()).toEqual([])
  })

  it('P61 told again, and again after an eviction, is told once', async () => {
    const { id, about } = await sendOne()
    const event = about('email.delivered')
    for (let time = 1; time <= 3; time++) {
      expect(await tell(event, { id: 'msg_same' })).toBe(204)
      await evictDurableObject(mailer())
    }
    expect((await kindsOf(id))?.filter((kind) => kind === 'delivered')).toHaveLength(1)
  })

  it('P61 in any order leads to the same end', async () => {
    const orders = permutations(['email.sent', 'email.delivered', 'email.bounced'])
    const mails = await handOver(
      orders.map((_, place) => owed(place + 1, `customer-${place}@example.com`)),
      'sent',
    )
    for (const [place, types] of orders.entries())
      for (const type of types) {
        const to = `customer-${place}@example.com`
        const about = { to: [to], tags: { delivery: resend.tagOf(to) } }
        const bounce = type === 'email.bounced' ? hardBounce : {}
        expect(await tell(eventOf(type, { ...about, ...bounce }))).toBe(204)
      }
    expect(await mailer().counts()).toMatchObject({ sent: 0, bounced: mails.length })
    const { suppressions } = await mailer().suppressions(200, null, null)
    expect(new Set(suppressions.map(({ mailbox }) => mailbox)).size).toBe(mails.length)
  })

  it('of a mail that is not ours, or of a kind that is not known, is let pass', async () => {
    const { id } = await sendOne()
    const before = await mailer().story(id)
    expect(await tell(eventOf('email.bounced', { email_id: 'another', ...hardBounce }))).toBe(204)
    expect(await tell(eventOf('email.received'))).toBe(204)
    expect(await tell({ type: 'contact.created', data: null })).toBe(204)
    expect(await mailer().story(id)).toEqual(before)
  })

  it('that could not be written down is not taken: Resend says it again', async () => {
    vi.spyOn(console, 'error').mockReturnValue()
    const { id, about } = await sendOne()
    vi.spyOn(Mailer.prototype, 'heard').mockImplementationOnce(async () => {
      throw new Error('broken on purpose')
    })
    expect(await tell(about('email.delivered'), { id: 'msg_1' })).toBe(500)
    expect(await tell(about('email.delivered'), { id: 'msg_1' })).toBe(204)
    expect(await stateOf(id)).toBe('delivered')
  })
})

describe('P61 whoever is not the provider', () => {
  const body = JSON.stringify(eventOf('email.bounced', { email_id: 're_1', ...hardBounce }))
  const minutes = (count: number) => Date.now() + count * 60_000
  const stranger = `whsec_${btoa('the key of a stranger')}`

  it.each([
    ['without a signature', () => ({})],
    ['with a stranger’s', () => signed(body, { secret: stranger })],
    ['with one of six minutes ago', () => signed(body, { at: minutes(-6) })],
    ['with one of six minutes hence', () => signed(body, { at: minutes(6) })],
    ['with one of another body', () => signed(`${body} `)],
    ['with one of another id', () => ({ ...signed(body), 'svix-id': 'msg_2' })],
    ['with a time that was moved', () => ({ ...signed(body), 'svix-timestamp': '1' })],
    ['with a huge one', () => ({ ...signed(body), 'svix-signature': 'v1,x '.repeat(2_000) })],
  ])('%s moves nothing, and is refused', async (_, headers) => {
    const { id } = await sendOne()
    const before = await mailer().story(id)
    expect(await post(body, headers())).toMatchObject({
      status: 401,
      body: { code: 'invalid_signature', retry: false, detail: expect.stringMatching(/\w/) },
    })
    expect(await mailer().story(id)).toEqual(before)
    expect(await shutOut()).toEqual([])
  })

  it('P60 is counted, and does not wake the mailer', async () => {
    const heard = vi.spyOn(Mailer.prototype, 'heard')
    const before = await refusedSoFar('invalid_signature')
    for (let time = 1; time <= 3; time++) await post(body)
    expect(await refusedSoFar('invalid_signature')).toBe(before + 3)
    expect(heard).not.toHaveBeenCalled()
  })
})

describe('a body', () => {
  it.each(['', 'null', '[]', '{', '{"type":5}', '{"type":"email.bounced"}'])(
    'P60 that is signed but no event is refused with what is wrong: %s',
    async (body) => {
      expect(await post(body, signed(body))).toMatchObject({
        status: 422,
        body: { code: 'invalid_event', detail: expect.stringMatching(/\w/) },
      })
    },
  )

  it('P60 of more than 256 kB is refused, whatever length was declared', async () => {
    const tooLong = 'x'.repeat(256 * 1024 + 1)
    expect(await post(tooLong, signed(tooLong))).toMatchObject({
      status: 413,
      body: { code: 'body_too_large' },
    })
    let pulled = 0
    const endless = new ReadableStream({
      pull(controller) {
        pulled += 1
        controller.enqueue(new Uint8Array(64 * 1024))
      },
    })
    expect(await post(endless, signed(''))).toMatchObject({ status: 413 })
    expect(pulled).toBeLessThan(20)
  })

  it('of 256 kB is taken', async () => {
    const event = JSON.stringify({ ...eventOf('email.received'), padding: '' })
    const body = event.replace(
      '"padding":""',
      `"padding":"${'x'.repeat(256 * 1024 - event.length)}"`,
    )
    expect(body).toHaveLength(256 * 1024)
    expect((await post(body, signed(body))).status).toBe(204)
  })
})

describe('the secrets', () => {
  const { RESEND_WEBHOOK_SECRET } = bindings
  const next = `whsec_${btoa('the next secret')}`
  const body = JSON.stringify(eventOf('email.received'))

  afterEach(() => {
    Object.assign(bindings, { RESEND_WEBHOOK_SECRET, RESEND_WEBHOOK_SECRET_PREVIOUS: undefined })
  })

  it('are both good while one is rotated, and the old one no longer after that', async () => {
    Object.assign(bindings, {
      RESEND_WEBHOOK_SECRET: next,
      RESEND_WEBHOOK_SECRET_PREVIOUS: RESEND_WEBHOOK_SECRET,
    })
    for (const secret of [next, RESEND_WEBHOOK_SECRET])
      expect((await post(body, signed(body, { secret }))).status).toBe(204)
    Object.assign(bindings, { RESEND_WEBHOOK_SECRET_PREVIOUS: '' })
    expect((await post(body, signed(body, { secret: RESEND_WEBHOOK_SECRET }))).status).toBe(401)
  })

  it('missing, it says what to set, and Resend tries again', async () => {
    const headers = signed(body)
    Object.assign(bindings, { RESEND_WEBHOOK_SECRET: '' })
    expect(await post(body, headers)).toMatchObject({
      status: 503,
      body: {
        code: 'not_configured',
        retry: true,
        detail: expect.stringContaining('npx wrangler secret put RESEND_WEBHOOK_SECRET'),
      },
    })
  })
})
