import type { z } from '@hono/zod-openapi'
import type { Row } from '../../protocol/change.ts'
import { readMailRule, whyNotTemplate } from '../mail/mail-rule.ts'
import { unknownNames } from '../rules/unknown-names.ts'
import { database } from './database.ts'
import { mailRuleChanges, mailRuleReport, newMailRule } from './mail-rule-schemas.ts'
import { ruleRoutes } from './rule-routes.ts'
import { readWatchedTables } from './watched-tables.ts'

/** Which change owes which mail to whom. */
export const mailRules = ruleRoutes<z.infer<typeof newMailRule>>({
  channel: 'mail',
  path: '/api/mail-rules',
  tags: ['Mail'],
  noun: { one: 'rule of mail', many: 'rules of mail' },
  afterDeletion: 'Mails that it owed already go out.',
  written: newMailRule,
  changes: mailRuleChanges,
  report: mailRuleReport,

  shown({ channel: _, endpoint: __, notification: ___, ...shown }) {
    return shown
  },

  writtenOf({ name, table, ops, when, template, category, recipients, enabled }) {
    return { name, table, ops, when, template, category, recipients, enabled }
  },

  problemOf(row) {
    const reading = readMailRule(row as Row)
    return reading.ok ? null : reading.problem
  },

  async refusals(rule, env) {
    const why = whyNotTemplate(rule)
    // Read anew: a refusal must not stand on what an isolate remembers, and rules are seldom written.
    const unknown = unknownNames(rule, await readWatchedTables(database(env)))
    return why === null ? unknown : [...unknown, { path: 'template', message: why }]
  },
})
