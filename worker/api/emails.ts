import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Env } from '../env.ts'
import { mailStates } from '../mail/ledger.ts'
import { pageLimit } from './page-limit.ts'
import { defaultHook, problemResponses } from './problem.ts'

/** The mails that changes owed, for the people who look after them. */
export const emails = new OpenAPIHono<{ Bindings: Env }>({ defaultHook })

const time = z.iso.datetime().openapi({ example: '2026-11-21T08:33:55.123Z' })

const email = z
  .object({
    change: z.uuid().openapi({ description: 'The change that owes it.' }),
    recipient: z.string().openapi({ example: 'ada@example.com' }),
    order_id: z.union([z.int(), z.string()]).openapi({ example: 42 }),
    state: z.enum(mailStates),
    attempts: z.int().openapi({ example: 1 }),
    next_at: time.nullable().openapi({ description: 'When it is tried next, while it is queued.' }),
    last_error: z.string().nullable().openapi({ example: null }),
    provider_id: z.string().nullable().openapi({ description: 'Its id at Resend.' }),
    created_at: time,
    sent_at: time.nullable(),
  })
  .openapi('Email')

const list = createRoute({
  method: 'get',
  path: '/api/emails',
  tags: ['Mail'],
  summary: 'List mails, newest first',
  request: {
    query: z.strictObject({
      state: z
        .enum(mailStates, { error: `must be one of ${mailStates.join(', ')}` })
        .optional()
        .openapi({ description: 'Only those in this state.' }),
      limit: pageLimit,
    }),
  },
  responses: {
    200: {
      description: 'The mails.',
      content: { 'application/json': { schema: z.object({ emails: z.array(email) }) } },
    },
    ...problemResponses('invalid_query'),
  },
})

emails.openapi(list, async (c) => {
  const { state, limit } = c.req.valid('query')
  const found = await c.env.MAILER.getByName('main').list({ limit, ...(state && { state }) })
  return c.json({ emails: found }, 200)
})
