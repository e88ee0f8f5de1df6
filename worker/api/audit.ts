import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { listAudit } from './audit-store.ts'
import { type DatabaseEnv, database } from './database.ts'
import { givenText } from './delivery-filter.ts'
import { type CursorSecrets, isStorable } from './opaque.ts'
import { formatPageCursor, parsePageCursor } from './page-cursor.ts'
import { pageLimit } from './page-limit.ts'
import { defaultHook, problem, problemResponses } from './problem.ts'

/**
 * Who changed what over the API (P104), for admins. Postgres is authoritative: triggers write it in
 * the transaction that changes the row (migration 0009), and nothing here writes any of it. What SQL
 * changes is not in it.
 */
export const audit = new OpenAPIHono<{ Bindings: DatabaseEnv & CursorSecrets }>({ defaultHook })

const LIST = 'audit'
const UNSTORABLE = 'must hold neither NUL nor half a surrogate pair'

export const auditEntry = z
  .object({
    id: z.int().openapi({ description: 'Grows with time.', example: 1_207 }),
    at: z.string().openapi({ format: 'date-time' }),
    request: z.string().openapi({
      description: 'The request’s id, as its answer had it in `X-Request-Id`.',
      example: '4f8d1f6e-7a40-4a51-8c5d-6f0a2a5c9e11',
    }),
    principal: z.string().openapi({
      description: '`operator`, `user:42`, `key:7`, `token:<sub>` or `anyone`.',
      example: 'key:7',
    }),
    name: z.string().nullable().openapi({
      description: 'Of the user or the key, as it is now; null if there is none.',
      example: 'the warehouse',
    }),
    role: z.string().openapi({ description: 'Of the database.', example: 'belfry_worker_1' }),
    action: z.string().openapi({
      description: '`insert`, `update`, `delete`, or what was asked for, such as `redrive`.',
      example: 'update',
    }),
    table: z.string().openapi({ example: 'orders' }),
    key: z.string().openapi({ example: '42' }),
    version: z.int().nullable().openapi({
      description: 'Which version it made, or deleted; null where there are none.',
      example: 3,
    }),
    changed: z.record(z.string(), z.unknown()).openapi({
      description:
        'Of a row: column → [before, after]; of a column whose values are not kept, []. Of an act: what it was about.',
      example: { status: ['pending', 'filled'] },
    }),
  })
  .openapi('AuditEntry')

const filter = (description: string, example: string) =>
  givenText().refine(isStorable, UNSTORABLE).optional().openapi({ description, example })

const list = createRoute({
  method: 'get',
  path: '/api/audit',
  tags: ['Admin'],
  summary: 'List what was changed over the API, newest first',
  description:
    'A mail, a webhook or a parked change that is acted on is noted before it is done: so what is here was at least tried. What is changed by SQL is not here.',
  request: {
    query: z.strictObject({
      principal: filter('Who did it.', 'key:7'),
      table: filter('What it was done to.', 'orders'),
      key: filter('Which one of them.', '42'),
      request: filter('In which request.', '4f8d1f6e-7a40-4a51-8c5d-6f0a2a5c9e11'),
      limit: pageLimit,
      cursor: givenText().optional().openapi({ description: 'next_cursor of the page before.' }),
    }),
  },
  responses: {
    200: {
      description: 'A page.',
      content: {
        'application/json': {
          schema: z.object({
            audit: z.array(auditEntry),
            next_cursor: z.string().nullable().openapi({ description: 'null on the last page.' }),
          }),
        },
      },
    },
    ...problemResponses('invalid_query', 'invalid_cursor', 'database_unavailable'),
  },
})

audit.openapi(list, async (c) => {
  const { limit, cursor, ...asked } = c.req.valid('query')
  const start = await parsePageCursor(c.env, LIST, cursor)
  if (!start.ok) return problem(c, 'invalid_cursor', { detail: start.detail })
  const found = await listAudit(database(c.env), asked, limit + 1, start.before)
  const page = found.slice(0, limit)
  const next = found.length > limit ? (page.at(-1)?.id ?? null) : null
  return c.json({ audit: page, next_cursor: await formatPageCursor(c.env, LIST, next) }, 200)
})
