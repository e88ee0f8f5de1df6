import type { Row } from '../../protocol/change.ts'
import { onOneLine } from '../mail/line.ts'
import { type InboxRule, inboxRule } from '../rules/rule.ts'

/** A path may hold the name of a column, which is anybody's. */
const PATH_MAX = 100

/** A rule of the inbox as it may be used, or why it is inert. */
export type InboxRuleReading = { ok: true; rule: InboxRule } | { ok: false; problem: string }

/** @param row of `rules`, as a change carries it */
export function readInboxRule(row: Row): InboxRuleReading {
  const { data: rule, error } = inboxRule.safeParse(row)
  if (error) {
    const issue = error.issues[0]
    return {
      ok: false,
      problem: `${onOneLine(issue?.path.join('.') ?? '', PATH_MAX)}: ${issue?.message}`,
    }
  }
  const why = whyNotTable(rule)
  return why === null ? { ok: true, rule } : { ok: false, problem: `table: ${why}` }
}

/** A notification about every notification would never end. */
export function whyNotTable({ table }: Pick<InboxRule, 'table'>): string | null {
  return table === 'notifications'
    ? 'must be another: a notification about notifications would cause the next, without end'
    : null
}
