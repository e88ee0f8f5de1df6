import { describe, expect, it, test } from 'vitest'
import type { CapturedChange, Row } from '../../protocol/change.ts'
import { readInboxRule } from '../../worker/notices/inbox-rule.ts'
import { owedNotices } from '../../worker/notices/owed.ts'
import type { InboxRule } from '../../worker/rules/rule.ts'

const CHANGE = '0f0e0d0c-0b0a-4900-8807-060504030201'

function shipped(fields: Row = {}): CapturedChange {
  const row = { id: 42, status: 'shipped', product_name: 'Bell', customer_id: 7, ...fields }
  const old = { ...row, status: 'pending' }
  const at = '2026-11-21T08:33:55.123456+00:00'
  return { id: CHANGE, table: 'orders', op: 'update', key: { id: 42 }, new: row, old, at }
}

function rule(fields: object = {}): InboxRule {
  const row = {
    ...{ id: 2, name: 'order-shipped', channel: 'inbox', table: 'orders', ops: ['update'] },
    ...{ when: { status: { became: ['shipped'] } }, category: 'orders', enabled: true, version: 1 },
    ...{ notification: { title: 'Order {id} was shipped' }, recipients: [{ user: 'customer_id' }] },
    ...fields,
  }
  const reading = readInboxRule(row as unknown as Row)
  if (!reading.ok) throw new Error(reading.problem)
  return reading.rule
}

const owed = (change: CapturedChange, ...rules: InboxRule[]) => owedNotices(change, rules)

describe('P86 what a change owes to inboxes', () => {
  it('is one notification for each user of each rule, with the same origin every time', () => {
    const found = owed(shipped(), rule())
    expect(found).toEqual({
      failures: [],
      owed: [
        {
          ...{ origin: `rule:2/${CHANGE}/7/orders/42/`, user: '7', category: 'orders', link: null },
          ...{ title: 'Order 42 was shipped', content: {} },
          about: 'Rule "order-shipped" (2) and orders 42',
        },
      ],
    })
    expect(owed(shipped(), rule())).toEqual(found)
  })

  it('names a user once, however many columns hold them, and nobody for null', () => {
    const recipients = [{ user: 'customer_id' }, { user: 'owner_id' }, { user: 'agent_id' }]
    const row = { owner_id: '7', agent_id: null }
    expect(owed(shipped(row), rule({ recipients })).owed.map(({ user }) => user)).toEqual(['7'])
    expect(owed(shipped({ customer_id: null }), rule())).toEqual({ owed: [], failures: [] })
  })

  it('is nothing if the rule is about something else, is switched off, or the table was emptied', () => {
    const nothing = { owed: [], failures: [] }
    expect(owed({ ...shipped(), table: 'invoices' }, rule())).toEqual(nothing)
    expect(owed(shipped(), rule({ enabled: false }))).toEqual(nothing)
    const emptied = { ...shipped(), op: 'truncate' as const, key: null, new: null, old: null }
    expect(owed(emptied, rule({ ops: ['truncate'], when: {} }))).toEqual(nothing)
  })

  it('takes the row that is gone, of a deletion', () => {
    const gone = { ...shipped(), op: 'delete' as const, old: shipped().new, new: null }
    const { owed: told } = owed(gone, rule({ ops: ['delete'], when: {} }))
    expect(told.map(({ title }) => title)).toEqual(['Order 42 was shipped'])
  })
})

