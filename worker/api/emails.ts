import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { DeliveryState } from '../../protocol/delivery-states.ts'
import type { Served } from '../doors/served.ts'
import { PRINCIPAL_HEADER, writePrincipal } from '../doors/session.ts'
import { limitedBody } from '../doors/strict-body.ts'
import type { Env } from '../env.ts'
import { type Letter, renderMail } from '../mail/letter.ts'
import {
  emailId,
  emailPage,
  emailQuery,
  emailStory,
  filterOf,
  redriveOrder,
  sayEmail,
} from './email-schemas.ts'
import { formatPageCursor, parsePageCursor } from './page-cursor.ts'
import { defaultHook, problem, problemResponses } from './problem.ts'
import { isUpgrade } from './refusal.ts'
import { note } from './writing.ts'

/**
 * The mails that changes owed, for the people who look after them. The mailer's ledger is
 * authoritative: what may be redriven or cancelled it decides, at the moment it is asked.
 */
export const emails = new OpenAPIHono<Served>({ defaultHook })

const tags = ['Mail']
const LIST = 'emails'

const list = createRoute({
  method: 'get',
  path: '/api/emails',
  tags,
  summary: 'List mails, newest first',
  request: { query: emailQuery },
  responses: {
    200: { description: 'A page.', content: { 'application/json': { schema: emailPage } } },
    ...problemResponses('invalid_query', 'invalid_cursor'),
  },
})

emails.openapi(list, async (c) => {
  const { limit, cursor, ...asked } = c.req.valid('query')
  const start = await parsePageCursor(c.env, LIST, cursor)
  if (!start.ok) return problem(c, 'invalid_cursor', { detail: start.detail })
  const [page, counts] = await Promise.all([
    mailer(c.env).list(filterOf(asked), limit, start.before),
    mailer(c.env).counts(),
  ])
  const next_cursor = await formatPageCursor(c.env, LIST, page.next)
  return c.json({ emails: page.deliveries.map(sayEmail), next_cursor, counts }, 200)
})

emails.openAPIRegistry.registerPath({
  method: 'get',
  path: '/api/emails/live',
  tags,
  summary: 'Be told when mails move, over WebSocket',
  description:
    'At once, and after whatever moved, at most four times a second: `{"type":"moved","counts":{"queued":0,…}}`. What moved, the list says.',
  responses: {
    101: { description: 'The socket opens.' },
    ...problemResponses('upgrade_required'),
  },
})
emails.get('/api/emails/live', async (c) =>
  isUpgrade(c.req.raw)
    ? mailer(c.env).fetch(new Request('https://mailer/live', { headers: liveHeaders(c) }))
    : problem(c, 'upgrade_required', { headers: { upgrade: 'websocket' } }),
)

const one = createRoute({
  method: 'get',
  path: '/api/emails/{id}',
  tags,
  summary: 'Read one mail: its whole history, and its letter',
  request: { params: emailId },
  responses: {
    200: { description: 'The mail.', content: { 'application/json': { schema: emailStory } } },
    ...problemResponses('invalid_id', 'not_found'),
  },
})

emails.openapi(one, async (c) => {
  const { id } = c.req.valid('param')
  const story = await mailer(c.env).story(id)
  if (!story) return missing(c, id)
  const { history, body } = story
  return c.json({ ...sayEmail(story), history, letter: letterOf(body) }, 200)
})

const redriveOne = createRoute({
  method: 'post',
  path: '/api/emails/{id}/redrive',
  tags,
  summary: 'Try one again',
  description:
    'One that is parked, unknown, suppressed, cancelled or bounced. What may have gone out is repeated under the same idempotency key for as long as Resend remembers it; after that it is a new mail.',
  request: { params: emailId },
  responses: {
    200: {
      description: 'It is queued.',
      content: { 'application/json': { schema: z.object({ redriven: z.int() }) } },
    },
    ...problemResponses('invalid_id', 'not_found', 'wrong_state', 'database_unavailable'),
  },
})

emails.openapi(redriveOne, async (c) => {
  const { id } = c.req.valid('param')
  await note(c, { action: 'redrive', table: 'mails', key: id })
  const redriven = await mailer(c.env).redrive({ id })
  if (redriven > 0) return c.json({ redriven }, 200)
  const story = await mailer(c.env).story(id)
  return story
    ? problem(c, 'wrong_state', { detail: notRedriven(id, story.state) })
    : missing(c, id)
})

