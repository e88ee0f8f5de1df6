import { z } from '@hono/zod-openapi'
import { ops, tableName } from '../rules/rule.ts'

/** What the APIs of rules take and give whatever the channel; refused in words. */

const NAME_RULE = 'must be 1 to 100 letters, digits, dots, dashes or underscores'
const CATEGORY_RULE = 'must be 1 to 64 letters, digits, dots, dashes or underscores'

const category = z
  .string({ error: CATEGORY_RULE })
  .refine((text) => /^[\p{L}\p{N}_.-]{1,64}$/u.test(text), CATEGORY_RULE)
  .openapi({ description: 'What users may want to hear nothing of.', example: 'orders' })
const enabled = z.boolean({ error: 'must be true or false' })
const onOps = ops.openapi({ example: ['update'] })

export const ruleFields = {
  name: z
    .string({ error: NAME_RULE })
    .refine((text) => /^[\p{L}\p{N}_.-]{1,100}$/u.test(text), NAME_RULE)
    .openapi({ description: 'Of its own among all rules.', example: 'order-shipped' }),
  table: tableName.openapi({ description: 'A watched table.', example: 'orders' }),
  ops: onOps,
  category,
  enabled,
}

/** What a new rule need not say. */
export const ruleDefaults = {
  ops: onOps.default(['insert', 'update']),
  category: category.default('general'),
  enabled: enabled.default(true),
}

export const MUST_CHANGE = 'must hold at least one field to change'

const instant = z.string().openapi({ format: 'date-time' })

/** As the row is, whoever wrote it: it may hold what the API would not take. */
export const ruleReport = {
  table: z.string().openapi({ example: 'orders' }),
  ops: z.array(z.string()).openapi({ example: ['insert', 'update'] }),
  category: z.string().openapi({ example: 'orders' }),
  enabled: z.boolean(),
  version: z.int().openapi({ description: 'Grows by one with each update.', example: 1 }),
  created_at: instant,
  updated_at: instant,
  problem: z.string().nullable().openapi({
    description: 'Why it does nothing; null if it is in force or switched off.',
    example: null,
  }),
}
