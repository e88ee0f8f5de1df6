import type { Row } from '../../protocol/change.ts'
import { readMailRule } from '../mail/mail-rule.ts'
import { readInboxRule } from '../notices/inbox-rule.ts'
import { Book } from './book.ts'
import { type InboxRule, type MailRule, type WebhookRule, webhookRule } from './rule.ts'

/** The rules of one channel, as they stand at its consumer's place in the log. */
export function mailRulebook(sql: SqlStorage, load: () => Promise<Row[]>): Book<MailRule> {
  const read = (row: Row) => {
    const reading = readMailRule(row)
    return reading.ok ? reading.rule : null
  }
  return new Book(sql, { name: 'mail', table: 'rules', read, load })
}

export function inboxRulebook(sql: SqlStorage, load: () => Promise<Row[]>): Book<InboxRule> {
  const read = (row: Row) => {
    const reading = readInboxRule(row)
    return reading.ok ? reading.rule : null
  }
  return new Book(sql, { name: 'inbox', table: 'rules', read, load })
}

export function webhookRulebook(sql: SqlStorage, load: () => Promise<Row[]>): Book<WebhookRule> {
  const read = (row: Row) => webhookRule.safeParse(row).data ?? null
  return new Book(sql, { name: 'webhook', table: 'rules', read, load })
}
