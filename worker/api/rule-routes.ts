import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { and, asc, eq, sql } from 'drizzle-orm'
import type { Context } from 'hono'
import { rules as table } from '../../drizzle/schema.ts'
import { limitedBody } from '../doors/strict-body.ts'
import { type DatabaseEnv, database } from './database.ts'
import {
  expected,
  ifMatchHeader,
  madeHeaders,
  mayIfMatchHeader,
  ofChanging,
  tagged,
  tagHeader,
} from './entity-tag.ts'
import { goneSince, ofCreating, onceHeader } from './idempotency.ts'
import { defaultHook, problem, problemResponses } from './problem.ts'
import { rowId } from './row-id.ts'
import { nameIsTaken, type Refused, refuse, unlessTaken } from './rule-writing.ts'
import { writeAll, writeOnce } from './writing.ts'

export type StoredRule = typeof table.$inferSelect
type NewRule = Omit<typeof table.$inferInsert, 'channel'>

/** The rules of one channel, as their API takes and gives them. */
export type RuleKind<Written extends NewRule> = {
  channel: StoredRule['channel']
  path: `/api/${string}`
  tags: string[]
  /** In sentences: `rule of mail`, `rules of mail`. */
  noun: { one: string; many: string }
  /** What becomes of what a rule has owed, once it is deleted. */
  afterDeletion: string
  written: z.ZodType<Written>
  changes: z.ZodType<Changes<Written>>
  report: z.ZodType<RuleReport>
  /** What of a row is the API's; the fields that are written among it. */
  shown(row: StoredRule): Omit<RuleReport, 'problem'>
  writtenOf(row: StoredRule): Record<keyof Written, unknown>
  /** Why the row does nothing, whoever wrote it; null if it is good. */
  problemOf(row: StoredRule): string | null
  /** What the rule names and there is not. */
  refusals(written: Written, env: DatabaseEnv): Promise<Refused[]>
}

type Changes<Written> = { [Field in keyof Written]?: Written[Field] | undefined }
type RuleReport = { id: number; problem: string | null; [field: string]: unknown }

/**
 * Rules edited over HTTP: an ordinary writer of the table `rules` among others. A rule is in force
 * for every change that stands behind it in the log. What it names must exist when it is written
 * here; what SQL writes is not asked, and says in `problem` why it does nothing.
 */
