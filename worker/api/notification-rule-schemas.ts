import { z } from '@hono/zod-openapi'
import {
  MAX_RECIPIENTS,
  notificationOfRule,
  ops,
  tableName,
  userColumn,
  when,
} from '../rules/rule.ts'
import { ruleCategory, ruleName } from './mail-rule-schemas.ts'
import { contentFault } from './notification-content.ts'

/** What the API of notification rules takes and gives; refused in words. */

/** Stored as jsonb, which is written with a space here and there. */
const MAX_NOTIFICATION_BYTES = 16_384

const { title, link, content } = notificationOfRule.shape

const notification = z
  .strictObject({ title, link, content }, { error: 'must be an object with a title' })
  .superRefine((told, context) => {
    const fault = contentFault(told)
    if (fault !== null) context.addIssue({ code: 'custom', ...fault })
    else if (bytesOf(told) > MAX_NOTIFICATION_BYTES)
      context.addIssue({
        code: 'custom',
        message: `must be of at most ${MAX_NOTIFICATION_BYTES} bytes`,
      })
  })
  .openapi({
    description:
      'What the user is told. Its texts may hold `{column}`, filled in from the row that changed; in a link the value is encoded, unless the link is one `{column}` and nothing else.',
    example: { title: '{product_name} has arrived', link: '/orders/{id}', content: {} },
  })

const recipients = z
  .array(userColumn, { error: 'must be a list' })
  .min(1, 'must name at least one recipient')
  .max(MAX_RECIPIENTS, `must name at most ${MAX_RECIPIENTS}`)
  .openapi({
    description: 'Columns that hold the id of a user.',
    example: [{ user: 'customer_id' }],
  })

const fields = {
  name: ruleName,
  table: tableName.openapi({ description: 'A watched table.', example: 'orders' }),
  ops: ops.openapi({ example: ['update'] }),
  when: when.openapi({
    description: 'Column → one test, as in rules of mail. All must hold; `{}` holds always.',
    example: { status: { became: ['delivered'] } },
  }),
  notification,
  category: ruleCategory,
  recipients,
  enabled: z.boolean({ error: 'must be true or false' }),
}

export const newNotificationRule = z
  .strictObject({
    ...fields,
    ops: fields.ops.default(['insert', 'update']),
    when: fields.when.default({}),
    category: fields.category.default('general'),
    enabled: fields.enabled.default(true),
  })
  .openapi('NewNotificationRule')

export const notificationRuleChanges = z
  .strictObject(fields)
  .partial()
  .refine((changes) => Object.keys(changes).length > 0, 'must hold at least one field to change')
  .openapi('NotificationRuleChanges', { minProperties: 1, example: { enabled: false } })

const instant = z.string().openapi({ format: 'date-time' })

/** As the row is, whoever wrote it: it may hold what the API would not take. */
export const notificationRuleReport = z
  .object({
    id: z.int().openapi({ example: 2 }),
    name: z.string().openapi({ example: 'order-shipped' }),
    table: z.string().openapi({ example: 'orders' }),
    ops: z.array(z.string()).openapi({ example: ['insert', 'update'] }),
    when: z.unknown().openapi({ example: { status: { became: ['shipped'] } } }),
    notification: z.unknown().openapi({ example: { title: 'Your order was shipped' } }),
    category: z.string().openapi({ example: 'orders' }),
    recipients: z.unknown().openapi({ example: [{ user: 'customer_id' }] }),
    enabled: z.boolean(),
    version: z.int().openapi({ description: 'Grows by one with each update.', example: 1 }),
    created_at: instant,
    updated_at: instant,
    problem: z.string().nullable().openapi({
      description: 'Why it does nothing; null if it is in force or switched off.',
      example: null,
    }),
  })
  .openapi('NotificationRule')

function bytesOf(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).length
}
