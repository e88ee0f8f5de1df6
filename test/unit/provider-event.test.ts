import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readProviderMessage } from '../../worker/mail/provider-event.ts'

const delivery = '0f0e0d0c-0b0a-4900-8807-060504030201-1-a1b2'

/** As Resend says it, with what is of no interest here. */
function said(type: string, data: object = {}) {
  return {
    type,
    created_at: '2026-11-21T08:33:55.126Z',
    data: {
      email_id: '56761188-7520-42d8-8898-ff6fc54ce618',
      message_id: '<111-222-333@email.example.com>',
      from: 'Orders <orders@example.com>',
      to: ['Ada@Example.com'],
      subject: 'Order 42 is filled',
      tags: { delivery },
      ...data,
    },
  }
}

function eventOf(body: unknown) {
  const message = readProviderMessage('msg_1', body)
  if (message.kind !== 'event') throw new Error(JSON.stringify(message))
  return message.event
}

const bounce = (type: string) => ({
  bounce: { type, subType: 'General', message: 'There is no such mailbox.' },
})

describe('what Resend says of a mail', () => {
  test('is read whole', () => {
    expect(eventOf(said('email.bounced', bounce('Permanent')))).toEqual({
      id: 'msg_1',
      kind: 'bounced',
      at: '2026-11-21T08:33:55.126Z',
      providerId: '56761188-7520-42d8-8898-ff6fc54ce618',
      delivery,
      recipient: 'ada@example.com',
      detail: 'Permanent/General: There is no such mailbox.',
      permanent: true,
    })
  })

  test.each([
    ['email.sent', {}, 'sent', null],
    ['email.delivered', {}, 'delivered', null],
    ['email.delivery_delayed', {}, 'delayed', null],
    [
      'email.bounced',
      bounce('Transient'),
      'bounced',
      'Transient/General: There is no such mailbox.',
    ],
    ['email.bounced', {}, 'bounced', null],
    ['email.complained', {}, 'complained', null],
    [
      'email.failed',
      { failed: { reason: 'The quota is used up.' } },
      'failed',
      'The quota is used up.',
    ],
    [
      'email.suppressed',
      { suppressed: { type: 'OnAccountSuppressionList', message: 'It bounced before.' } },
      'suppressed',
      'OnAccountSuppressionList: It bounced before.',
    ],
    ['email.opened', {}, 'opened', null],
    [
      'email.clicked',
      { click: { link: 'https://example.com/' } },
      'clicked',
      'https://example.com/',
    ],
  ])('%s %j', (type, data, kind, detail) => {
    expect(eventOf(said(type, data))).toMatchObject({ kind, detail, permanent: false })
  })

  test.each(['Permanent', 'permanent', 'PERMANENT'])('a bounce that is %s is for good', (type) => {
    expect(eventOf(said('email.bounced', bounce(type))).permanent).toBe(true)
  })

  test.each(['Transient', 'Undetermined', '', 'permanently?'])(
    'one that is "%s" is not',
    (type) => {
      expect(eventOf(said('email.bounced', bounce(type))).permanent).toBe(false)
    },
  )

  test.each([
    [{ delivery }, delivery],
    [[{ name: 'delivery', value: delivery }], delivery],
    [
      [{ name: 'a', value: 'b' }, null, { value: 3 }, { name: 'delivery', value: delivery }],
      delivery,
    ],
    [{ delivery, other: 5 }, delivery],
    [{}, null],
    [[], null],
    [null, null],
    [undefined, null],
    ['delivery', null],
    [{ delivery: 5 }, null],
    [{ delivery: 'not a tag' }, null],
    [{ delivery: 'x'.repeat(257) }, null],
  ])('tags %j name the delivery %s', (tags, expected) => {
    expect(eventOf(said('email.sent', { tags })).delivery).toBe(expected)
  })

  test('it may have no tags, and say nothing of whom it is about', () => {
    const { type, created_at } = said('email.delivered')
    expect(eventOf({ type, created_at, data: { email_id: 're_1' } })).toEqual({
      ...{ id: 'msg_1', kind: 'delivered', at: created_at, providerId: 're_1' },
      ...{ delivery: null, recipient: null, detail: null, permanent: false },
    })
  })

  test.each([
    [['Ada Lovelace <ADA@example.com>'], 'ada@example.com'],
    ['ada@example.com', 'ada@example.com'],
    [['ada@example.com', 'bob@example.com'], null],
    [[], null],
    [[''], null],
    [undefined, null],
    [42, null],
  ])('to %j is about the mailbox %s', (to, expected) => {
    expect(eventOf(said('email.sent', { to })).recipient).toBe(expected)
  })

  test.each([
    ['2026-11-21 08:33:55.126+00', '2026-11-21T08:33:55.126Z'],
    ['2026-11-21 08:33:55.126123+00', '2026-11-21T08:33:55.126Z'],
    ['2026-11-21T10:33:55+02:00', '2026-11-21T08:33:55.000Z'],
  ])('the time may be written %s', (created_at, at) => {
    expect(eventOf({ ...said('email.sent'), created_at }).at).toBe(at)
  })

  test('the words of a stranger’s server are kept short', () => {
    const message = 'x'.repeat(10_000)
    const { detail } = eventOf(said('email.bounced', { bounce: { message } }))
    expect(detail).toHaveLength(500)
  })
})

