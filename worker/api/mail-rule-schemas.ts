import { z } from '@hono/zod-openapi'
import { isAddress } from '../mail/recipients.ts'
import { MAX_RECIPIENTS, recipient, when } from '../rules/rule.ts'
import { MUST_CHANGE, ruleDefaults, ruleFields, ruleReport } from './rule-schemas.ts'

/** What the API of mail rules takes and gives; each edge is parsed once, here, and refused in words. */

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

const { name, table, ops, category, enabled } = ruleFields

const fields = {
  name,
  table,
  ops,
  when: when.openapi({
    description:
      'Column → one test: `{"became": [values]}`, `{"is": [values]}`, `{"was": [values]}` or `{"changed": true}`. All must hold; `{}` holds always.',
    example: { status: { became: ['shipped'] } },
  }),
  template,
  category,
  recipients,
  enabled,
}

export const newMailRule = z
  .strictObject({
    ...fields,
    ...ruleDefaults,
    when: fields.when.default({}),
  })
  .openapi('NewMailRule')

export const mailRuleChanges = z
  .strictObject(fields)
  .partial()
  .refine((changes) => Object.keys(changes).length > 0, MUST_CHANGE)
  .openapi('MailRuleChanges', { minProperties: 1, example: { enabled: false } })

export const mailRuleReport = z
  .object({
    ...ruleReport,
    id: z.int().openapi({ example: 1 }),
    name: z.string().openapi({ example: 'order-filled' }),
    when: z.unknown().openapi({ example: { status: { became: ['filled'] } } }),
    template: z.string().nullable().openapi({ example: 'order-filled' }),
    recipients: z.unknown().openapi({ example: [{ setting: 'ALERT_RECIPIENTS' }] }),
  })
  .openapi('MailRule')