describe('P86 what a rule’s texts become', () => {
  const texts = (notification: object, row: Row = {}) =>
    owed(shipped(row), rule({ notification: { title: 'Shipped', ...notification } }))

  it('fills every text in, however deep, and leaves names, numbers and other braces', () => {
    const content = {
      '{id}': 'no {id} of {product_name}',
      deep: [{ n: 1, text: '{id}{id}' }, '{}'],
    }
    expect(texts({ content }).owed[0]?.content).toEqual({
      '{id}': 'no 42 of Bell',
      deep: [{ n: 1, text: '4242' }, '{}'],
    })
  })

  it('a title stays on one line and within 200 characters', () => {
    const { owed: told } = texts({ title: '{note}' }, { note: `a\nb\u202e${'c'.repeat(300)}` })
    expect(told[0]?.title).toMatch(/^a bc+…$/)
    expect(told[0]?.title).toHaveLength(200)
  })

  it('what is filled in is not filled in again', () => {
    expect(texts({ title: '{note}' }, { note: '{id}' }).owed[0]?.title).toBe('{id}')
  })

  test.each<[string, string, Row, string | null]>([
    ['a path', '/orders/{id}', {}, '/orders/42'],
    [
      'a value that would leave it',
      '/{path}',
      { path: '/evil.example?a&b' },
      '/%2Fevil.example%3Fa%26b',
    ],
    ['an address', 'https://shop.example/{id}', {}, 'https://shop.example/42'],
    ['a column', '{url}', { url: 'https://track.example/x?y=1' }, 'https://track.example/x?y=1'],
    ['a column that holds nothing', '{url}', { url: null }, null],
  ])('a link that is %s', (_what, link, row, expected) => {
    expect(texts({ link }, row).owed[0]?.link).toBe(expected)
  })

  test.each<[string, object, Row, RegExp]>([
    ['a column there is not', { title: '{nosuch}' }, {}, /there is no column "nosuch" to fill in/],
    ['an inherited name', { title: '{toString}' }, {}, /there is no column "toString"/],
    ['a title of nothing', { title: '{note}' }, { note: ' \u202e' }, /title comes out empty/],
    [
      'content of more than 64 kB',
      { content: { text: '{note}' } },
      { note: 'é'.repeat(33_000) },
      /content comes to 660\d\d bytes; at most 65536/,
    ],
    ['a link of 3,000 characters', { link: '/{note}' }, { note: 'x'.repeat(3_000) }, /3001 char/],
    [
      'a script as a link',
      { link: '{url}' },
      { url: 'javascript:alert(1)' },
      /https, http or a path/,
    ],
    [
      'another site as a path',
      { link: '{url}' },
      { url: '//evil.example' },
      /https, http or a path/,
    ],
    [
      'a column that is no user',
      { title: 'x' },
      { customer_id: 'Ada' },
      /"Ada" in customer_id is no/,
    ],
    ['user 0', { title: 'x' }, { customer_id: 0 }, /"0" in customer_id is no user's id/],
    ['a user beyond a bigint', {}, { customer_id: '9223372036854775808' }, /is no user's id/],
  ])(
    'P89 %s fails with its rule and row, and holds no other rule back',
    (_what, given, row, why) => {
      const broken = rule({ notification: { title: 'Shipped', ...given } })
      const fine = rule({ id: 3, recipients: [{ user: 'agent_id' }] })
      const found = owed(shipped({ agent_id: 9, ...row }), broken, fine)
      expect(found.owed.map(({ origin }) => origin)).toEqual([`rule:3/${CHANGE}/9/orders/42/`])
      expect(found.failures).toHaveLength(1)
      expect(found.failures[0]).toMatch(/^Rule "order-shipped" \(2\) and orders 42: /)
      expect(found.failures[0]).toMatch(why)
    },
  )

  it('P89 a row that did not travel, and a column that is not there, fail', () => {
    const oversize = { ...shipped(), new: null, old: null, oversize: true as const }
    expect(owed(oversize, rule()).failures[0]).toMatch(/too large to travel/)
    const recipients = [{ user: 'buyer_id' }, { user: 'customer_id' }]
    const found = owed(shipped(), rule({ recipients }))
    expect(found.failures).toEqual([
      'Rule "order-shipped" (2) and orders 42: there is no column "buyer_id" to take a user from.',
    ])
    expect(found.owed.map(({ user }) => user)).toEqual(['7'])
  })
})

describe('P86 a rule of the inbox', () => {
  const base = { ...rule(), channel: 'inbox' }
  test.each<[string, object, RegExp]>([
    ['of notifications themselves', { table: 'notifications' }, /^table: must be another/],
    [
      'to an address',
      { recipients: [{ address: 'a@b.example' }] },
      /^recipients\.0\.user: must be the name/,
    ],
    ['without a title', { notification: { link: '/' } }, /^notification\.title: /],
    ['with a blank title', { notification: { title: ' ' } }, /^notification\.title: must be text/],
    [
      'with content that is a list',
      { notification: { title: 'x', content: [] } },
      /must be an obj/,
    ],
    ['with no notification', { notification: null }, /^notification: /],
    ['with an unknown test', { when: { status: 'shipped' } }, /^when\.status: must be one test/],
  ])('%s is inert, and says why', (_what, fields, problem) => {
    const reading = readInboxRule({ ...base, ...fields } as unknown as Row)
    expect(reading).toMatchObject({ ok: false, problem: expect.stringMatching(problem) })
  })
})
