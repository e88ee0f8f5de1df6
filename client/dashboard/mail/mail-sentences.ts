import { type DeliveryState, deliveryStates } from '../../../protocol/delivery-states.ts'
import type { Refusal } from '../refusal.ts'
import type { Occurrence } from './email.ts'
import type { MailQuery } from './query.ts'
import type { Rule } from './rule.ts'

/** "a row of orders is inserted or updated, and status becomes filled" */
export function whenSentence({ table, ops, when }: Pick<Rule, 'table' | 'ops' | 'when'>): string {
  const happens = either(ops.map((op) => (op === 'insert' ? 'inserted' : `${op}d`)))
  const tests = Object.entries(record(when)).map(([column, test]) => testClause(column, test))
  return [`a row of ${table} is ${happens}`, ...tests].join(', and ')
}

function testClause(column: string, test: unknown): string {
  const { became, is, was, changed } = record(test)
  if (became !== undefined) return `${column} becomes ${either(list(became))}`
  if (is !== undefined) return `${column} is ${either(list(is))}`
  if (was !== undefined) return `${column} was ${either(list(was))}`
  if (changed === true) return `${column} changes`
  return `${column} passes ${JSON.stringify(test)}`
}

/** "the addresses in ALERT_RECIPIENTS and the row’s customer_email" */
export function recipientWords({ recipients }: Pick<Rule, 'recipients'>): string {
  const all = Array.isArray(recipients) ? recipients : [recipients]
  return all.map(oneRecipient).join(' and ') || 'nobody'
}

function oneRecipient(recipient: unknown): string {
  const { setting, column, address, user } = record(recipient)
  if (typeof setting === 'string') return `the addresses in ${setting}`
  if (typeof column === 'string') return `the row’s ${column}`
  if (typeof address === 'string') return address
  if (typeof user === 'string') return `the user in ${user}, as they prefer`
  return JSON.stringify(recipient)
}

/** "parked or unknown mails about order #42 to ada@example.com" */
export function queryWords(query: MailQuery, ruleName: string | null): string {
  const states = query.states.length === 0 ? 'all mails' : `${either(query.states)} mails`
  const parts = [
    states,
    query.order !== null && `about order #${query.order}`,
    query.recipient !== null && `to ${query.recipient}`,
    query.rule !== null && `of the rule ${ruleName ?? query.rule}`,
  ]
  return parts.filter(Boolean).join(' ')
}

/** What the API says, without the routes that it names: here there are buttons. */
export function refusalWords({ title, detail }: Pick<Refusal, 'title' | 'detail'>): string {
  const said = detail.split(/(?<=[.!?]) /).filter((sentence) => !/ \/api\//.test(sentence))
  return [`${title}.`, ...said].join(' ').trim()
}

const words: Readonly<Record<string, string>> = {
  queued: 'Queued',
  attempt: 'Attempt',
  sent: 'Sent',
  failed: 'Failed',
  held: 'Held back',
  redriven: 'Tried again by a person',
  cancelled: 'Cancelled by a person',
  parked: 'Parked for a person',
  unknown: 'Outcome unknown',
  suppressed: 'Withheld',
  delivered: 'Delivered',
  delayed: 'Delayed on its way',
  bounced: 'Bounced',
  complained: 'Marked as spam',
  opened: 'Opened',
  clicked: 'A link was clicked',
}

/** What happened, in words; a kind that we do not know speaks for itself. */
export function occurrenceWord({ kind }: Occurrence): string {
  const last = kind.split('.').at(-1) ?? kind
  return words[last] ?? `${last.charAt(0).toUpperCase()}${last.slice(1).replaceAll('_', ' ')}`
}

/** Without the word of the provider that it was sent, right after its answer said so. */
export function told(history: readonly Occurrence[]): Occurrence[] {
  return history.filter(
    ({ kind, detail }, index) =>
      kind !== 'sent' || detail !== null || history[index - 1]?.kind !== 'sent',
  )
}

/** The state whose colour it has. */
export function occurrenceState({ kind }: Occurrence): DeliveryState {
  const last = kind.split('.').at(-1)
  return deliveryStates.find((state) => state === last) ?? 'queued'
}

function either(names: readonly string[]): string {
  if (names.length < 2) return names[0] ?? 'nothing'
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** One value may be given without a list. */
function list(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).map((each) =>
    each === null ? 'null' : typeof each === 'object' ? JSON.stringify(each) : String(each),
  )
}
