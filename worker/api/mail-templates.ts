import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { sql } from 'drizzle-orm'
import { operations, type Row } from '../../protocol/change.ts'
import { quoteInexactNumbers } from '../../protocol/exact-numbers.ts'
import { letter } from '../mail/letter.ts'
import { templateNamed, templates } from '../mail/templates/all.ts'
import type { Kept, Template } from '../mail/templates/template.ts'
import { type DatabaseEnv, database } from './database.ts'
import { defaultHook, problem, problemResponses } from './problem.ts'

/** The kinds of mail there are, and how each looks. Nothing is sent from here. */
export const mailTemplates = new OpenAPIHono<{ Bindings: DatabaseEnv }>({ defaultHook })

const tags = ['Mail']

/** Leads nowhere: no mailbox's own link is shown to others. */
const SAMPLE_UNSUBSCRIBE_URL = 'https://example.com/unsubscribe'

const report = z
  .object({
    name: z.string().openapi({ example: 'order-filled' }),
    description: z.string(),
    tables: z
      .array(z.string())
      .nullable()
      .openapi({ description: 'Those a rule may use it for; null: any.', example: ['orders'] }),
    ops: z.array(z.enum(operations)).openapi({ description: 'Empty: not for rules.' }),
  })
  .openapi('MailTemplate')

mailTemplates.openapi(
  createRoute({
    method: 'get',
    path: '/api/mail-templates',
    tags,
    summary: 'List the templates of mails',
    responses: {
      200: {
        description: 'All.',
        content: { 'application/json': { schema: z.object({ templates: z.array(report) }) } },
      },
      ...problemResponses(),
    },
  }),
  (c) => {
    const all = templates.map(({ name, description, rules }) => ({
      name,
      description,
      tables: rules === null ? [] : rules.tables === null ? null : [...rules.tables],
      ops: [...(rules?.ops ?? [])],
    }))
    return c.json({ templates: all }, 200)
  },
)

const ORDER_RULE = `must be a whole number from 1 to ${Number.MAX_SAFE_INTEGER}`

const preview = createRoute({
  method: 'get',
  path: '/api/mail-templates/{name}/preview',
  tags,
  summary: 'See a template as a mail',
  description: 'With sample data, or with an order as it is now.',
  request: {
    params: z.object({
      name: z.string().openapi({ param: { name: 'name', in: 'path' }, example: 'order-filled' }),
    }),
    query: z.strictObject({
      order: z
        .string({ error: 'must be given once' })
        .regex(/^[1-9]\d{0,15}$/, ORDER_RULE)
        .transform(Number)
        .refine(Number.isSafeInteger, ORDER_RULE)
        .optional()
        .openapi({ type: 'integer', minimum: 1, description: 'Its id.', example: 42 }),
      audience: z
        .enum(['staff', 'customer'], { error: 'must be staff or customer' })
        .default('customer')
        .openapi({ description: 'Customers can unsubscribe.' }),
    }),
  },
  responses: {
    200: {
      description: 'The mail.',
      content: {
        'application/json': {
          schema: z
            .object({ subject: z.string(), html: z.string(), text: z.string() })
            .openapi('Letter'),
        },
      },
    },
    ...problemResponses('invalid_query', 'not_found', 'database_unavailable'),
  },
})

mailTemplates.openapi(preview, async (c) => {
  const { name } = c.req.valid('param')
  const { order, audience } = c.req.valid('query')
  const template = templateNamed(name)
  if (!template)
    return problem(c, 'not_found', {
      detail: `There is no template of this name; there are ${templates.map((each) => each.name).join(', ')}.`,
    })
  const data = order === undefined ? sampleOf(template) : await ofOrder(c.env, template, order)
  if (data === null) return problem(c, 'not_found', { detail: `There is no order ${order}.` })
  if (!data.ok) return problem(c, 'invalid_query', { detail: `order: ${data.why}` })
  const isToCustomer = template.rules !== null && audience === 'customer'
  const content = template.content(data.data, isToCustomer ? 'customer' : 'staff')
  return c.json(letter(content, isToCustomer ? SAMPLE_UNSUBSCRIBE_URL : null), 200)
})

function sampleOf({ sample }: Template): Kept {
  return { ok: true, data: sample }
}

/** As if the order had just been inserted. @returns null if there is none */
async function ofOrder(
  env: DatabaseEnv,
  { name, rules }: Template,
  id: number,
): Promise<Kept | null> {
  if (rules?.tables !== null && !rules?.tables.includes('orders'))
    return { ok: false, why: `${name} does not tell of orders; leave it out` }
  const { rows } = await database(env).execute<{ row: string }>(
    sql`SELECT to_json(o)::text AS row FROM orders o WHERE o.id = ${id}`,
  )
  const text = rows[0]?.row
  if (text === undefined) return null
  const row: Row = JSON.parse(quoteInexactNumbers(text))
  return rules.keep({
    ...{ id: crypto.randomUUID(), table: 'orders', op: 'insert', key: { id } },
    ...{ new: row, old: null, at: String(row.updated_at) },
  })
}
