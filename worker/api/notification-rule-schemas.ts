import { z } from '@hono/zod-openapi'
import { MAX_RECIPIENTS, notificationOfRule, userColumn, when } from '../rules/rule.ts'
import { contentFault } from './notification-content.ts'
import { MUST_CHANGE, ruleDefaults, ruleFields, ruleReport } from './rule-schemas.ts'

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

const { name, table, ops, category, enabled } = ruleFields

const fields = {
  name,
  table,
  ops,
  when: when.openapi({
    description: 'Column → one test, as in rules of mail. All must hold; `{}` holds always.',
    example: { status: { became: ['delivered'] } },
  }),
  notification,
  category,
  recipients,
  enabled,
}

export const newNotificationRule = z
  .strictObject({
    ...fields,
    ...ruleDefaults,
    when: fields.when.default({}),
  })
  .openapi('NewNotificationRule')

export const notificationRuleChanges = z
  .strictObject(fields)
  .partial()
  .refine((changes) => Object.keys(changes).length > 0, MUST_CHANGE)
  .openapi('NotificationRuleChanges', { minProperties: 1, example: { enabled: false } })

export const notificationRuleReport = z
  .object({
    ...ruleReport,
    id: z.int().openapi({ example: 2 }),
    name: z.string().openapi({ example: 'order-shipped' }),
    when: z.unknown().openapi({ example: { status: { became: ['shipped'] } } }),
    notification: z.unknown().openapi({ example: { title: 'Your order was shipped' } }),
    recipients: z.unknown().openapi({ example: [{ user: 'customer_id' }] }),
  })
  .openapi('NotificationRule')

function bytesOf(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).length
}
