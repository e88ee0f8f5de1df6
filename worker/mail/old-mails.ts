import { forgetAt } from '../courier/attempt.ts'
import { NO_HISTORY, withEntry } from '../courier/history.ts'
import { hashOf, tagOf } from '../courier/name.ts'
import type { Row } from '../courier/row.ts'
import type { Rows } from '../courier/rows.ts'
import { sameMailbox } from './recipients.ts'

/**
 * Moves the mails of an earlier version, which knew one rule, into the ledger. They keep the
 * idempotency keys they had, `<change>/<recipient>`, as what is in doubt may have gone out under
 * them. That version kept no copy of what it sent: should Resend know the key with other content,
 * it says so, and the mail is `unknown` for a person.
 *
 * A thousand at a time, each in one transaction that also forgets them: a crash in between moves
 * none twice.
 */
const AT_ONCE = 1_000
/** The rule that the first migration installs. */
const RULE = { rule: 1, rule_name: 'order-filled' }

export async function moveOldMails(rows: Rows): Promise<void> {
  const { sql } = rows
  const found = sql.exec(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'mails'`)
  if (found.toArray().length === 0) return
  for (;;) {
    const old = sql.exec<OldMail>('SELECT rowid, * FROM mails ORDER BY rowid LIMIT ?', AT_ONCE)
    const moved = await Promise.all(old.toArray().map(rowOf))
    const last = moved.at(-1)
    if (!last) break
    rows.write(() => {
      for (const { row } of moved) rows.add(row)
      sql.exec('DELETE FROM mails WHERE rowid <= ?', last.rowid)
    })
  }
  sql.exec('DROP TABLE mails')
  sql.exec('DROP TABLE IF EXISTS pause')
}

type OldMail = {
  rowid: number
  change: string
  mailbox: string
  recipient: string
  order: string
  state: 'queued' | 'sending' | 'sent' | 'parked'
  attempts: number
  first_at: number | null
  next_at: number
  last_error: string | null
  provider_id: string | null
  created_at: number
  sent_at: number | null
}

async function rowOf(old: OldMail): Promise<{ rowid: number; row: Omit<Row, 'id'> }> {
  const hash = await hashOf(old.mailbox)
  const order = JSON.parse(old.order) as { id: number | string; customer_email: string | null }
  const isCustomer = sameMailbox(order.customer_email ?? '') === old.mailbox
  const { state, next_at, forget_at, doubt_since } = standingOf(old)
  const body = {
    template: 'order-filled',
    audience: isCustomer ? 'customer' : 'staff',
    category: 'orders',
    data: order,
  }
  const row: Omit<Row, 'id'> = {
    ...RULE,
    tag: tagOf(old.change, RULE.rule, hash),
    base_key: `${old.change}/${hash}`,
    round: 0,
    change: old.change,
    table_name: 'orders',
    row_key: String(order.id),
    recipient: old.recipient,
    recipient_key: old.mailbox,
    body: JSON.stringify(body),
    state,
    attempts: old.attempts,
    alone: doubt_since === null ? 0 : 1,
    first_at: old.first_at,
    next_at,
    doubt_since,
    forget_at,
    batch: null,
    payload: null,
    provider_id: old.provider_id,
    word: null,
    sent_at: old.sent_at,
    last_error: old.last_error,
    created_at: old.created_at,
    history: old.sent_at === null ? NO_HISTORY : withEntry(NO_HISTORY, 'sent', old.sent_at, null),
  }
  return { rowid: old.rowid, row }
}

type Standing = Pick<Row, 'state' | 'next_at' | 'forget_at' | 'doubt_since'>

function standingOf({
  state,
  attempts,
  first_at,
  next_at,
  last_error,
  created_at,
  sent_at,
}: OldMail): Standing {
  const settledAt = sent_at ?? created_at
  switch (state) {
    case 'sent':
      return { state, next_at: null, forget_at: forgetAt(state, settledAt), doubt_since: null }
    case 'parked': {
      // That version's own words for those whose outcome it did not know.
      const isUnclear = /^(Given up after|It may have gone out)/.test(last_error ?? '')
      const doubt_since = isUnclear ? first_at : null
      return { state, next_at: null, forget_at: forgetAt(state, settledAt), doubt_since }
    }
    default:
      return attempts === 0
        ? { state: 'queued', next_at, forget_at: null, doubt_since: null }
        : { state: 'failed', next_at, forget_at: null, doubt_since: first_at }
  }
}
