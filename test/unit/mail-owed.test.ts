import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import type { CapturedChange, Row, Value } from '../../protocol/change.ts'
import { readMailBody } from '../../worker/mail/letter.ts'
import { readMailRule } from '../../worker/mail/mail-rule.ts'
import { owedMails } from '../../worker/mail/owed.ts'
import { isAddress, recipients } from '../../worker/mail/recipients.ts'
import type { MailRule } from '../../worker/rules/rule.ts'
import { orderFilledRule } from '../support/database-of-rules.ts'

const ID = '5f0c6f0e-5b0a-4c5e-9a53-3f6a3a1f6f11'

function row(fields: Row = {}): Row {
  return {
    id: 1,
    customer_name: 'Ada',
    product_name: 'Engine',
    status: 'filled',
    amount: 12.5,
    customer_email: null,
    version: 2,
    created_at: '2026-11-21T08:33:55.123456+00:00',
    updated_at: '2026-11-21T08:34:55.123456+00:00',
    ...fields,
  }
}

function change(fields: Partial<CapturedChange>): CapturedChange {
  const at = '2026-11-21T08:34:55.123456+00:00'
  const images = { key: { id: 1 }, new: null, old: null }
  return { id: ID, table: 'orders', op: 'update', ...images, at, ...fields }
}

const filled = (fields: Row = {}) =>
  change({ old: row({ status: 'pending', ...fields }), new: row(fields) })

function rule(fields: Record<string, unknown> = {}): MailRule {
  const reading = readMailRule({ ...orderFilledRule, ...fields } as Row)
  if (!reading.ok) throw new Error(reading.problem)
  return reading.rule
}

const to = (...named: unknown[]) => rule({ recipients: named })

function addresses(rules: MailRule[], row: CapturedChange, alert?: string): string[] {
  const { owed, failures } = owedMails(
    row,
    rules,
    alert === undefined ? {} : { ALERT_RECIPIENTS: alert },
  )
  expect(failures).toEqual([])
  return owed.map(({ recipient }) => recipient)
}

describe('P50 an order that becomes filled, under the rule of the first migration', () => {
  const [done, shipped] = [row(), row({ status: 'shipped' })]

  test.each<[string, Partial<CapturedChange>, boolean]>([
    ['inserted as filled', { op: 'insert', new: done }, true],
    ['inserted as something else', { op: 'insert', new: shipped }, false],
    ['updated to filled', { old: row({ status: 'pending' }), new: done }, true],
    ['updated while filled', { old: done, new: row({ amount: 13 }) }, false],
    ['updated away from filled', { old: done, new: shipped }, false],
    ['deleted while filled', { op: 'delete', old: done }, false],
    ['truncated away', { op: 'truncate', key: null }, false],
    ['in another table', { table: 'shop.orders', old: shipped, new: done }, false],
    ['oversize, but deleted', { op: 'delete', oversize: true }, false],
    ['oversize, but of another table', { table: 'invoices', oversize: true }, false],
  ])('%s: %#', (_what, fields, isOwed) => {
    const owed = addresses([rule()], change(fields), 'staff@example.com')
    expect(owed).toEqual(isOwed ? ['staff@example.com'] : [])
  })

  it('is owed to each fixed recipient and to the customer', () => {
    const fixed = 'a@example.com, b@example.com'
    expect(addresses([rule()], filled({ customer_email: 'ada@example.com' }), fixed)).toEqual([
      'a@example.com',
      'b@example.com',
      'ada@example.com',
    ])
  })

  it('is owed with what the ledger and the mail need of it', () => {
    const change = filled({ customer_email: 'ada@example.com', note: 'x'.repeat(10_000) })
    const { owed } = owedMails(change, [rule()], {})
    expect(owed).toEqual([
      {
        ...{ rule: 1, ruleName: 'order-filled', change: ID, table: 'orders', key: '1' },
        recipient: 'ada@example.com',
        body: expect.any(String),
      },
    ])
    expect(readMailBody(owed[0]?.body ?? '')).toEqual({
      template: 'order-filled',
      audience: 'customer',
      category: 'orders',
      data: {
        id: 1,
        customer_name: 'Ada',
        product_name: 'Engine',
        amount: 12.5,
        updated_at: '2026-11-21T08:34:55.123456+00:00',
      },
    })
  })

  it('is small, whatever the row holds', () => {
    const huge = '𝄞'.repeat(500_000)
    const { owed } = owedMails(
      filled({ customer_name: huge, product_name: huge }),
      [to({ address: 'a@example.com' })],
      {},
    )
    expect(owed[0]?.body.length).toBeLessThan(2_000)
    expect(owed[0]?.body.isWellFormed()).toBe(true)
  })
})

