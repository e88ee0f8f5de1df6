import { z } from 'zod'
import { operations } from '../../protocol/change.ts'
import { mayLead } from '../notices/link.ts'

/**
 * What a rule may say: which change owes what to whom.
 *
 * Postgres is authoritative (drizzle/schema.ts), and anyone with SQL writes there. Must hold: what
 * does not read as a rule is inert, says so where people look, and stops nobody. The same schemas
 * read what the API is given, so their sentences are written for people.
 */

export const MAX_RECIPIENTS = 50
const MAX_TESTS = 20
const MAX_VALUES = 50

const scalar = z.union([z.string().max(1_000), z.number(), z.boolean(), z.null()], {
  error: 'must be text of at most 1000 characters, a number, true, false or null',
})

/** A list of values, or one by itself. */
const values = z.preprocess(
  (given) => (Array.isArray(given) ? given : [given]),
  z
    .array(scalar)
    .min(1, 'must hold at least one value')
    .max(MAX_VALUES, `must hold at most ${MAX_VALUES} values`),
)

const TEST_RULE =
  'must be one test: {"became": […]}, {"is": […]}, {"was": […]} or {"changed": true}'

export const test = z.union(
  [
    z.strictObject({ became: values }),
    z.strictObject({ is: values }),
    z.strictObject({ was: values }),
    z.strictObject({ changed: z.literal(true) }),
  ],
  { error: TEST_RULE },
)
export type Test = z.infer<typeof test>

export const columnName = z
  .string({ error: 'must be the name of a column' })
  .min(1, 'must be the name of a column')
  .max(255, 'must be at most 255 characters')

const tests = z
  .record(columnName, test, { error: 'must be an object of column → test; {} matches everything' })
  .refine(
    (tests) => Object.keys(tests).length <= MAX_TESTS,
    `must test at most ${MAX_TESTS} columns`,
  )

/**
 * Column → test; all must hold, and `{}` holds always. So a test that the parser leaves out would
 * make a rule hold more often: of `__proto__` it keeps none.
 */
export const when = z.preprocess((given, context) => {
  if (typeof given === 'object' && given !== null && Object.hasOwn(given, '__proto__'))
    context.addIssue({ code: 'custom', message: 'cannot test a column called __proto__' })
  return given
}, tests)
export type When = z.infer<typeof when>

/** The settings that hold addresses; no other may be named, as most are secrets. */
export const addressSettings = ['ALERT_RECIPIENTS'] as const
export type AddressSetting = (typeof addressSettings)[number]

/** Whoever a rule writes to. What is not an address is found out when a mail is owed. */
export const recipient = z.union(
  [
    z.strictObject({ setting: z.enum(addressSettings) }),
    z.strictObject({ column: columnName }),
    z.strictObject({ address: z.string().min(1).max(254) }),
    z.strictObject({ user: columnName }),
  ],
  {
    error: `must be one of {"setting": "${addressSettings.join('" | "')}"}, {"column": "customer_email"}, {"address": "desk@example.com"} or {"user": "customer_id"}`,
  },
)
export type Recipient = z.infer<typeof recipient>

export const ops = z
  .array(z.enum(operations, { error: `must be one of ${operations.join(', ')}` }), {
    error: `must be a list of ${operations.join(', ')}`,
  })
  .min(1, `must name at least one of ${operations.join(', ')}`)
  .max(operations.length, 'must name each operation once')
  .refine((list) => new Set(list).size === list.length, 'must name each operation once')

export const tableName = z
  .string({ error: 'must be the name of a watched table' })
  .min(1, 'must be the name of a watched table')
  .max(255, 'must be at most 255 characters')

const common = {
  id: z.int().positive(),
  name: z.string().min(1),
  table: tableName,
  ops,
  when,
  enabled: z.boolean(),
  version: z.int().positive(),
}

/** A row of `rules` whose channel is mail, as a change carries it and as `to_json` gives it. */
export const mailRule = z.object({
  ...common,
  channel: z.literal('mail'),
  template: z.string().min(1),
  category: z.string().min(1),
  recipients: z.array(recipient).max(MAX_RECIPIENTS),
})
export type MailRule = z.infer<typeof mailRule>

/** One whose channel is webhook. */
export const webhookRule = z.object({
  ...common,
  channel: z.literal('webhook'),
  endpoint: z.uuid(),
})
export type WebhookRule = z.infer<typeof webhookRule>

const TITLE_RULE = 'must be text of 1 to 200 characters'
const LINK_RULE =
  'must be an address with http:// or https://, a path that begins with /, or one {column}'

/** What a rule tells a user; `{column}` in its texts is filled in from the row that changed. */
export const notificationOfRule = z.object({
  title: z.string({ error: TITLE_RULE }).trim().min(1, TITLE_RULE).max(200, TITLE_RULE),
  link: z
    .string({ error: LINK_RULE })
    .max(2_048, 'must be at most 2048 characters')
    .refine(mayLead, LINK_RULE)
    .optional(),
  content: z.record(z.string(), z.unknown(), { error: 'must be an object' }).default({}),
})

export const userColumn = z.strictObject(
  { user: columnName },
  { error: 'must be {"user": "customer_id"}: a column that holds a user’s id' },
)

/** One whose channel is inbox. */
export const inboxRule = z.object({
  ...common,
  channel: z.literal('inbox'),
  category: z.string().min(1),
  notification: notificationOfRule,
  recipients: z.array(userColumn).max(MAX_RECIPIENTS),
})
export type InboxRule = z.infer<typeof inboxRule>

/** What is asked of a change does not depend on the channel. */
export type RuleCondition = Pick<MailRule, 'table' | 'ops' | 'when' | 'enabled'>