describe('P61 what is not such an event', () => {
  test.each([
    'email.scheduled',
    'email.received',
    'contact.created',
    'domain.updated',
    '',
    'toString',
  ])('of the kind "%s" is ignored, whatever else it holds', (type) => {
    expect(readProviderMessage('msg_1', { type, data: 5 })).toEqual({ kind: 'ignored', type })
  })

  test.each([
    [undefined, /^the body/],
    [null, /^the body/],
    ['text', /^the body/],
    [[], /^(the body|type)/],
    [{}, /^type/],
    [{ type: 5 }, /^type/],
    [{ type: 'email.sent' }, /^created_at/],
    [{ ...said('email.sent'), created_at: 'yesterday' }, /^created_at: is no time/],
    [{ ...said('email.sent'), created_at: '21' }, /^created_at/],
    [{ ...said('email.sent'), data: null }, /^data/],
    [said('email.sent', { email_id: '' }), /^data.email_id/],
    [said('email.sent', { email_id: 5 }), /^data.email_id/],
    [said('email.sent', { email_id: 'x'.repeat(201) }), /^data.email_id/],
  ])('%j is refused, and says what is wrong', (body, detail) => {
    expect(readProviderMessage('msg_1', body)).toEqual({
      kind: 'malformed',
      detail: expect.stringMatching(detail),
    })
  })

  test('no JSON at all makes it throw, or gives an event that is not whole', () => {
    const types = fc.constantFrom('email.bounced', 'email.sent', 'email.clicked', 'x')
    const bodies = fc.oneof(
      fc.jsonValue(),
      fc.record(
        { type: types, created_at: fc.constant('2026-11-21T08:33:55Z'), data: fc.jsonValue() },
        { requiredKeys: ['type'] },
      ),
      fc
        .dictionary(
          fc.constantFrom('tags', 'to', 'bounce', 'failed', 'suppressed', 'click', 'email_id'),
          fc.jsonValue(),
        )
        .map((data) => said('email.bounced', data)),
    )
    fc.assert(
      fc.property(bodies, (body) => {
        const message = readProviderMessage('msg_1', body)
        if (message.kind !== 'event') return
        const { at, providerId, delivery, recipient, detail } = message.event
        expect(new Date(at).toISOString()).toBe(at)
        expect(providerId).not.toBe('')
        for (const text of [delivery, recipient, detail])
          expect(text === null || text.length > 0).toBe(true)
        expect(detail?.isWellFormed() ?? true).toBe(true)
      }),
    )
  })
})
