import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { asc, eq, sql } from 'drizzle-orm'
import type { Context } from 'hono'
import { notification_categories as table } from '../../drizzle/inbox-schema.ts'
import { limitedBody } from '../doors/strict-body.ts'
import { type DatabaseEnv, database } from './database.ts'
import {
  expected,
  ifMatchHeader,
  mayIfMatchHeader,
  ofChanging,
  tagged,
  tagHeader,
} from './entity-tag.ts'
import { category } from './notification-schemas.ts'
import { isStorable } from './opaque.ts'
import { defaultHook, problem, problemResponses } from './problem.ts'
import { writeAll } from './writing.ts'

/**
 * What is said of categories. One needs no row to be used; one that is critical cannot be switched
 * off by anybody, nor held back by quiet hours or digests (P85).
 */
export const notificationCategories = new OpenAPIHono<{ Bindings: DatabaseEnv }>({ defaultHook })

const tags = ['Notifications']
const path = '/api/notification-categories'
const onePath = '/api/notification-categories/{name}'
const DESCRIPTION_RULE = 'must be text of at most 1000 characters'

const about = {
  description: z
    .string({ error: DESCRIPTION_RULE })
    .max(1_000, DESCRIPTION_RULE)
    .refine(isStorable, 'must hold neither NUL nor half a surrogate pair')
    .openapi({ description: 'For users who choose.', example: 'Where your order is' }),
  critical: z
    .boolean({ error: 'must be true or false' })
    .openapi({ description: 'true: always told, at once, on every channel.', example: false }),
}

const oneCategory = z.object({
  name: z.string().openapi({ example: 'orders' }),
  ...about,
  version: z.int().openapi({ description: 'Grows by one with each update.', example: 1 }),
})

const described = {
  description: 'The category.',
  content: {
    'application/json': { schema: oneCategory.openapi('NotificationCategory') },
  },
  headers: tagHeader,
}

const named = z.object({
  name: category.openapi({ param: { name: 'name', in: 'path' }, example: 'orders' }),
})

const wanted = z
  .strictObject({
    description: about.description.default(''),
    critical: about.critical.default(false),
  })
  .openapi('NotificationCategoryWanted')

const list = createRoute({
  method: 'get',
  path,
  tags,
  summary: 'List the categories that something is said of',
  responses: {
    200: {
      description: 'All, by name.',
      content: { 'application/json': { schema: z.object({ categories: z.array(oneCategory) }) } },
    },
    ...problemResponses('database_unavailable'),
  },
})

notificationCategories.openapi(list, async (c) => {
  const categories = await database(c.env).select().from(table).orderBy(asc(table.name))
  return c.json({ categories }, 200)
})

const read = createRoute({
  method: 'get',
  path: onePath,
  tags,
  summary: 'Read what is said of a category',
  request: { params: named },
  responses: {
    200: described,
    ...problemResponses('invalid_id', 'not_found', 'database_unavailable'),
  },
})

notificationCategories.openapi(read, async (c) => {
  const { name } = c.req.valid('param')
  const [row] = await database(c.env).select().from(table).where(eq(table.name, name))
  return row ? c.json(row, 200, tagged(row.version)) : missing(c, name)
})

const put = createRoute({
  method: 'put',
  path: onePath,
  tags,
  summary: 'Say what a category is, and whether it is critical',
  description:
    'Of one that nothing is said of yet, `If-Match` is `"0"`; `*` also is whatever there is, or nothing.',
  middleware: [limitedBody],
  request: {
    params: named,
    headers: ifMatchHeader,
    body: { required: true, content: { 'application/json': { schema: wanted } } },
  },
  responses: { 200: described, ...problemResponses('invalid_id', ...ofChanging) },
})

notificationCategories.openapi(put, async (c) => {
  const { name } = c.req.valid('param')
  const said = c.req.valid('json')
  const [, , [row]] = await writeAll(c, (db) => [
    // By itself: what comes behind it must see what another has written meanwhile.
    db.execute(
      sql`SELECT pg_advisory_xact_lock(hashtextextended('belfry category ' || ${name}, 0))`,
    ),
    db.execute(expected(c, sql`SELECT coalesce((${versionOf(name)}), '0')`)),
    db
      .insert(table)
      .values({ name, ...said })
      .onConflictDoUpdate({ target: table.name, set: said })
      .returning(),
  ])
  if (!row) throw new Error('the upsert returned no row')
  return c.json(row, 200, tagged(row.version))
})

const remove = createRoute({
  method: 'delete',
  path: onePath,
  tags,
  summary: 'Say nothing more of a category',
  description: 'It can still be used, and is not critical then.',
  request: { params: named, headers: mayIfMatchHeader },
  responses: {
    204: { description: 'It is gone.' },
    ...problemResponses('invalid_id', 'not_found', 'precondition_failed', 'database_unavailable'),
  },
})

notificationCategories.openapi(remove, async (c) => {
  const { name } = c.req.valid('param')
  const [, gone] = await writeAll(c, (db) => [
    db.execute(expected(c, versionOf(name))),
    db.delete(table).where(eq(table.name, name)).returning({ name: table.name }),
  ])
  return gone.length > 0 ? c.body(null, 204) : missing(c, name)
})

/** Locks the row. */
function versionOf(name: string) {
  return sql`SELECT version::text FROM ${table} WHERE ${eq(table.name, name)} FOR UPDATE`
}

function missing(c: Context, name: string) {
  return problem(c, 'not_found', {
    detail: `Nothing is said of the category "${name}". What is, GET ${path} lists.`,
  })
}
