import { type Answer, forAll, type Outcome } from '../courier/outcome.ts'

/**
 * What an answer of Resend says of the mails in a request, decided by its status and the codes in
 * it, never by its words.
 *
 * Must hold: a mail counts as sent only on an answer that has what a success has; and as not sent
 * only on one that says so. Between the two it is in doubt.
 */

/** What the Resend client returns; it does not throw. Nothing in it can be relied on. */
export type ResendAnswer = {
  data: unknown
  error: unknown
  headers: Record<string, string> | null
}

const HOLD_CONFIGURATION_MS = 60_000
const HOLD_QUOTA_MS = 30 * 60_000

/** Resend's documented limit, 2 requests a second, until its headers say otherwise. */
const PACE_MS = 500
const PACE_MIN_MS = 100

/** @param count mails in the request; with more than one it was a batch */
export function judge(answer: ResendAnswer, count: number, now: number): Answer {
  const pauseMs = paceMs(answer.headers)
  if (answer.error === null || answer.error === undefined)
    return { outcomes: accepted(answer.data, count), pauseMs }
  return forAll(refused(readError(answer.error), answer.headers, count, now), count, pauseMs)
}

/** How long to wait before the next request, whatever came of this one. */
export function paceMs(headers: ResendAnswer['headers']): number {
  const limit = Number(headers?.['ratelimit-limit'])
  if (!(limit > 0)) return PACE_MS
  const reset = Number(headers?.['ratelimit-reset'])
  if (headers?.['ratelimit-remaining'] === '0' && reset > 0) return reset * 1_000
  const windowS = Number(/;\s*w=(\d+)/.exec(headers?.['ratelimit-policy'] ?? '')?.[1] ?? 1)
  return Math.max(PACE_MIN_MS, (windowS * 1_000) / limit)
}

function accepted(data: unknown, count: number): Outcome[] {
  if (count === 1) {
    const id = idOf(data)
    return [id === null ? UNREADABLE : { kind: 'sent', providerId: id }]
  }
  const batch = data as { data?: unknown; errors?: unknown } | null
  if (typeof batch !== 'object' || batch === null || !Array.isArray(batch.data))
    return Array.from({ length: count }, () => UNREADABLE)
  const refusals = new Map(readRefusals(batch.errors))
  // The ids are those of the accepted, in their order; if they do not add up, none is believed.
  const ids = batch.data.map(idOf)
  const known = ids.length === count - refusals.size
  let next = 0
  return Array.from({ length: count }, (_, index) => {
    const refusal = refusals.get(index)
    if (refusal !== undefined) return { kind: 'refused', error: refusal + ADVICE }
    return { kind: 'sent', providerId: known ? (ids[next++] ?? null) : null }
  })
}

type Refusal = { status: number | null; name: string; said: string }

function refused(
  { status, name, said }: Refusal,
  headers: ResendAnswer['headers'],
  count: number,
  now: number,
): Outcome {
  if (status === 401 || name === 'invalid_api_key')
    return {
      kind: 'hold',
      afterMs: HOLD_CONFIGURATION_MS,
      error: `${said}. Check RESEND_API_KEY: npx wrangler secret put RESEND_API_KEY`,
    }
  if (status === 429) {
    const afterMs = waitMs(headers, now) ?? (isQuota(name) ? HOLD_QUOTA_MS : null)
    return { kind: 'hold', afterMs, error: said }
  }
  if (status === 409 && name === 'invalid_idempotent_request')
    return {
      kind: 'unknown',
      error: `${said}. An earlier attempt was accepted with other content: look in Resend whether it went out.`,
    }
  const afterMs = waitMs(headers, now)
  if (status === 408 || status === 409 || status === 425)
    return { kind: 'retry', inDoubt: true, down: false, afterMs, error: said }
  if (status === null || status < 400 || status >= 500)
    return { kind: 'retry', inDoubt: true, down: true, afterMs, error: said }
  const error = `${said}.${status === 403 ? DOMAIN : ADVICE}`
  return { kind: count > 1 ? 'apart' : 'refused', error }
}

const ADVICE = ' Resend does not take this mail as it is: check the address and MAIL_FROM.'
const DOMAIN = ' Check that the domain of MAIL_FROM is verified at Resend.'

const UNREADABLE: Outcome = {
  kind: 'retry',
  inDoubt: true,
  down: true,
  afterMs: null,
  error: 'Resend answered with success and without an id, so it is not known what it did.',
}

/** A proxy on the way may answer in its own words, without a status in them. */
function readError(error: unknown): Refusal {
  const { statusCode, name, message } = (typeof error === 'object' ? error : {}) as {
    [key: string]: unknown
  }
  const status = typeof statusCode === 'number' ? statusCode : null
  const code = typeof name === 'string' ? name : 'unreadable'
  const words = typeof message === 'string' ? `: ${message}` : ''
  return { status, name: code, said: `${status ?? 'no answer'} ${code}${words}` }
}

function readRefusals(errors: unknown): [number, string][] {
  if (!Array.isArray(errors)) return []
  return errors.flatMap((each: { index?: unknown; message?: unknown } | null) =>
    typeof each?.index === 'number' ? [[each.index, String(each.message ?? 'refused')]] : [],
  )
}

function idOf(data: unknown): string | null {
  const id = (data as { id?: unknown } | null)?.id
  return typeof id === 'string' && id !== '' ? id : null
}

function isQuota(name: string): boolean {
  return name === 'daily_quota_exceeded' || name === 'monthly_quota_exceeded'
}

/** `retry-after` in seconds or as a date, else the time until the limit is reset. */
function waitMs(headers: ResendAnswer['headers'], now: number): number | null {
  const after = headers?.['retry-after']
  if (after !== undefined) {
    const ms = /^\d+(\.\d+)?$/.test(after) ? Number(after) * 1_000 : Date.parse(after) - now
    if (ms >= 0) return ms
  }
  const reset = headers?.['ratelimit-reset']
  return reset !== undefined && /^\d+$/.test(reset) ? Number(reset) * 1_000 : null
}