const redriveMany = createRoute({
  method: 'post',
  path: '/api/emails/redrive',
  tags,
  summary: 'Try all again that a filter names, or count them',
  description:
    'Of what the filter names only that is tried again which one redrive would: parked, unknown, suppressed, cancelled, bounced. Count with `dry_run` first. An empty filter is taken with `"all": true` only.',
  middleware: [limitedBody],
  request: {
    body: { required: true, content: { 'application/json': { schema: redriveOrder } } },
  },
  responses: {
    200: {
      description: 'How many would be, or are, queued.',
      content: {
        'application/json': {
          schema: z.union([z.object({ matching: z.int() }), z.object({ redriven: z.int() })]),
        },
      },
    },
    ...problemResponses(
      'invalid_body',
      'body_too_large',
      'unsupported_media_type',
      'database_unavailable',
    ),
  },
})

emails.openapi(redriveMany, async (c) => {
  const { filter, dry_run } = c.req.valid('json')
  const wanted = filterOf(filter)
  if (dry_run) return c.json({ matching: await mailer(c.env).countRedrivable(wanted) }, 200)
  await note(c, { action: 'redrive', table: 'mails', key: 'many', changed: { filter } })
  return c.json({ redriven: await mailer(c.env).redrive(wanted) }, 200)
})

const cancel = createRoute({
  method: 'post',
  path: '/api/emails/{id}/cancel',
  tags,
  summary: 'Cancel one, while nothing of it may be on its way',
  request: { params: emailId },
  responses: {
    200: {
      description: 'It will not be sent.',
      content: { 'application/json': { schema: z.object({ cancelled: z.literal(true) }) } },
    },
    ...problemResponses('invalid_id', 'not_found', 'wrong_state', 'database_unavailable'),
  },
})

emails.openapi(cancel, async (c) => {
  const { id } = c.req.valid('param')
  await note(c, { action: 'cancel', table: 'mails', key: id })
  const outcome = await mailer(c.env).cancel(id)
  if (outcome === 'cancelled') return c.json({ cancelled: true as const }, 200)
  const story = outcome === 'missing' ? null : await mailer(c.env).story(id)
  return story
    ? problem(c, 'wrong_state', { detail: notCancelled(id, story.state) })
    : missing(c, id)
})

/** null once its body cannot be read any more, by a template that was changed since. */
function letterOf(body: string): Letter | null {
  try {
    return renderMail(body, { unsubscribeUrl: null })
  } catch {
    return null
  }
}

function notRedriven(id: number, state: DeliveryState): string {
  switch (state) {
    case 'queued':
    case 'sending':
    case 'failed':
      return `Mail ${id} is ${state}: it is tried by itself, and GET /api/emails/${id} says when.`
    case 'sent':
    case 'delivered':
    case 'complained':
      return `Mail ${id} is ${state}: Resend has taken it, and there is nothing to try again.`
    default:
      return `Mail ${id} went in one request with others that may still be on their way. Try again once those are settled, a day later at most.`
  }
}

function notCancelled(id: number, state: DeliveryState): string {
  switch (state) {
    case 'queued':
    case 'sending':
    case 'failed':
      return `Mail ${id} may be on its way already. Look again in a minute: GET /api/emails/${id} says what came of it.`
    case 'parked':
    case 'unknown':
    case 'suppressed':
    case 'cancelled':
      return `Mail ${id} is ${state}, and is not tried unless somebody redrives it: there is nothing to cancel.`
    default:
      return `Mail ${id} is ${state}: Resend has taken it, and it cannot be called back. Write to its recipient if it was wrong.`
  }
}

function missing(c: Context, id: number) {
  return problem(c, 'not_found', {
    detail: `There is no mail ${id}. What there is, GET /api/emails lists.`,
  })
}

function liveHeaders(c: Context<Served>) {
  return { upgrade: 'websocket', [PRINCIPAL_HEADER]: writePrincipal(c.var.principal) }
}

function mailer(env: Env) {
  return env.MAILER.getByName('main')
}
