import type { Row } from '../../protocol/change.ts'
import { type MailRule, mailRule } from '../rules/rule.ts'
import { onOneLine } from './line.ts'
import { templateNamed, templates } from './templates/all.ts'

/** A path may hold the name of a column, which is anybody's. */
const PATH_MAX = 100

/** A rule of mail as it may be used, or why it is inert. */
export type MailRuleReading = { ok: true; rule: MailRule } | { ok: false; problem: string }

/** @param row of `rules`, as a change carries it */
export function readMailRule(row: Row): MailRuleReading {
  const { data: rule, error } = mailRule.safeParse(row)
  if (error) {
    const issue = error.issues[0]
    return {
      ok: false,
      problem: `${onOneLine(issue?.path.join('.') ?? '', PATH_MAX)}: ${issue?.message}`,
    }
  }
  const why = whyNotTemplate(rule)
  return why === null ? { ok: true, rule } : { ok: false, problem: `template: ${why}` }
}

/** Why a template cannot tell of what a rule is about; null if it can. */
export function whyNotTemplate(rule: Pick<MailRule, 'template' | 'table' | 'ops'>): string | null {
  const template = templateNamed(rule.template)
  if (!template?.rules) return `must be one of ${namesForRules().join(', ')}`
  const { tables, ops } = template.rules
  if (tables !== null && !tables.includes(rule.table))
    return `${template.name} tells of ${tables.join(', ')}, not of ${rule.table}`
  const op = rule.ops.find((each) => !ops.includes(each))
  return op === undefined ? null : `${template.name} tells of ${ops.join(' and ')}, not of ${op}`
}

function namesForRules(): string[] {
  return templates.filter(({ rules }) => rules !== null).map(({ name }) => name)
}
