import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { limitedBody } from '../doors/strict-body.ts'
import type { Env } from '../env.ts'
import { isAddress, sameMailbox } from '../mail/recipients.ts'
import { isStorable } from './opaque.ts'
import { formatPageCursor, parsePageCursor } from './page-cursor.ts'
import { pageLimit } from './page-limit.ts'
import { defaultHook, problem, problemResponses } from './problem.ts'
import { note } from './writing.ts'

/**
 * Who gets no mail, and why. The list is the mailer's, which looks at it before each attempt: so
 * what is put here holds for mails that are queued already, and what is taken away can be
 * redriven.
 *
 * Putting one there names no version, for it overwrites nothing that anybody has said: only a
 * stronger reason replaces a weaker one (suppressions.ts).
 */
export const mailSuppressions = new OpenAPIHono<{ Bindings: Env }>({ defaultHook })

const tags = ['Mail']
const LIST = 'suppressions'
/** The longest address there is, RFC 5321. */
const MAILBOX_MAX = 254

const suppression = z
  .object({
    mailbox: z.string().openapi({ example: 'ada@example.com' }),
    reason: z.enum(['bounced', 'complained', 'unsubscribed', 'by_hand']).openapi({
      description: '`unsubscribed` holds for mails to customers only, the others for all.',
    }),
    since: z.iso.datetime(),
    detail: z.string().nullable().openapi({ description: 'The provider’s words, or a person’s.' }),
  })
  .openapi('MailSuppression')

const list = createRoute({
  method: 'get',
  path: '/api/mail-suppressions',
  tags,
  summary: 'List who gets no mail, newest first',
  request: {
    query: z.strictObject({
      search: z
        .string({ error: 'must be given once' })
        .max(MAILBOX_MAX, `must be at most ${MAILBOX_MAX} characters`)
        .optional()
        .openapi({ description: 'A part of the address, in any case.', example: 'ada' }),
      limit: pageLimit,
      cursor: z
        .string({ error: 'must be given once' })
        .optional()
        .openapi({ description: 'next_cursor of the page before.' }),
    }),
  },
  responses: {
    200: {
      description: 'A page.',
      content: {
        'application/json': {
          schema: z.object({
            suppressions: z.array(suppression),
            next_cursor: z.string().nullable().openapi({ description: 'null on the last page.' }),
          }),
        },
      },
    },
    ...problemResponses('invalid_query', 'invalid_cursor'),
  },
})

mailSuppressions.openapi(list, async (c) => {
  const { search, limit, cursor } = c.req.valid('query')
  const start = await parsePageCursor(c.env, LIST, cursor)
  if (!start.ok) return problem(c, 'invalid_cursor', { detail: start.detail })
  const sought = sameMailbox(search ?? '') || null
  const { suppressions, next } = await mailer(c.env).suppressions(limit, start.before, sought)
  return c.json({ suppressions, next_cursor: await formatPageCursor(c.env, LIST, next) }, 200)
})

const onePath = '/api/mail-suppressions/{mailbox}'
const mailboxParam = z.object({
  mailbox: z.string().openapi({
    param: { name: 'mailbox', in: 'path' },
    description: 'Its address; case makes no difference.',
    example: 'ada@example.com',
  }),
})

const put = createRoute({
  method: 'put',
  path: onePath,
  tags,
  summary: 'Send a mailbox no more mails',
  middleware: [limitedBody],
  request: {
    params: mailboxParam,
    body: {
      required: false,
      content: {
        'application/json': {
          schema: z
            .strictObject({
              detail: z
                .string({ error: 'must be text, or null for none' })
                .trim()
                .max(500, 'must be at most 500 characters')
                .nullable()
                .default(null)
                .openapi({ description: 'Why, for people.', example: 'asked us by telephone' }),
            })
            .openapi('NewMailSuppression'),
        },
      },
    },
  },
  responses: {
    200: {
      description: 'It gets none from now on.',
      content: { 'application/json': { schema: suppression } },
    },
    ...problemResponses(
      'invalid_mailbox',
      'invalid_body',
      'body_too_large',
      'unsupported_media_type',
      'database_unavailable',
    ),
  },
})

mailSuppressions.openapi(put, async (c) => {
  const mailbox = sameMailbox(c.req.valid('param').mailbox)
  if (!isAddress(mailbox)) return notOne(c)
  const detail = c.req.valid('json').detail?.toWellFormed() || null
  await note(c, {
    action: 'suppress',
    table: 'mail_suppressions',
    key: mailbox,
    changed: { detail },
  })
  return c.json(await mailer(c.env).suppress(mailbox, detail), 200)
})

const remove = createRoute({
  method: 'delete',
  path: onePath,
  tags,
  summary: 'Let a mailbox have mails again',
  description: 'What was suppressed meanwhile is not sent by that: redrive it.',
  request: { params: mailboxParam },
  responses: {
    204: { description: 'It may have mails again.' },
    ...problemResponses('invalid_mailbox', 'not_found', 'database_unavailable'),
  },
})

mailSuppressions.openapi(remove, async (c) => {
  const mailbox = sameMailbox(c.req.valid('param').mailbox)
  // Not the rule for putting one there: whatever is on the list can be taken off it.
  if (mailbox === '' || !isStorable(mailbox)) return notOne(c)
  await note(c, { action: 'unsuppress', table: 'mail_suppressions', key: mailbox })
  return (await mailer(c.env).unsuppress(mailbox))
    ? c.body(null, 204)
    : problem(c, 'not_found', {
        detail:
          'That mailbox is not on the list. GET /api/mail-suppressions?search=… finds those that are.',
      })
})

function notOne(c: Context) {
  return problem(c, 'invalid_mailbox', {
    detail: `Give one address, such as ada@example.com, of at most ${MAILBOX_MAX} characters.`,
  })
}

function mailer(env: Env) {
  return env.MAILER.getByName('main')
}
