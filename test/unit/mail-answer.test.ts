import { describe, expect, test } from 'vitest'
import { judge, paceMs } from '../../worker/mail/answer.ts'

const NOW = Date.parse('2026-11-21T08:00:00Z')

function refused(statusCode: unknown, name = 'application_error', headers = {}, count = 1) {
  // The words are all wrong on purpose: nothing may be decided by them.
  const error = { name, statusCode, message: 'rate limit key quota idempotent' }
  return judge({ data: null, error, headers }, count, NOW).outcomes[0]
}

function accepted(data: unknown, count: number) {
  return judge({ data, error: null, headers: {} }, count, NOW).outcomes
}

describe('an answer of Resend', () => {
  test.each([
    [null, 'application_error', 'retry', true],
    ['500', 'application_error', 'retry', true],
    [500, 'internal_server_error', 'retry', true],
    [502, 'application_error', 'retry', true],
    [503, 'application_error', 'retry', true],
    [304, 'application_error', 'retry', true],
    [408, 'application_error', 'retry', false],
    [425, 'application_error', 'retry', false],
    [409, 'concurrent_idempotent_requests', 'retry', false],
    [409, 'resource_locked', 'retry', false],
  ])('P54: %s %s leaves the mail in doubt', (status, name, kind, down) => {
    expect(refused(status, name)).toMatchObject({ kind, inDoubt: true, down })
  })

  test.each([
    [409, 'invalid_idempotent_request', 'unknown'],
    [400, 'validation_error', 'refused'],
    [400, 'invalid_idempotency_key', 'refused'],
    [403, 'validation_error', 'refused'],
    [404, 'not_found', 'refused'],
    [405, 'method_not_allowed', 'refused'],
    [413, 'application_error', 'refused'],
    [422, 'missing_required_field', 'refused'],
    [451, 'security_error', 'refused'],
    [401, 'missing_api_key', 'hold'],
    [401, 'restricted_api_key', 'hold'],
    [403, 'invalid_api_key', 'hold'],
    [429, 'rate_limit_exceeded', 'hold'],
    [429, 'daily_quota_exceeded', 'hold'],
  ])('P55: %s %s comes to %s', (status, name, kind) => {
    expect(refused(status, name)?.kind).toBe(kind)
  })

  test.each([400, 403, 413, 422])('P55: a batch refused with %i is taken apart', (status) => {
    expect(refused(status, 'validation_error', {}, 3)?.kind).toBe('apart')
  })

  test('that accepts a mail has its id', () => {
    expect(accepted({ id: 're_1' }, 1)).toEqual([{ kind: 'sent', providerId: 're_1' }])
  })

  test('that accepts a batch in part names the others, and the ids are of those it took', () => {
    const data = {
      data: [{ id: 're_1' }, { id: 're_2' }],
      errors: [{ index: 1, message: 'The `to` field is invalid.' }],
    }
    expect(accepted(data, 3)).toEqual([
      { kind: 'sent', providerId: 're_1' },
      { kind: 'refused', error: expect.stringContaining('The `to` field is invalid.') },
      { kind: 'sent', providerId: 're_2' },
    ])
  })

  test('whose ids do not add up is believed in what it took, and in no id', () => {
    expect(accepted({ data: [{ id: 're_1' }] }, 2)).toEqual([
      { kind: 'sent', providerId: null },
      { kind: 'sent', providerId: null },
    ])
  })

  test.each([
    [null, 1],
    [undefined, 1],
    ['ok', 1],
    [{}, 1],
    [{ id: '' }, 1],
    [{ id: 7 }, 1],
    [{ data: [] }, 1],
    [null, 2],
    [{ id: 're_1' }, 2],
    [{ data: 'all' }, 2],
  ])('P54: that is a success without what a success has, %j, leaves it in doubt', (data, count) => {
    const outcomes = accepted(data, count)
    expect(outcomes).toHaveLength(count)
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ kind: 'retry', inDoubt: true, down: true })
  })

  test.each([['a proxy speaks'], [[]], [{ message: 'a proxy speaks' }], [5]])(
    'P54: an error that is none of Resend’s, %j, leaves it in doubt',
    (error) => {
      const { outcomes } = judge({ data: null, error, headers: null }, 1, NOW)
      expect(outcomes[0]).toMatchObject({ kind: 'retry', inDoubt: true })
    },
  )

  test.each([
    [{ 'retry-after': '7' }, 7_000],
    [{ 'retry-after': 'Sat, 21 Nov 2026 08:00:30 GMT' }, 30_000],
    [{ 'ratelimit-reset': '3' }, 3_000],
    [{ 'retry-after': '7', 'ratelimit-reset': '3' }, 7_000],
    [{ 'retry-after': 'soon' }, null],
    [{}, null],
  ])('P55: refused for its rate with %j holds everyone so long', (headers, afterMs) => {
    expect(refused(429, 'rate_limit_exceeded', headers)).toMatchObject({ kind: 'hold', afterMs })
  })

  test('P55: beyond a quota holds for half an hour, as seconds would not help', () => {
    expect(refused(429, 'daily_quota_exceeded')).toMatchObject({ afterMs: 30 * 60_000 })
  })

  test('says what a person has to do', () => {
    expect(refused(401, 'invalid_api_key')).toMatchObject({
      error: expect.stringContaining('npx wrangler secret put RESEND_API_KEY'),
    })
    expect(refused(403)).toMatchObject({ error: expect.stringContaining('MAIL_FROM') })
  })
})

describe('the pace', () => {
  test.each([
    [null, 500],
    [{}, 500],
    [{ 'ratelimit-limit': '2', 'ratelimit-remaining': '1', 'ratelimit-reset': '1' }, 500],
    [{ 'ratelimit-limit': '10', 'ratelimit-remaining': '9', 'ratelimit-reset': '1' }, 100],
    [{ 'ratelimit-limit': '1000', 'ratelimit-remaining': '9' }, 100],
    [{ 'ratelimit-limit': '2', 'ratelimit-remaining': '0', 'ratelimit-reset': '3' }, 3_000],
    [{ 'ratelimit-limit': '30', 'ratelimit-policy': '30;w=60' }, 2_000],
    [{ 'ratelimit-limit': 'many' }, 500],
  ])('with %j is a request every %i ms', (headers, ms) => {
    expect(paceMs(headers)).toBe(ms)
  })
})
