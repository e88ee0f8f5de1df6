import { createHash, randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LocalRequest, Reply } from './local-http.ts'
import { fateOf } from './mail-fate.ts'
import type { Mail, MailStore } from './mail-store.ts'
import { rateLimit, startOfDay } from './resend-limits.ts'
import {
  type EmailRequest,
  isError,
  parseBatch,
  parseEmail,
  type ResendError,
} from './resend-request.ts'
import type { Switchboard, Switches } from './switches.ts'

/**
 * The part of Resend's API that sends, with its refusals: what works here works there. Mails go to
 * the store instead of into the world.
 *
 * Must hold, as it does there: one idempotency key sends once in 24 hours and gets one answer,
 * whether or not that answer arrived; another request under it is refused, and so is the same one
 * while the first is being worked on. Nothing else keeps a mail from being taken once the request
 * is here: who hangs up does not take it back.
 */
type Answered = Reply | 'streaming'

const MAX_KEY_LENGTH = 256

/** @returns answers a request of Resend's API, or null if it is not one */
export function resendApi(
  store: MailStore,
  switchboard: Switchboard,
  now: () => number,
): (request: LocalRequest, response: ServerResponse) => Promise<Answered> | null {
  const limit = rateLimit()
  const underWay = new Set<string>()

  return (request, response) => {
    const { pathname } = request.url
    if (pathname !== '/emails' && !pathname.startsWith('/emails/')) return null
    return answer(request, response)
  }

  async function answer(request: LocalRequest, response: ServerResponse): Promise<Answered> {
    const switches = switchboard.current
    if (switches.provider === 'down') {
      response.socket?.resetAndDestroy()
      return 'streaming'
    }
    const { allowed, headers } = limit.count(switches)
    const reply = allowed ? await replyTo(request, switches) : tooMany(headers['ratelimit-limit'])
    return reply === 'streaming' ? reply : { ...reply, headers }
  }

  async function replyTo(request: LocalRequest, switches: Switches): Promise<Answered> {
    if (switches.provider === 'failing')
      return refusal(500, 'internal_server_error', 'An unexpected error occurred.')
    const { method, headers, url } = request
    const { authorization } = headers
    if (!authorization)
      return refusal(401, 'missing_api_key', 'Missing API key in the authorization header.')
    // Resend's own list of errors says 403 `invalid_api_key`; this is what it answers.
    if (!/^Bearer re_\S+$/.test(authorization))
      return refusal(401, 'validation_error', 'API key is invalid')

    if (method === 'POST' && url.pathname === '/emails') {
      return send(request, switches, (body) => {
        const email = parseEmail(body, switches.refuse)
        return isError(email) ? email : { emails: [email], bodyOf: ([id]) => ({ id }) }
      })
    }
    if (method === 'POST' && url.pathname === '/emails/batch') {
      const permissive = headers['x-batch-validation'] === 'permissive'
      return send(request, switches, (body) => {
        const batch = parseBatch(body, permissive, switches.refuse)
        if (isError(batch)) return batch
        const { emails, errors } = batch
        const rest = permissive ? { errors } : {}
        return { emails, bodyOf: (ids) => ({ data: ids.map((id) => ({ id })), ...rest }) }
      })
    }
    if (method === 'GET') return retrieve(store, url.pathname.slice('/emails/'.length), now())
    return refusal(405, 'method_not_allowed', 'This endpoint takes POST, or GET with an id.')
  }

  async function send(
    { body, headers }: LocalRequest,
    switches: Switches,
    parse: (body: unknown) => Parsed | ResendError,
  ): Promise<Answered> {
    const key = headers['idempotency-key'] ?? null
    if (key !== null && (key.length < 1 || key.length > MAX_KEY_LENGTH))
      return refusal(400, 'invalid_idempotency_key', 'The key must be between 1-256 chars.')
    if (key !== null && underWay.has(key))
      return refusal(
        409,
        'concurrent_idempotent_requests',
        'Same idempotency key used while original request is still in progress.',
      )
    const digest = createHash('sha256').update(body).digest('base64url')
    const earlier = key === null ? undefined : store.sendingOf(key)
    if (earlier && earlier.digest !== digest)
      return refusal(
        409,
        'invalid_idempotent_request',
        'Same idempotency key used with a different request payload.',
      )
    const parsed = parse(readJson(body))
    if (isError(parsed)) return refusal(parsed.statusCode, parsed.name, parsed.message)

    let ids = earlier?.ids
    if (!ids) {
      const { daily_quota: quota } = switches
      if (quota !== null && store.countSince(startOfDay(now())) + parsed.emails.length > quota)
        return refusal(
          429,
          'daily_quota_exceeded',
          'You have reached your daily email sending quota.',
        )
      if (switches.provider === 'slow') await atOneRequestOf(key, switches.slow_ms)
      const mails = parsed.emails.map((email) => mailOf(email, key, switches.bounce, now()))
      store.add(mails, key === null ? null : { key, digest })
      ids = mails.map(({ id }) => id)
    }
    if (switches.provider === 'accept-then-hang') return 'streaming'
    return { status: 200, body: parsed.bodyOf(ids) }
  }

  async function atOneRequestOf(key: string | null, ms: number): Promise<void> {
    if (key !== null) underWay.add(key)
    try {
      await sleep(ms, undefined, { ref: false })
    } finally {
      if (key !== null) underWay.delete(key)
    }
  }
}

type Parsed = { emails: EmailRequest[]; bodyOf: (ids: string[]) => unknown }

function retrieve(store: MailStore, id: string, now: number): Reply {
  const mail = store.get(id)
  if (!mail) return refusal(404, 'not_found', 'Email not found')
  const { at, idempotency_key: _1, events, headers: _2, ...fields } = mail
  const last = events.findLast((event) => Date.parse(event.at) <= now)
  return {
    status: 200,
    body: {
      object: 'email',
      ...fields,
      created_at: at,
      scheduled_at: null,
      last_event: last?.type.slice('email.'.length) ?? 'queued',
    },
  }
}

function mailOf(
  email: EmailRequest,
  key: string | null,
  bounce: readonly string[],
  now: number,
): Mail {
  const recipients = [...email.to, ...(email.cc ?? []), ...(email.bcc ?? [])]
  return {
    id: randomUUID(),
    from: email.from,
    to: email.to,
    cc: email.cc ?? [],
    bcc: email.bcc ?? [],
    reply_to: email.reply_to ?? [],
    subject: email.subject,
    html: email.html ?? null,
    text: email.text ?? null,
    tags: email.tags ?? [],
    headers: email.headers ?? {},
    idempotency_key: key,
    at: new Date(now).toISOString(),
    events: fateOf(recipients, bounce).map(({ type, afterMs }) => ({
      id: `msg_${randomUUID().replaceAll('-', '')}`,
      type,
      at: new Date(now + afterMs).toISOString(),
      told_at: null,
    })),
  }
}

function tooMany(limit: string | undefined): Reply {
  return refusal(
    429,
    'rate_limit_exceeded',
    `Too many requests. You can only make ${limit} requests per second. See rate limit response headers for more information. Or contact support to increase rate limit.`,
  )
}

function refusal(statusCode: number, name: string, message: string): Reply {
  return { status: statusCode, body: { statusCode, name, message } }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
