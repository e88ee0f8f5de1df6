import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { NeonDbError } from '@neondatabase/serverless'
import type { Context } from 'hono'
import { readerScope } from '../doors/reader-scope.ts'
import type { Served } from '../doors/served.ts'
import { database } from './database.ts'
import { rootCause } from './database-failure.ts'
import { catalogOf } from './isolate-catalog.ts'
import { type CursorSecrets, NOT_OURS } from './opaque.ts'
import { defaultHook, problem, problemResponses } from './problem.ts'
import { formatRowCursor, parseRowCursor } from './row-cursor.ts'
import { type RowPage, readRowPage } from './row-page.ts'
import { visibleTables, type WatchedTable } from './watched-tables.ts'

/**
 * What is watched, and its rows: the snapshot that a reader of changes begins with. Only watched
 * tables can be read here, because only their changes could be heard anyway.
 */
export const tables = new OpenAPIHono<Served>({ defaultHook })

const tags = ['Tables']
const LIMIT_RULE = 'must be a whole number from 1 to 1000'
const NO_STORE = { 'cache-control': 'no-store' }

const catalog = z
  .object({
    tables: z.array(
      z.object({
        table: z.string().openapi({ example: 'orders' }),
        key: z.array(z.string()).openapi({ example: ['id'] }),
        columns: z.array(
          z.object({
            name: z.string().openapi({ example: 'id' }),
            type: z.string().openapi({ example: 'bigint' }),
          }),
        ),
      }),
    ),
  })
  .openapi('Tables')

tables.openapi(
  createRoute({
    method: 'get',
    path: '/api/tables',
    tags,
    summary: 'Which tables are watched',
    description: 'Belfry’s own tables are listed, and can be read, only with the scope `admin`.',
    responses: {
      200: { description: 'All.', content: { 'application/json': { schema: catalog } } },
      ...problemResponses('database_unavailable'),
    },
  }),
  async (c) => {
    const scope = readerScope(c.var.principal)
    const watched = visibleTables(await catalogOf(c.env).tables(() => true), scope)
    const all = [...watched.values()].map(({ name, key, columns }) => ({
      table: name,
      key: key.map((column) => column.name),
      columns: [...columns],
    }))
    return c.json({ tables: all }, 200, NO_STORE)
  },
)

const row = z.record(z.string(), z.unknown())

const page = z
  .object({
    table: z.string().openapi({ example: 'orders' }),
    key: z.array(z.string()).openapi({
      description: 'The columns of the key, which the rows are in the order of.',
      example: ['id'],
    }),
    rows: z.array(row).openapi({
      description: 'As a change carries them: exact numbers, times in UTC with microseconds.',
      example: [{ id: 42, status: 'filled' }],
    }),
    oversize: z.array(row).openapi({
      description: 'The keys of rows on this page that are larger than 1.9 MB of JSON.',
      example: [],
    }),
    next_cursor: z.string().nullable().openapi({ description: 'null on the last page.' }),
  })
  .openapi('RowPage')

const readRows = createRoute({
  method: 'get',
  path: '/api/tables/{table}/rows',
  tags,
  summary: 'Read the rows of a watched table',
  description:
    'In the order of the key. A page also ends once it holds 2 MB, so it may have fewer rows than asked for; follow `next_cursor` until it is null.',
  request: {
    params: z.object({
      table: z.string().openapi({
        param: { name: 'table', in: 'path' },
        description: 'Its name in the feed.',
        example: 'orders',
      }),
    }),
    query: z.strictObject({
      limit: z
        .string({ error: 'must be given once' })
        .regex(/^\d{1,4}$/, LIMIT_RULE)
        .transform(Number)
        .refine((limit) => limit >= 1 && limit <= 1_000, LIMIT_RULE)
        .default(200)
        .openapi({ type: 'integer', minimum: 1, maximum: 1_000, default: 200, example: 200 }),
      cursor: z
        .string({ error: 'must be given once' })
        .optional()
        .openapi({ description: 'next_cursor of the page before.' }),
    }),
  },
  responses: {
    200: { description: 'A page.', content: { 'application/json': { schema: page } } },
    ...problemResponses('invalid_query', 'invalid_cursor', 'not_found', 'database_unavailable'),
  },
})

tables.openapi(readRows, async (c) => {
  const { table: name } = c.req.valid('param')
  const { limit, cursor } = c.req.valid('query')
  const scope = readerScope(c.var.principal)
  for (let again = false; ; again = true) {
    const watched = await catalogOf(c.env).tables((all) => all.has(name))
    const table = visibleTables(watched, scope).get(name)
    if (table === undefined) return unwatched(c, name)
    if (table.key.some(({ type }) => type === null))
      return problem(c, 'internal', {
        detail: 'The key of the table has changed. Watch it anew: SELECT belfry.watch(…).',
      })
    const of = { table: name, columns: table.key.length }
    const start = cursor === undefined ? null : await parseRowCursor(c.env, cursor, of)
    if (start?.ok === false) return problem(c, 'invalid_cursor', { detail: start.detail })
    try {
      const found = await readRowPage(database(c.env), table, start?.after ?? null, limit)
      return c.json(await pageOf(c.env, table, found), 200, NO_STORE)
    } catch (error) {
      const sqlstate = sqlstateOf(error)
      // No other value of a caller's stands in the statement.
      if (start && sqlstate?.startsWith('22'))
        return problem(c, 'invalid_cursor', { detail: NOT_OURS })
      if (again || (sqlstate !== '42P01' && sqlstate !== '42703')) throw error
      // Dropped or renamed, and perhaps watched anew, since the catalog was read.
      catalogOf(c.env).forget()
    }
  }
})

async function pageOf(
  secrets: CursorSecrets,
  { name, key }: WatchedTable,
  { rows, oversize, next }: RowPage,
) {
  return {
    table: name,
    key: key.map((column) => column.name),
    rows,
    oversize,
    next_cursor: next && (await formatRowCursor(secrets, { table: name, after: [...next] })),
  }
}

function unwatched(c: Context, name: string) {
  const short = name.length > 80 ? `${name.slice(0, 80)}…` : name
  return problem(c, 'not_found', {
    detail: `"${short}" is not watched. GET /api/tables lists what is; SELECT belfry.watch('…') adds a table.`,
  })
}

function sqlstateOf(error: unknown): string | undefined {
  const cause = rootCause(error)
  return cause instanceof NeonDbError ? cause.code : undefined
}
