import { createHash, randomUUID } from 'node:crypto'
import type { LocalRequest, Reply } from './local-http.ts'
import type { Mail, MailStore } from './mail-store.ts'
import {
  type EmailRequest,
  isError,
  parseBatch,
  parseEmail,
  type ResendError,
} from './resend-request.ts'

/**
 * The part of Resend's API that sends, with its refusals: what works here works there. Mails go to
 * the store instead of into the world.
 */
export type Resend = (request: LocalRequest) => Reply | null

const requestsASecond = 10
const maxKeyLength = 256

/** @returns answers a request of Resend's API, or null if it is not one */
export function resendApi(store: MailStore): Resend {
  let second = 0
  let used = 0

  return (request) => {
    const { pathname } = request.url
    if (pathname !== '/emails' && !pathname.startsWith('/emails/')) return null
    const now = Math.floor(Date.now() / 1_000)
    used = now === second ? used + 1 : 1
    second = now
    const answer = replyTo(store, request)
    return {
      ...answer,
      headers: {
        'ratelimit-limit': String(requestsASecond),
        'ratelimit-remaining': String(Math.max(0, requestsASecond - used)),
        'ratelimit-reset': '1',
      },
    }
  }
}

function replyTo(store: MailStore, request: LocalRequest): Reply {
  const { method, headers, url } = request
  const authorization = headers.authorization
  if (!authorization)
    return refusal(401, 'missing_api_key', 'Missing API key in the authorization header.')
  if (!/^Bearer re_\S+$/.test(authorization))
    return refusal(401, 'invalid_api_key', 'API key is invalid. A key begins with `re_`.')

  if (method === 'POST' && url.pathname === '/emails')
    return send(store, request, parseEmail, ([id]) => ({ id }))
  if (method === 'POST' && url.pathname === '/emails/batch')
    return send(store, request, parseBatch, (ids) => ({ data: ids.map((id) => ({ id })) }))
  if (method === 'GET') return retrieve(store, url.pathname.slice('/emails/'.length))
  return refusal(405, 'method_not_allowed', 'This endpoint takes POST, or GET with an id.')
}

function send(
  store: MailStore,
  { body, headers }: LocalRequest,
  parse: (body: unknown) => EmailRequest | EmailRequest[] | ResendError,
  bodyOf: (ids: string[]) => unknown,
): Reply {
  const key = headers['idempotency-key'] ?? null
  if (key !== null && (key.length < 1 || key.length > maxKeyLength))
    return refusal(400, 'invalid_idempotency_key', 'The key must be between 1-256 chars.')

  const digest = createHash('sha256').update(body).digest('base64url')
  const earlier = key === null ? undefined : store.sendingOf(key)
  if (earlier && earlier.digest !== digest)
    return refusal(
      409,
      'invalid_idempotent_request',
      'Same idempotency key used with a different request payload.',
    )
  if (earlier) return { status: 200, body: bodyOf(earlier.ids) }

  const parsed = parse(readJson(body))
  if (isError(parsed)) return refusal(parsed.statusCode, parsed.name, parsed.message)
  const mails = [parsed].flat().map((email) => mailOf(email, key))
  store.add(mails, key === null ? null : digest)
  return { status: 200, body: bodyOf(mails.map(({ id }) => id)) }
}

function retrieve(store: MailStore, id: string): Reply {
  const mail = store.get(id)
  if (!mail) return refusal(404, 'not_found', 'Email not found')
  const { at, idempotency_key: _, ...fields } = mail
  return {
    status: 200,
    body: { object: 'email', ...fields, created_at: at, last_event: 'delivered' },
  }
}

function mailOf(email: EmailRequest, key: string | null): Mail {
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
    idempotency_key: key,
    at: new Date().toISOString(),
  }
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
