import { z } from 'zod'
import type { CapturedChange } from '../../protocol/change.ts'
import type { MailRule } from '../rules/rule.ts'
import { templateNamed } from './templates/all.ts'

/**
 * What a delivery carries to the mailer: which template, for whom, and the little that the
 * template keeps of the change. The mail itself is made when it is sent: letter.ts.
 */
export const mailBody = z.object({
  template: z.string(),
  audience: z.enum(['staff', 'customer']),
  category: z.string(),
  data: z.unknown(),
})
export type MailBody = z.infer<typeof mailBody>
export type Audience = MailBody['audience']

/** @throws if the change does not have what the template needs */
export function bodyOf(rule: MailRule, change: CapturedChange): (audience: Audience) => string {
  const { template } = rule
  const category = categoryOf(change) ?? rule.category
  const kept = templateNamed(template)?.rules?.keep(change)
  if (kept === undefined) throw new Error(`there is no template "${template}" for rules.`)
  if (!kept.ok) throw new Error(`the template ${template} cannot be filled in: ${kept.why}.`)
  const { data } = kept
  return (audience) => JSON.stringify({ template, audience, category, data } satisfies MailBody)
}

/** A notification has a category of its own, and its user's wishes are about that. */
function categoryOf({ table, new: now, old }: CapturedChange): string | null {
  const category = table === 'notifications' ? (now ?? old)?.category : null
  return typeof category === 'string' ? category : null
}
