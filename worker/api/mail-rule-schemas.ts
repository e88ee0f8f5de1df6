import { z } from '@hono/zod-openapi'
import { isAddress } from '../mail/recipients.ts'
import { MAX_RECIPIENTS, ops, recipient, tableName, when } from '../rules/rule.ts'

/** What the API of mail rules takes and gives; each edge is parsed once, here, and refused in words. */

const NAME_RULE = 'must be 1 to 100 letters, digits, dots, dashes or underscores'
const CATEGORY_RULE = 'must be 1 to 64 letters, digits, dots, dashes or underscores'

export const ruleName = z
  .string({ error: NAME_RULE })
  .refine((text) => /^[\p{L}\p{N}_.-]{1,100}$/u.test(text), NAME_RULE)
  .openapi({ description: 'Of its own among all rules.', example: 'order-shipped' })

export const ruleCategory = z
  .string({ error: CATEGORY_RULE })
  .refine((text) => /^[\p{L}\p{N}_.-]{1,64}$/u.test(text), CATEGORY_RULE)
  .openapi({ description: 'What users may want to hear nothing of.', example: 'orders' })

const template = z
  .string({ error: 'must be the name of a template: GET /api/mail-templates' })
  .openapi({ example: 'order-status' })

const recipients = z
  .array(recipient, { error: 'must be a list' })
  .min(1, 'must name at least one recipient')
  .max(MAX_RECIPIENTS, `must name at most ${MAX_RECIPIENTS}`)
  .superRefine((list, context) => {
    for (const [index, each] of list.entries())
      if ('address' in each && !isAddress(each.address))
        context.addIssue({
          code: 'custom',
          path: [index, 'address'],
          message: 'must be one plain address, such as desk@example.com',
        })
  })
  .openapi({
    description:
      'Each is `{"setting": "ALERT_RECIPIENTS"}`, `{"address": …}`, `{"column": …}`, which holds an address, or `{"user": …}`, a column that holds a user’s id. The first two are staff, the others customers, who can unsubscribe.',
    example: [{ column: 'customer_email' }],
  })

const fields = {
  name: ruleName,
  table: tableName.openapi({ description: 'A watched table.', example: 'orders' }),
  ops: ops.openapi({ example: ['update'] }),
  when: when.openapi({
    description:
      'Column → one test: `{"became": [values]}`, `{"is": [values]}`, `{"was": [values]}` or `{"changed": true}`. All must hold; `{}` holds always.',
    example: { status: { became: ['shipped'] } },
  }),
  template,
  category: ruleCategory,
  recipients,
  enabled: z.boolean({ error: 'must be true or false' }),
}

export const newMailRule = z
  .strictObject({
    ...fields,
    ops: fields.ops.default(['insert', 'update']),
    when: fields.when.default({}),
    category: ruleCategory.default('general'),
    enabled: fields.enabled.default(true),
  })
  .openapi('NewMailRule')

export const mailRuleChanges = z
  .strictObject(fields)
  .partial()
  .refine((changes) => Object.keys(changes).length > 0, 'must hold at least one field to change')
  .openapi('MailRuleChanges', { minProperties: 1, example: { enabled: false } })

const instant = z.string().openapi({ format: 'date-time' })

/** As the row is, whoever wrote it: it may hold what the API would not take. */
export const mailRuleReport = z
  .object({
    id: z.int().openapi({ example: 1 }),
    name: z.string().openapi({ example: 'order-filled' }),
    table: z.string().openapi({ example: 'orders' }),
    ops: z.array(z.string()).openapi({ example: ['insert', 'update'] }),
    when: z.unknown().openapi({ example: { status: { became: ['filled'] } } }),
    template: z.string().nullable().openapi({ example: 'order-filled' }),
    category: z.string().openapi({ example: 'orders' }),
    recipients: z.unknown().openapi({ example: [{ setting: 'ALERT_RECIPIENTS' }] }),
    enabled: z.boolean(),
    version: z.int().openapi({ description: 'Grows by one with each update.', example: 1 }),
    created_at: instant,
    updated_at: instant,
    problem: z.string().nullable().openapi({
      description: 'Why it does nothing; null if it is in force or switched off.',
      example: null,
    }),
  })
  .openapi('MailRule')
