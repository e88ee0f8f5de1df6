import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { arrivingBody } from '../doors/arriving-body.ts'
import type { Env } from '../env.ts'
import { countRefusal } from './refusal-count.ts'
import { type Page, unsubscribePage } from './unsubscribe-page.ts'

/**
 * The door that every mail to a customer names in List-Unsubscribe (RFC 8058). Whoever has the
 * token may shut out one mailbox, and nothing else; it tells no more of it than two letters.
 *
 * Must hold: a GET changes nothing, because scanners of mail open every link; one POST is enough,
 * from a mail program without cookies as well as from the page, and is answered without a redirect.
 */
export const unsubscribe = new OpenAPIHono<{ Bindings: Env }>()

const path = '/api/unsubscribe/{token}'
const tags = ['Mail']
/** 128 bits in base64url. What cannot be one wakes no object. */
const TOKEN = /^[\w-]{22}$/
/** `List-Unsubscribe=One-Click`, as a form or as a part of a multipart one. */
const MAX_BYTES = 4_096

const request = {
  params: z.object({
    token: z.string().openapi({
      param: { name: 'token', in: 'path' },
      description: 'As the mail has it.',
      example: 'q2V0Zr8mC1f5p7d9s3kXbA',
    }),
  }),
}

function answers(descriptions: { [status: number]: string }) {
  return Object.fromEntries(
    Object.entries(descriptions).map(([status, description]) => [
      status,
      { description, content: { 'text/html': { schema: z.string() } } },
    ]),
  )
}

unsubscribe.openAPIRegistry.registerPath(
  createRoute({
    method: 'get',
    path,
    tags,
    summary: 'Ask whether to unsubscribe',
    description: 'A page with a button. Changes nothing.',
    request,
    responses: answers({ 200: 'The page.', 404: 'No mail carries this token.' }),
  }),
)
unsubscribe.get('/api/unsubscribe/:token', async (c) => {
  const token = c.req.param('token')
  const mailbox = TOKEN.test(token) ? await mailer(c.env).mailboxOf(token) : null
  return mailbox === null ? unknown(c) : answer(c, 200, { kind: 'question', mailbox })
})

unsubscribe.openAPIRegistry.registerPath(
  createRoute({
    method: 'post',
    path,
    tags,
    summary: 'Unsubscribe, with one click',
    description: 'RFC 8058. As often as it is said, it is the same.',
    request: {
      ...request,
      body: {
        content: {
          'application/x-www-form-urlencoded': {
            schema: z.object({ 'List-Unsubscribe': z.literal('One-Click') }),
          },
        },
      },
    },
    responses: answers({
      200: 'It is done.',
      400: 'The form is not this one; nothing was changed.',
      404: 'No mail carries this token.',
    }),
  }),
)
unsubscribe.post('/api/unsubscribe/:token', async (c) => {
  const token = c.req.param('token')
  const mailbox = TOKEN.test(token) ? await mailer(c.env).mailboxOf(token) : null
  if (mailbox === null) return unknown(c)
  if (!(await isOneClick(c.req.raw))) {
    countRefusal(c, 'http', 'invalid_body')
    return answer(c, 400, { kind: 'unread', mailbox })
  }
  return (await mailer(c.env).unsubscribe(token)) === 'missing'
    ? unknown(c)
    : answer(c, 200, { kind: 'done', mailbox })
})

async function isOneClick(request: Request): Promise<boolean> {
  const body = await arrivingBody(request, MAX_BYTES)
  if (body.kind !== 'whole') return false
  const headers = { 'content-type': request.headers.get('content-type') ?? '' }
  try {
    const form = await new Response(body.bytes, { headers }).formData()
    return form.get('List-Unsubscribe') === 'One-Click'
  } catch {
    return false
  }
}

function unknown(c: Context<{ Bindings: Env }>): Response {
  countRefusal(c, 'http', 'not_found')
  return answer(c, 404, { kind: 'unknown' })
}

function answer(c: Context, status: 200 | 400 | 404, page: Page): Response {
  const nonce = crypto.randomUUID()
  return c.body(unsubscribePage(page, nonce), status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `default-src 'none'; style-src 'nonce-${nonce}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
    'cache-control': 'no-store',
    // The address is the token.
    'referrer-policy': 'no-referrer',
    'x-robots-tag': 'noindex',
    'x-content-type-options': 'nosniff',
  })
}

function mailer(env: Env) {
  return env.MAILER.getByName('main')
}