describe('P50 whom a rule writes to', () => {
  const both = [{ column: 'customer_email' }, { address: 'desk@example.com' }]

  it('nobody, if nobody is named', () => {
    expect(addresses([rule()], filled())).toEqual([])
    expect(addresses([rule()], filled({ customer_email: '  ' }), ' , ')).toEqual([])
  })

  it('P51 one mailbox once, in whatever case, and then as staff', () => {
    const { owed } = owedMails(filled({ customer_email: 'DESK@Example.com' }), [to(...both)], {})
    expect(owed).toHaveLength(1)
    expect(readMailBody(owed[0]?.body ?? '').audience).toBe('staff')
  })

  it('P51 but once for each rule', () => {
    const rules = [to(...both), rule({ id: 2, name: 'second', recipients: both })]
    const { owed } = owedMails(filled(), rules, {})
    expect(owed.map(({ rule }) => rule)).toEqual([1, 2])
  })

  it('who is told as staff, and who as a customer', () => {
    const all = [{ setting: 'ALERT_RECIPIENTS' }, ...both, { user: 'customer_id' }]
    const change = filled({ customer_email: 'ada@example.com', customer_id: 7 })
    const { owed } = owedMails(change, [to(...all)], { ALERT_RECIPIENTS: 'ops@example.com' })
    expect(owed.map(({ recipient, body }) => [recipient, readMailBody(body).audience])).toEqual([
      ['ops@example.com', 'staff'],
      ['ada@example.com', 'customer'],
      ['desk@example.com', 'staff'],
      ['user:7', 'customer'],
    ])
  })

  test.each<[string, Value, string[]]>([
    ['an address', 'ada@example.com', ['ada@example.com']],
    ['an address with blanks around it', ' ada@example.com\n', ['ada@example.com']],
    ['null', null, []],
    ['nothing', '', []],
    ['blanks', ' \t\n', []],
    ['a list, which is no address', 'a@x.org, b@x.org', ['a@x.org, b@x.org']],
    ['two lines', 'a@x.org\r\nBcc: b@x.org', ['a@x.org\r\nBcc: b@x.org']],
    ['a number', 42, ['42']],
    ['what would name a user', ' user:7', ['"user:7"']],
    ['a list in JSON', ['a@x.org', 'b@x.org'], ['["a@x.org","b@x.org"]']],
    ['false', false, ['false']],
    ['half a character', '\ud800@x.org', ['\ufffd@x.org']],
    ['10 kB', 'x'.repeat(10_000), ['x'.repeat(320)]],
  ])('a column that holds %s', (_what, value, expected) => {
    const named = to({ column: 'customer_email' })
    expect(addresses([named], filled({ customer_email: value }))).toEqual(expected)
    for (const recipient of expected)
      expect(isAddress(recipient)).toBe(recipient === 'ada@example.com')
  })

  test.each<[Value, string[]]>([
    [7, ['user:7']],
    ['9007199254740993', ['user:9007199254740993']],
    [null, []],
    ['', []],
    ['Ada', ['user:Ada']],
  ])('a column of users that holds %j', (value, expected) => {
    expect(addresses([to({ user: 'customer_id' })], filled({ customer_id: value }))).toEqual(
      expected,
    )
  })

  it('of a TRUNCATE, whoever is named otherwise than by a row', () => {
    const ops = ['truncate', 'delete']
    const emptied = rule({ ops, when: {}, template: 'row-changed', recipients: both })
    expect(addresses([emptied], change({ op: 'truncate', key: null }))).toEqual([
      'desk@example.com',
    ])
  })

  it('of a DELETE, whom the old row names', () => {
    const gone = rule({ ops: ['delete'], when: {}, template: 'row-changed' })
    const old = row({ customer_email: 'ada@example.com' })
    expect(addresses([gone], change({ op: 'delete', old }))).toEqual(['ada@example.com'])
  })
})

