import { describe, expect, it } from 'vitest'
import type { Change, Row } from '../../protocol/change.ts'
import type { WebhookRule } from '../../worker/rules/rule.ts'
import { changeMessage, MAX_MESSAGE_BYTES, testMessage } from '../../worker/webhooks/message.ts'
import { movedEndpoints, owedWebhooks } from '../../worker/webhooks/owed.ts'

const [one, two] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222']

function change(fields: Partial<Change> = {}): Change {
  return {
    offset: 7,
    id: '0f0e0d0c-0b0a-4900-8807-060504030201',
    table: 'orders',
    op: 'update',
    key: { id: 42 },
    new: { id: 42, status: 'filled' },
    old: { id: 42, status: 'pending' },
    at: '2026-11-21T08:33:55.123456+00:00',
    ...fields,
  }
}

function rule(id: number, endpoint: string, fields: Partial<WebhookRule> = {}): WebhookRule {
  const shape = { name: `rule ${id}`, channel: 'webhook' as const, version: 1, enabled: true }
  return { id, endpoint, table: 'orders', ops: ['insert', 'update'], when: {}, ...shape, ...fields }
}

describe('P69: what a change owes to endpoints', () => {
  it('is one message for each endpoint that a rule of it names', () => {
    const { owed, failures } = owedWebhooks(change(), [rule(1, one), rule(2, two)])
    expect(failures).toEqual([])
    expect(owed).toEqual(
      [one, two].map((recipient) => ({
        rule: 0,
        ruleName: 'orders.update',
        change: change().id,
        table: 'orders',
        key: '42',
        recipient,
        body: changeMessage(change()),
      })),
    )
  })

  it('is one however many of its rules are about it, and under one name whichever they are', () => {
    const filled = { when: { status: { became: ['filled'] } } }
    const both = owedWebhooks(change(), [rule(1, one), rule(2, one, filled)])
    expect(both.owed).toHaveLength(1)
    expect(owedWebhooks(change(), [rule(9, one)]).owed).toEqual(both.owed)
  })

  it.each<[string, Partial<WebhookRule>]>([
    ['another table', { table: 'carts' }],
    ['another operation', { ops: ['delete'] }],
    ['a condition that does not hold', { when: { status: { was: ['shipped'] } } }],
    ['that is not enabled', { enabled: false }],
  ])('is nothing by a rule of %s', (_, fields) => {
    expect(owedWebhooks(change(), [rule(1, one, fields)])).toEqual({ owed: [], failures: [] })
  })

  it('is not guessed of a row that was too large, unless a rule is sure', () => {
    const oversize = change({ new: null, old: null, oversize: true })
    const unsure = rule(1, one, { when: { status: { is: ['filled'] } } })
    const { owed, failures } = owedWebhooks(oversize, [unsure, rule(2, two)])
    expect(failures).toEqual([expect.stringMatching(`42 of orders .* ${one}`)])
    expect(owed).toMatchObject([{ recipient: two, body: changeMessage(oversize) }])
    expect(owedWebhooks(oversize, [unsure, rule(2, one)])).toMatchObject({
      owed: [{ recipient: one }],
      failures: [],
    })
  })
})

describe('a message', () => {
  it('has a type, a time and the change', () => {
    expect(JSON.parse(changeMessage(change()))).toEqual({
      type: 'orders.update',
      timestamp: '2026-11-21T08:33:55.123456+00:00',
      data: change(),
    })
    const test = JSON.parse(testMessage(one, '2026-11-21T08:33:55.123Z'))
    expect(test).toMatchObject({ type: 'belfry.test', data: { endpoint: one } })
  })

  it('leaves the images behind if they are too large, measured in bytes', () => {
    const wide = (characters: number) =>
      change({ new: { text: '…'.repeat(characters) }, old: null })
    expect(changeMessage(wide(MAX_MESSAGE_BYTES / 3 - 200))).toContain('…')
    const cut = changeMessage(wide(MAX_MESSAGE_BYTES / 3))
    expect(JSON.parse(cut).data).toEqual(change({ new: null, old: null, oversize: true }))
  })
})

describe('what a change says of endpoints', () => {
  const row = { id: one, url: 'https://example.com', enabled: true, version: 2, description: '' }
  const of = (fields: Partial<Change>) =>
    movedEndpoints(change({ table: 'webhook_endpoints', key: { id: one }, ...fields }))
  const { description: _, ...endpoint } = row

  it.each<[string, Partial<Change>, unknown[]]>([
    ['a new one', { op: 'insert', new: row, old: null }, [{ kind: 'configure', endpoint }]],
    [
      'one that moved',
      { new: row, old: { ...row, version: 1 } },
      [{ kind: 'configure', endpoint }],
    ],
    ['one that is gone', { op: 'delete', new: null, old: row }, [{ kind: 'forget', id: one }]],
    [
      'one with another id',
      { new: { ...row, id: two }, old: row },
      [
        { kind: 'forget', id: one },
        { kind: 'configure', endpoint: { ...endpoint, id: two } },
      ],
    ],
    [
      'one that is gone and was too large',
      { op: 'delete', new: null, old: null, oversize: true },
      [{ kind: 'forget', id: one }],
    ],
    ['one too large to travel', { new: null, old: null, oversize: true }, []],
    ['a truncate', { op: 'truncate', new: null, old: null, key: null }, []],
    ['a row that cannot be read', { new: { id: 7 } as Row, old: null }, []],
    ['another table', { table: 'orders', new: row }, []],
  ])('%s', (_name, fields, moved) => {
    expect(of(fields)).toEqual(moved)
  })
})
