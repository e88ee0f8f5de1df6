import { type Backoff, fullJitter } from '../../protocol/backoff.ts'

/**
 * What one attempt at a mail came to, decided by the status of Resend's answer and by the codes
 * in it, never by its words.
 *
 * Must hold: a mail that may have gone out is tried again only while Resend still knows its
 * idempotency key (24 h), so it never goes out twice; what cannot succeed by waiting is parked
 * for a person. A refusal that concerns everyone (too many requests, a bad key) is not the
 * mail's fault: it holds the whole mailer and costs the mail no attempt.
 */
export type Outcome =
  | { kind: 'sent'; providerId: string | null }
  | { kind: 'retry'; afterMs: number; error: string }
  | { kind: 'hold'; afterMs: number; error: string }
  | { kind: 'park'; error: string }

/** What the Resend client returns; it does not throw. `statusCode` is null without an answer. */
export type Answer = {
  data: { id: string } | null
  error: { name: string; statusCode: number | null; message: string } | null
  headers: Record<string, string> | null
}

/** `attempts` counts this one; `firstAt` is when the first began, in ms since 1970. */
export type Attempted = { attempts: number; firstAt: number }

/** With the backoff below: given up after three hours at most, one and a half on average. */
export const MAX_ATTEMPTS = 16
const BACKOFF: Backoff = { baseMs: 2_000, capMs: 30 * 60_000 }

/** One hour short of Resend's memory for idempotency keys. */
const SAFE_TO_REPEAT_MS = 23 * 3_600_000

const HOLD_CONFIGURATION_MS = 60_000
const HOLD_QUOTA_MS = 30 * 60_000
const HOLD_MAX_MS = 60 * 60_000

/** Resend's documented limit, 2 requests a second, until its headers say otherwise. */
const PACE_MS = 500
const PACE_MIN_MS = 100

export function judge(answer: Answer, attempted: Attempted, now: number, random: number): Outcome {
  const { data, error, headers } = answer
  if (!error) return { kind: 'sent', providerId: data?.id ?? null }
  const status = error.statusCode ?? null
  const said = `${status ?? 'no answer'} ${error.name}: ${error.message}`

  if (status === 401)
    return hold(`${said}. Check RESEND_API_KEY: npx wrangler secret put RESEND_API_KEY`)
  if (status === 429) {
    const afterMs =
      waitMs(headers, now) ?? (isQuota(error.name) ? HOLD_QUOTA_MS : jitter(1, random))
    return { kind: 'hold', afterMs: Math.min(afterMs, HOLD_MAX_MS), error: said }
  }
  if (!mayRepeat(status, error.name)) return { kind: 'park', error: said + adviceFor(status) }

  const afterMs = Math.max(jitter(attempted.attempts, random), waitMs(headers, now) ?? 0)
  if (attempted.attempts >= MAX_ATTEMPTS)
    return {
      kind: 'park',
      error: `Given up after ${attempted.attempts} attempts. The last: ${said}`,
    }
  if (!isSafeToRepeat(attempted.firstAt, now + afterMs)) return { kind: 'park', error: TOO_LATE }
  return { kind: 'retry', afterMs, error: said }
}

/** Asked before each attempt, as a mailer may have stood still for days. */
export function parkUnsent(before: { attempts: number; firstAt: number | null }, now: number) {
  if (before.attempts >= MAX_ATTEMPTS)
    return `Given up after ${before.attempts} attempts; the mailer stopped during the last.`
  return before.firstAt === null || isSafeToRepeat(before.firstAt, now) ? null : TOO_LATE
}

/** A setting without which nothing can be sent. */
export function missing(setting: 'RESEND_API_KEY' | 'MAIL_FROM'): Outcome & { kind: 'hold' } {
  const how =
    setting === 'MAIL_FROM'
      ? 'put MAIL_FROM = "Orders <orders@your-domain>" under [vars] in wrangler.toml and deploy'
      : 'npx wrangler secret put RESEND_API_KEY'
  return hold(`${setting} is not set, so no mail goes out. Set it: ${how}`)
}

/** How long to wait before the next request, whatever came of this one. */
export function paceMs(headers: Answer['headers']): number {
  const limit = Number(headers?.['ratelimit-limit'])
  if (!(limit > 0)) return PACE_MS
  const reset = Number(headers?.['ratelimit-reset'])
  if (headers?.['ratelimit-remaining'] === '0' && reset > 0)
    return Math.min(reset * 1_000, HOLD_MAX_MS)
  const windowS = Number(/;\s*w=(\d+)/.exec(headers?.['ratelimit-policy'] ?? '')?.[1] ?? 1)
  return Math.max(PACE_MIN_MS, Math.min((windowS * 1_000) / limit, HOLD_MAX_MS))
}

const TOO_LATE =
  'It may have gone out, and after 23 hours it can no longer be repeated without risk of a second one. Look in Resend whether it did.'

function hold(error: string): Outcome & { kind: 'hold' } {
  return { kind: 'hold', afterMs: HOLD_CONFIGURATION_MS, error }
}

/** Whether the same request may succeed later, whoever is at fault now. */
function mayRepeat(status: number | null, name: string): boolean {
  if (status === null || status >= 500) return true
  if (status === 409) return name === 'concurrent_idempotent_requests'
  return status === 408 || status === 425
}

function adviceFor(status: number | null): string {
  if (status === 403) return ' Check that the domain of MAIL_FROM is verified at Resend.'
  if (status === 409)
    return ' An earlier attempt was accepted with other content: look in Resend whether it went out.'
  return ' Resend does not take this mail as it is: check the address and MAIL_FROM.'
}

function isQuota(name: string): boolean {
  return name === 'daily_quota_exceeded' || name === 'monthly_quota_exceeded'
}

function isSafeToRepeat(firstAt: number, at: number): boolean {
  return at - firstAt <= SAFE_TO_REPEAT_MS
}

function jitter(attempt: number, random: number): number {
  return fullJitter(attempt, BACKOFF, random)
}

/** `retry-after` in seconds or as a date, else the time until the limit is reset. */
function waitMs(headers: Answer['headers'], now: number): number | null {
  const after = headers?.['retry-after']
  if (after !== undefined) {
    const ms = /^\d+(\.\d+)?$/.test(after) ? Number(after) * 1_000 : Date.parse(after) - now
    if (ms >= 0) return ms
  }
  const reset = headers?.['ratelimit-reset']
  return reset !== undefined && /^\d+$/.test(reset) ? Number(reset) * 1_000 : null
}
