import { z } from 'zod'

/**
 * Which change owes which mail to whom, as the API answers it. Its row may have been written by
 * SQL and hold anything: `problem` then says why it does nothing.
 */
export const rule = z.object({
  id: z.int(),
  version: z.int(),
  name: z.string(),
  table: z.string(),
  ops: z.array(z.string()),
  when: z.unknown(),
  template: z.string().nullable(),
  category: z.string(),
  recipients: z.unknown(),
  enabled: z.boolean(),
  problem: z.string().nullable(),
})
export type Rule = z.infer<typeof rule>

export const rulesAnswer = z.object({ rules: z.array(rule) })

const template = z.object({
  name: z.string(),
  description: z.string(),
  /** Empty: it is not for rules. */
  ops: z.array(z.string()),
})
export type Template = z.infer<typeof template>

export const templatesAnswer = z.object({ templates: z.array(template) })