export function ruleRoutes<Written extends NewRule>(kind: RuleKind<Written>) {
  const routes = new OpenAPIHono<{ Bindings: DatabaseEnv }>({ defaultHook })
  const { path, tags, noun } = kind
  const onePath = `${path}/{id}` as const
  const ofChannel = eq(table.channel, kind.channel)
  const one = (id: number) => and(eq(table.id, id), ofChannel)
  const params = z.object({ id: rowId('id', 1) })
  const oneRule = {
    description: 'The rule.',
    content: { 'application/json': { schema: kind.report } },
    headers: tagHeader,
  }

  const list = createRoute({
    method: 'get',
    path,
    tags,
    summary: `List the ${noun.many}`,
    responses: {
      200: {
        description: 'All, the oldest first.',
        content: { 'application/json': { schema: z.object({ rules: z.array(kind.report) }) } },
      },
      ...problemResponses('database_unavailable'),
    },
  })

  routes.openapi(list, async (c) => {
    const rows = await database(c.env).select().from(table).where(ofChannel).orderBy(asc(table.id))
    return c.json({ rules: rows.map(report) }, 200)
  })

  const create = createRoute({
    method: 'post',
    path,
    tags,
    summary: `Add a ${noun.one}`,
    middleware: [limitedBody],
    request: {
      headers: onceHeader,
      body: { required: true, content: { 'application/json': { schema: kind.written } } },
    },
    responses: {
      201: { ...oneRule, headers: madeHeaders },
      ...problemResponses(...ofCreating),
    },
  })

  routes.openapi(create, async (c) => {
    const written: Written = c.req.valid('json')
    const refused = await kind.refusals(written, c.env)
    if (refused.length > 0) return refuse(c, refused)
    const values = { ...written, channel: kind.channel }
    const row = await unlessTaken(
      writeOnce(
        c,
        (db) => [db.insert(table).values(values).returning()],
        ([rows]) => rows[0],
        ({ made }) => find(c.env, Number(made)),
      ),
    )
    if (row === 'taken') return nameIsTaken(c, written.name)
    return row
      ? c.json(report(row), 201, { ...tagged(row.version), Location: `${path}/${row.id}` })
      : goneSince(c)
  })

  const read = createRoute({
    method: 'get',
    path: onePath,
    tags,
    summary: `Read a ${noun.one}`,
    request: { params },
    responses: {
      200: oneRule,
      ...problemResponses('invalid_id', 'not_found', 'database_unavailable'),
    },
  })

  routes.openapi(read, async (c) => {
    const { id } = c.req.valid('param')
    const row = await find(c.env, id)
    return row ? c.json(report(row), 200, tagged(row.version)) : missing(c, id)
  })

  const change = createRoute({
    method: 'patch',
    path: onePath,
    tags,
    summary: `Change some fields of a ${noun.one}`,
    middleware: [limitedBody],
    request: {
      params,
      headers: ifMatchHeader,
      body: { required: true, content: { 'application/json': { schema: kind.changes } } },
    },
    responses: {
      200: oneRule,
      ...problemResponses('invalid_id', 'not_found', ...ofChanging),
    },
  })

  routes.openapi(change, async (c) => {
    const { id } = c.req.valid('param')
    const changes: Changes<Written> = c.req.valid('json')
    const before = await find(c.env, id)
    if (!before) return missing(c, id)
    // Switching a rule off must not depend on whether it is a good one.
    if (Object.keys(changes).some((field) => field !== 'enabled')) {
      const { data: whole, error } = kind.written.safeParse({
        ...kind.writtenOf(before),
        ...changes,
      })
      const refused = error
        ? error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }))
        : await kind.refusals(whole, c.env)
      if (refused.length > 0) return refuse(c, refused)
    }
    const written = await unlessTaken(
      writeAll(c, (db) => [
        db.execute(expected(c, versionOf(id))),
        db.update(table).set(changes).where(one(id)).returning(),
      ]),
    )
    if (written === 'taken') return nameIsTaken(c, changes.name ?? before.name)
    const [, [row]] = written
    return row ? c.json(report(row), 200, tagged(row.version)) : missing(c, id)
  })

  const remove = createRoute({
    method: 'delete',
    path: onePath,
    tags,
    summary: `Delete a ${noun.one}`,
    description: kind.afterDeletion,
    request: { params, headers: mayIfMatchHeader },
    responses: {
      204: { description: 'It is gone.' },
      ...problemResponses('invalid_id', 'not_found', 'precondition_failed', 'database_unavailable'),
    },
  })

  routes.openapi(remove, async (c) => {
    const { id } = c.req.valid('param')
    const [, gone] = await writeAll(c, (db) => [
      db.execute(expected(c, versionOf(id))),
      db.delete(table).where(one(id)).returning({ id: table.id }),
    ])
    return gone[0] ? c.body(null, 204) : missing(c, id)
  })

  return routes

  function report(row: StoredRule): RuleReport {
    return { ...kind.shown(row), id: row.id, problem: kind.problemOf(row) }
  }

  async function find(env: DatabaseEnv, id: number): Promise<StoredRule | undefined> {
    const [row] = await database(env).select().from(table).where(one(id))
    return row
  }

  /** Locks the row. */
  function versionOf(id: number) {
    return sql`SELECT version::text FROM ${table} WHERE ${one(id)} FOR UPDATE`
  }

  function missing(c: Context, id: number) {
    return problem(c, 'not_found', { detail: `There is no ${noun.one} ${id}.` })
  }
}
