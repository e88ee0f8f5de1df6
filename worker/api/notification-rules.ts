import type { z } from '@hono/zod-openapi'
import type { Row } from '../../protocol/change.ts'
import { columnsIn } from '../notices/fill-in.ts'
import { readInboxRule, whyNotTable } from '../notices/inbox-rule.ts'
import { unknownNames } from '../rules/unknown-names.ts'
import { database } from './database.ts'
import {
  newNotificationRule,
  notificationRuleChanges,
  notificationRuleReport,
} from './notification-rule-schemas.ts'
import { ruleRoutes } from './rule-routes.ts'
import { readWatchedTables } from './watched-tables.ts'

/** Which change notifies which user of what. */
export const notificationRules = ruleRoutes<z.infer<typeof newNotificationRule>>({
  channel: 'inbox',
  path: '/api/notification-rules',
  tags: ['Notifications'],
  noun: { one: 'rule of the inbox', many: 'rules of the inbox' },
  afterDeletion: 'What it owed already is told.',
  written: newNotificationRule,
  changes: notificationRuleChanges,
  report: notificationRuleReport,

  shown({ channel: _, endpoint: __, template: ___, ...shown }) {
    return shown
  },

  writtenOf({ name, table, ops, when, notification, category, recipients, enabled }) {
    return { name, table, ops, when, notification, category, recipients, enabled }
  },

  problemOf(row) {
    const reading = readInboxRule(row as Row)
    return reading.ok ? null : reading.problem
  },

  async refusals(rule, env) {
    const why = whyNotTable(rule)
    if (why !== null) return [{ path: 'table', message: why }]
    const filledIn = columnsIn(rule.notification)
    // Read anew: a refusal must not stand on what an isolate remembers, and rules are seldom written.
    return unknownNames({ ...rule, filledIn }, await readWatchedTables(database(env)))
  },
})