describe('what cannot be decided is said, and keeps back no other rule', () => {
  const good = rule({
    ...{ id: 2, name: 'good', template: 'row-changed' },
    recipients: [{ address: 'desk@example.com' }],
  })

  test.each<[string, CapturedChange, MailRule, RegExp]>([
    [
      'a row too large to travel',
      change({ op: 'update', oversize: true }),
      rule({ when: { note: { changed: true } } }),
      /^Rule "order-filled" \(1\) and orders 1: the row was too large to travel/,
    ],
    [
      'a column of recipients that is gone',
      filled(),
      to({ column: 'mail' }),
      /there is no column "mail" to take a recipient from/,
    ],
    [
      'a row without what the template needs',
      filled({ product_name: null }),
      rule({ recipients: [{ address: 'a@example.com' }] }),
      /order-filled cannot be filled in: product_name: /,
    ],
  ])('%s', (_what, change, bad, message) => {
    const { owed, failures } = owedMails(change, [bad, good], {})
    expect(failures[0]).toMatch(message)
    // The large row may be any rule's.
    expect(failures).toHaveLength(change.oversize ? 2 : 1)
    expect(owed.map(({ rule }) => rule)).toEqual(change.oversize ? [] : [2])
  })

  it('but a row without what the template needs is nobody’s matter if nobody is written to', () => {
    const { owed, failures } = owedMails(filled({ product_name: null }), [rule()], {})
    expect({ owed, failures }).toEqual({ owed: [], failures: [] })
  })
})

describe('a row of rules', () => {
  test.each<[string, Record<string, unknown>, RegExp]>([
    ['a condition of its own making', { when: { status: 'filled' } }, /^when\.status: must be one/],
    ['no recipients at all', { recipients: null }, /^recipients: /],
    ['a secret as a recipient', { recipients: [{ setting: 'ADMIN_TOKEN' }] }, /^recipients\.0: /],
    ['an unknown template', { template: 'nosuch' }, /^template: must be one of order-filled/],
    ['a template that is not for rules', { template: 'webhook-off' }, /^template: must be one of/],
    ['a template of another table', { table: 'invoices' }, /^template: order-filled tells of ord/],
    ['a template of other operations', { ops: ['delete'] }, /not of delete$/],
    ['an id beyond a double', { id: '9007199254740993' }, /^id: /],
    ['another channel', { channel: 'webhook' }, /^channel: /],
  ])('with %s is inert and says why', (_what, fields, problem) => {
    const reading = readMailRule({ ...orderFilledRule, ...fields } as Row)
    expect(reading).toEqual({ ok: false, problem: expect.stringMatching(problem) })
  })
})

test('a row of rules may hold anything: it is read or inert, and stops nothing', () => {
  const columns = Object.keys(orderFilledRule) as (keyof typeof orderFilledRule)[]
  fc.assert(
    fc.property(fc.constantFrom(...columns), fc.jsonValue(), (column, value) => {
      const reading = readMailRule({ ...orderFilledRule, [column]: value as Value })
      if (reading.ok) owedMails(filled(), [reading.rule], {})
      else expect(reading.problem).toMatch(/^[a-z]+.{0,100}: .{1,200}$/)
    }),
  )
})

test('ALERT_RECIPIENTS is a list with commas', () => {
  const list = ' a@example.com, b@example.com,, Desk <c@example.com> ,d;e,'
  expect(recipients(list)).toEqual(['a@example.com', 'b@example.com', 'c@example.com', 'd;e'])
  expect(recipients(undefined)).toEqual([])
})

describe('one address and nothing else', () => {
  test.each([
    'ada@example.com',
    'a@b.co',
    "o'brien+tag_1.x-y@sub.example.co.uk",
    'a@1.2.de',
    `${'x'.repeat(64)}@example.com`,
  ])('%s is one', (text) => {
    expect(isAddress(text)).toBe(true)
  })

  test.each([
    '',
    'ada',
    '@example.com',
    'ada@',
    'ada@localhost',
    'ada@example..com',
    'ada@-example.com',
    '.ada@example.com',
    'ada.@example.com',
    'a..b@example.com',
    'ada@example.com.',
    'a@b@example.com',
    'ada @example.com',
    'ada@exam ple.com',
    'a@example.com,b@example.com',
    'a@example.com;b@example.com',
    'a@example.com b@example.com',
    'Ada <ada@example.com>',
    '<ada@example.com>',
    '"ada"@example.com',
    'ada@example.com\r\nBcc: x@example.com',
    'ada@example.com\n',
    'ada@example.com\0',
    '\u202emoc.elpmaxe@ada',
    'ada\u200b@example.com',
    'ada@exämple.com',
    'ada@[127.0.0.1]',
    'mailto:ada@example.com',
    `${'x'.repeat(65)}@example.com`,
    `a@${'x'.repeat(64)}.com`,
    `a@${'x.'.repeat(130)}com`,
  ])('%j is none', (text) => {
    expect(isAddress(text)).toBe(false)
  })
})
