import { describe, expect, it, test } from 'vitest'
import type { Change, Row } from '../../protocol/change.ts'
import { readMailBody, renderMail } from '../../worker/mail/letter.ts'
import { readMailRule } from '../../worker/mail/mail-rule.ts'
import { owedMails } from '../../worker/mail/owed.ts'
import type { WebhookRule } from '../../worker/rules/rule.ts'
import { owedWebhooks } from '../../worker/webhooks/owed.ts'

const ENDPOINT = '11111111-1111-4111-8111-111111111111'

function delivered(fields: Row = {}): Change {
  const row: Row = {
    ...{ id: 5, user_id: 7, category: 'orders', title: 'Shipped', link: null, digested: false },
    ...{ content: {}, state: 'delivered', to_inbox: true, to_mail: true, to_webhook: true },
    ...fields,
  }
  const old = { ...row, state: 'scheduled' }
  const at = '2026-11-21T08:33:55.123456+00:00'
  const id = '0f0e0d0c-0b0a-4900-8807-060504030201'
  const named = { offset: 1, id, table: 'notifications', key: { id: 5 }, at }
  return { ...named, op: 'update', new: row, old }
}

function mailRule(fields: object = {}) {
  const reading = readMailRule({
    ...{
      id: 3,
      name: 'by mail',
      channel: 'mail',
      table: 'notifications',
      version: 1,
      enabled: true,
    },
    ...{ ops: ['insert', 'update'], when: { state: { became: ['delivered'] } } },
    ...{ template: 'notification', category: 'general', recipients: [{ user: 'user_id' }] },
    ...fields,
  } as unknown as Row)
  if (!reading.ok) throw new Error(reading.problem)
  return reading.rule
}

const mailsOf = (change: Change, fields?: object) => owedMails(change, [mailRule(fields)], {})
const letterOf = (change: Change) => {
  const [owed] = mailsOf(change).owed
  return renderMail(owed?.body ?? '', { unsubscribeUrl: null })
}

describe('P85 a notification by mail', () => {
  it('goes to its user, and is of its own category, not of the rule’s', () => {
    const { owed, failures } = mailsOf(delivered())
    expect(failures).toEqual([])
    expect(owed).toMatchObject([{ recipient: 'user:7', key: '5' }])
    expect(readMailBody(owed[0]?.body ?? '')).toMatchObject({ category: 'orders' })
  })

  test.each<[string, Row]>([
    ['its user wants no mail of it', { to_mail: false }],
    ['a digest tells of it', { digested: true }],
  ])('is not owed to its user if %s', (_what, fields) => {
    expect(mailsOf(delivered(fields))).toEqual({ owed: [], failures: [] })
  })

  it('is owed to those who run it, whatever its user wants', () => {
    const toDesk = {
      ...{ recipients: [{ user: 'user_id' }, { address: 'desk@belfry.test' }] },
      ...{ when: { state: { became: ['parked'] } }, template: 'row-changed' },
    }
    const { owed } = mailsOf(delivered({ state: 'parked', to_mail: false }), toDesk)
    expect(owed.map(({ recipient }) => recipient)).toEqual(['desk@belfry.test'])
  })

  it('says what it says: title, text, plain values, and where it leads', () => {
    const content = { text: 'Bell is on its way.', order: 42, deep: { a: 1 }, note: null }
    const { subject, text, html } = letterOf(
      delivered({ title: 'Your <b>order</b>', content, link: 'https://shop.example/42' }),
    )
    expect(subject).toBe('Your <b>order</b>')
    expect(text).toBe(
      [
        ...['Your <b>order</b>', '', 'Bell is on its way.', '', 'order: 42', ''],
        ...['Open: https://shop.example/42', '', '-- '],
        ...['You get this mail because you want to hear about orders.', ''],
      ].join('\n'),
    )
    expect(html).toContain('Your &lt;b&gt;order&lt;/b&gt;')
  })

  it.each(['javascript:alert(1)', '/orders/42', 'http://shop.example/'])(
    'leads nowhere by the link %s',
    (link) => {
      expect(letterOf(delivered({ link })).html).not.toContain('class="button" href')
    },
  )

  it('of a digest it names what it brings, and how many more', () => {
    const notifications = Array.from({ length: 20 }, (_, index) => {
      return { id: index, category: 'orders', title: `Order ${index}`, link: null }
    })
    const digest = { category: 'digest', title: '23 notifications', to_inbox: false }
    const { subject, text } = letterOf(
      delivered({ ...digest, content: { count: 23, notifications } }),
    )
    expect(subject).toBe('23 notifications')
    expect(text.match(/orders: +Order \d+/g)).toHaveLength(20)
    expect(text).toContain('3 more')
    expect(text).not.toContain('count')
  })

  test.each<[string, Row]>([
    ['content of anything', { content: { text: 7, ['x'.repeat(5_000)]: 'y' } }],
    ['a digest without its list', { category: 'digest', content: { count: 'many' } }],
    ['a digest of garbage', { category: 'digest', content: { notifications: [1, null, {}] } }],
  ])('is written of %s', (_what, fields) => {
    expect(letterOf(delivered(fields)).subject).toBe('Shipped')
  })
})

describe('P85 a notification by webhook', () => {
  const rule: WebhookRule = {
    ...{ id: 4, name: 'by webhook', channel: 'webhook', table: 'notifications', ops: ['update'] },
    ...{ when: {}, enabled: true, version: 1, endpoint: ENDPOINT },
  }
  test.each<[string, Row, number]>([
    ['as its user wants', {}, 1],
    ['not if its user wants none', { to_webhook: false }, 0],
    ['not if a digest tells of it', { digested: true }, 0],
    ['before it is delivered in a digest', { digested: true, state: 'scheduled' }, 1],
  ])('is owed %s', (_what, fields, count) => {
    expect(owedWebhooks(delivered(fields), [rule]).owed).toHaveLength(count)
  })

  it('of another table, a column of that name is nobody’s wish', () => {
    const elsewhere = { ...delivered({ to_webhook: false }), table: 'orders' }
    expect(owedWebhooks(elsewhere, [{ ...rule, table: 'orders' }]).owed).toHaveLength(1)
  })
})
