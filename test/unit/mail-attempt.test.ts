import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Answer,
  judge,
  MAX_ATTEMPTS,
  missing,
  paceMs,
  parkUnsent,
} from '../../worker/mail/attempt.ts'

const NOW = Date.parse('2026-11-21T08:00:00Z')
const HOUR_MS = 3_600_000
const first = { attempts: 1, firstAt: NOW }

function refused(statusCode: number | null, name = 'application_error', headers = {}): Answer {
  return { data: null, error: { name, statusCode, message: 'rate limit key quota' }, headers }
}

describe('one attempt', () => {
  test('that Resend accepts is sent', () => {
    const answer = { data: { id: 're_1' }, error: null, headers: {} }
    expect(judge(answer, first, NOW, 0.5)).toEqual({ kind: 'sent', providerId: 're_1' })
  })

  test.each([
    [null, 'application_error', 'retry'],
    [500, 'internal_server_error', 'retry'],
    [502, 'application_error', 'retry'],
    [503, 'application_error', 'retry'],
    [408, 'application_error', 'retry'],
    [409, 'concurrent_idempotent_requests', 'retry'],
    [409, 'invalid_idempotent_request', 'park'],
    [400, 'validation_error', 'park'],
    [403, 'validation_error', 'park'],
    [404, 'not_found', 'park'],
    [405, 'method_not_allowed', 'park'],
    [422, 'missing_required_field', 'park'],
    [401, 'missing_api_key', 'hold'],
    [429, 'rate_limit_exceeded', 'hold'],
    [429, 'daily_quota_exceeded', 'hold'],
  ] as const)('answered %s %s comes to %s', (status, name, kind) => {
    expect(judge(refused(status, name), first, NOW, 0.5).kind).toBe(kind)
  })

  test('P51: is tried again only while Resend still knows its key, and not for ever', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.nat(48 * HOUR_MS),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempts, age, random) => {
          const outcome = judge(refused(500), { attempts, firstAt: NOW - age }, NOW, random)
          if (outcome.kind === 'retry') {
            expect(attempts).toBeLessThan(MAX_ATTEMPTS)
            expect(age + outcome.afterMs).toBeLessThan(24 * HOUR_MS)
          } else expect(outcome.kind).toBe('park')
        },
      ),
    )
  })

  test('waits a random time under a growing ceiling of half an hour', () => {
    const waits = Array.from({ length: MAX_ATTEMPTS - 1 }, (_, index) => {
      const outcome = judge(refused(500), { attempts: index + 1, firstAt: NOW }, NOW, 0.5)
      return outcome.kind === 'retry' ? outcome.afterMs : Number.NaN
    })
    expect(waits.slice(0, 3)).toEqual([1_000, 2_000, 4_000])
    expect(Math.max(...waits)).toBe(15 * 60_000)
    expect(2 * waits.reduce((sum, wait) => sum + wait)).toBeLessThan(23 * HOUR_MS)
  })

  test.each([
    [{ 'retry-after': '7' }, 7_000],
    [{ 'retry-after': 'Sat, 21 Nov 2026 08:00:30 GMT' }, 30_000],
    [{ 'ratelimit-reset': '3' }, 3_000],
    [{ 'retry-after': '7', 'ratelimit-reset': '3' }, 7_000],
    [{ 'retry-after': '999999' }, HOUR_MS],
    [{ 'retry-after': 'soon' }, 1_000],
    [{}, 1_000],
  ])('refused for its rate with %j holds everyone so long', (headers, afterMs) => {
    expect(judge(refused(429, 'rate_limit_exceeded', headers), first, NOW, 0.5)).toMatchObject({
      kind: 'hold',
      afterMs,
    })
  })

  test('beyond a quota holds for half an hour, as seconds would not help', () => {
    expect(judge(refused(429, 'daily_quota_exceeded'), first, NOW, 0)).toMatchObject({
      kind: 'hold',
      afterMs: 30 * 60_000,
    })
  })

  test('says what a person has to do', () => {
    expect(judge(refused(401, 'invalid_api_key'), first, NOW, 0)).toMatchObject({
      error: expect.stringContaining('npx wrangler secret put RESEND_API_KEY'),
    })
    expect(missing('MAIL_FROM').error).toContain('MAIL_FROM is not set')
    expect(judge(refused(403), first, NOW, 0)).toMatchObject({
      error: expect.stringContaining('MAIL_FROM'),
    })
  })
})

describe('before an attempt', () => {
  test('nothing stands in the way of a mail that never left', () => {
    expect(parkUnsent({ attempts: 0, firstAt: null }, NOW)).toBeNull()
  })

  test('P51: a mail that may have gone out a day ago is not repeated', () => {
    expect(parkUnsent({ attempts: 1, firstAt: NOW - 22 * HOUR_MS }, NOW)).toBeNull()
    expect(parkUnsent({ attempts: 1, firstAt: NOW - 24 * HOUR_MS }, NOW)).toContain('Resend')
  })

  test('a mail that stops the mailer each time is given up', () => {
    expect(parkUnsent({ attempts: MAX_ATTEMPTS, firstAt: NOW }, NOW)).toContain('Given up')
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
