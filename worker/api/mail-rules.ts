import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { NeonDbError } from '@neondatabase/serverless'
import { and, asc, eq } from 'drizzle-orm'
import type { Context } from 'hono'
import { rules as table } from '../../drizzle/schema.ts'
import type { Row } from '../../protocol/change.ts'
import { readMailRule, whyNotTemplate } from '../mail/mail-rule.ts'
import { unknownNames } from '../rules/unknown-names.ts'
import { type DatabaseEnv, database } from './database.ts'
import { rootCause } from './database-failure.ts'
import { mailRuleChanges, mailRuleId, mailRuleReport, newMailRule } from './mail-rule-schemas.ts'
import { defaultHook, limitedBody, ofWriting, problem, problemResponses } from './problem.ts'
import { readWatchedTables } from './watched-tables.ts'

/**
 * Which change owes which mail to whom, edited over HTTP: an ordinary writer of the table `rules`
 * among others. A rule is in force for every change that stands behind it in the log. What it
 * names must exist when it is written here; what SQL writes is not asked, and says in `problem`
 * why it does nothing.
 */
export const mailRules = new OpenAPIHono<{ Bindings: DatabaseEnv }>({ defaultHook })

type Written = z.infer<typeof newMailRule>

const MAX_ERRORS = 20

const tags = ['Mail']
const path = '/api/mail-rules'
const onePath = '/api/mail-rules/{id}'
const oneRule = {
  description: 'The rule.',
  content: { 'application/json': { schema: mailRuleReport } },
}

const list = createRoute({
  method: 'get',
  path,
  tags,
  summary: 'List the rules of mail',
  responses: {
    200: {
      description: 'All, the oldest first.',
      content: { 'application/json': { schema: z.object({ rules: z.array(mailRuleReport) }) } },
    },
    ...problemResponses('database_unavailable'),
  },
})

mailRules.openapi(list, async (c) => {
  const rows = await database(c.env).select().from(table).where(ofMail).orderBy(asc(table.id))
  return c.json({ rules: rows.map(report) }, 200)
})

const create = createRoute({
  method: 'post',
  path,
  tags,
  summary: 'Add a rule of mail',
  middleware: [limitedBody],
  request: { body: { required: true, content: { 'application/json': { schema: newMailRule } } } },
  responses: {
    201: {
      ...oneRule,
      headers: { Location: { description: 'Where it is.', schema: { type: 'string' } } },
    },
    ...problemResponses(...ofWriting),
  },
})

mailRules.openapi(create, async (c) => {
  const written = c.req.valid('json')
  const refused = await refusals(c, written)
  if (refused.length > 0) return refuse(c, refused)
  const values = { ...written, channel: 'mail' as const }
  const rows = await unlessTaken(database(c.env).insert(table).values(values).returning())
  if (rows === null) return nameIsTaken(c, written.name)
  const [row] = rows
  if (!row) throw new Error('the insert returned no row')
  return c.json(report(row), 201, { Location: `${path}/${row.id}` })
})

const read = createRoute({
  method: 'get',
  path: onePath,
  tags,
  summary: 'Read a rule of mail',
  request: { params: mailRuleId },
  responses: {
    200: oneRule,
    ...problemResponses('invalid_id', 'not_found', 'database_unavailable'),
  },
})

mailRules.openapi(read, async (c) => {
  const { id } = c.req.valid('param')
  const row = await find(c, id)
  return row ? c.json(report(row), 200) : missing(c, id)
})

const change = createRoute({
  method: 'patch',
  path: onePath,
  tags,
  summary: 'Change some fields of a rule of mail',
  middleware: [limitedBody],
  request: {
    params: mailRuleId,
    body: { required: true, content: { 'application/json': { schema: mailRuleChanges } } },
  },
  responses: {
    200: oneRule,
    ...problemResponses('invalid_id', 'not_found', ...ofWriting),
  },
})

mailRules.openapi(change, async (c) => {
  const { id } = c.req.valid('param')
  const changes = c.req.valid('json')
  const before = await find(c, id)
  if (!before) return missing(c, id)
  // Switching a rule off must not depend on whether it is a good one.
  if (Object.keys(changes).some((field) => field !== 'enabled')) {
    const { data: whole, error } = newMailRule.safeParse({ ...fieldsOf(before), ...changes })
    const refused = error
      ? error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }))
      : await refusals(c, whole)
    if (refused.length > 0) return refuse(c, refused)
  }
  const rows = await unlessTaken(
    database(c.env).update(table).set(changes).where(oneOfMail(id)).returning(),
  )
  if (rows === null) return nameIsTaken(c, changes.name ?? before.name)
  return rows[0] ? c.json(report(rows[0]), 200) : missing(c, id)
})

const remove = createRoute({
  method: 'delete',
  path: onePath,
  tags,
  summary: 'Delete a rule of mail',
  description: 'Mails that it owed already go out.',
  request: { params: mailRuleId },
  responses: {
    204: { description: 'It is gone.' },
    ...problemResponses('invalid_id', 'not_found', 'database_unavailable'),
  },
})

mailRules.openapi(remove, async (c) => {
  const { id } = c.req.valid('param')
  const [row] = await database(c.env).delete(table).where(oneOfMail(id)).returning({ id: table.id })
  return row ? c.body(null, 204) : missing(c, id)
})

const ofMail = eq(table.channel, 'mail')

function oneOfMail(id: number) {
  return and(eq(table.id, id), ofMail)
}

type StoredRule = typeof table.$inferSelect

async function find(
  c: Context<{ Bindings: DatabaseEnv }>,
  id: number,
): Promise<StoredRule | undefined> {
  const [row] = await database(c.env).select().from(table).where(oneOfMail(id))
  return row
}

function report(row: StoredRule) {
  const { channel: _, endpoint: __, ...shown } = row
  const reading = readMailRule(row as Row)
  return { ...shown, problem: reading.ok ? null : reading.problem }
}

function fieldsOf(row: StoredRule) {
  const { name, table: of, ops, when, template, category, recipients, enabled } = row
  return { name, table: of, ops, when, template, category, recipients, enabled }
}

type Refused = { path: string; message: string }

/** What the rule names and there is not. */
async function refusals(c: Context<{ Bindings: DatabaseEnv }>, rule: Written): Promise<Refused[]> {
  const why = whyNotTemplate(rule)
  // Read anew: a refusal must not stand on what an isolate remembers, and rules are seldom written.
  const unknown = unknownNames(rule, await readWatchedTables(database(c.env)))
  return why === null ? unknown : [...unknown, { path: 'template', message: why }]
}

function refuse(c: Context, errors: Refused[]) {
  const [first, ...others] = errors
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`
  return problem(c, 'invalid_body', {
    detail: `${first?.path}: ${first?.message}${more}`,
    errors: errors.slice(0, MAX_ERRORS),
  })
}

/** @returns null if another rule has the name */
async function unlessTaken<Rows>(writing: Promise<Rows>): Promise<Rows | null> {
  try {
    return await writing
  } catch (error) {
    const cause = rootCause(error)
    if (cause instanceof NeonDbError && cause.constraint === 'rules_name_unique') return null
    throw error
  }
}

function nameIsTaken(c: Context, name: string) {
  return problem(c, 'conflict', {
    detail: `There is a rule called "${name}", of mail or of a webhook. Choose another name.`,
  })
}

function missing(c: Context, id: number) {
  return problem(c, 'not_found', { detail: `There is no rule of mail ${id}.` })
}
