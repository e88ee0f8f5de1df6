import type { Change } from '../../protocol/change.ts'
import type { Owed } from '../courier/delivery.ts'
import { type Match, matches } from '../rules/condition.ts'
import { keyText } from '../rules/key-text.ts'
import type { WebhookRule } from '../rules/rule.ts'
import { isWanted } from '../rules/wish.ts'
import { type Endpoint, endpointRow } from './endpoint.ts'
import { changeMessage } from './message.ts'

/**
 * What a change owes to which endpoint, under these rules; and what it says of endpoints itself.
 *
 * Must hold: a change goes to an endpoint once, however many of its rules are about it and
 * however they change meanwhile. So its rules together are one to the ledger: NO_RULE. A
 * notification that its user does not want told to webhooks goes to none.
 */
export type OwedWebhooks = { owed: Owed[]; failures: string[] }

/** In the ledger's place for a rule's id; no rule has it. */
export const NO_RULE = 0

export function owedWebhooks(change: Change, rules: readonly WebhookRule[]): OwedWebhooks {
  if (!isWanted(change, 'webhook')) return { owed: [], failures: [] }
  const found = rules.map((rule) => ({ endpoint: rule.endpoint, match: matchOf(rule, change) }))
  const endpointsWith = (match: Match) => [
    ...new Set(found.filter((each) => each.match === match).map(({ endpoint }) => endpoint)),
  ]
  const sure = endpointsWith('yes')
  const unsure = endpointsWith('unknown').filter((endpoint) => !sure.includes(endpoint))
  const body = sure.length === 0 ? '' : changeMessage(change)
  return {
    owed: sure.map((recipient) => owedTo(recipient, change, body)),
    failures: unsure.map((endpoint) => tooLarge(change, endpoint)),
  }
}

/** A row need not be seen to meet a rule without conditions. */
function matchOf(rule: WebhookRule, change: Change): Match {
  const match = matches(rule, change)
  return match === 'unknown' && Object.keys(rule.when).length === 0 ? 'yes' : match
}

function owedTo(recipient: string, { id, table, op, key }: Change, body: string): Owed {
  const ruleName = `${table}.${op}`
  return { rule: NO_RULE, ruleName, change: id, table, key: keyText(key), recipient, body }
}

/** What an endpoint's object is to be told: where the endpoint is now, or that it is no more. */
export type Moved = { kind: 'configure'; endpoint: Endpoint } | { kind: 'forget'; id: string }

export function movedEndpoints({ table, op, new: now, old, key }: Change): Moved[] {
  if (table !== 'webhook_endpoints') return []
  const endpoint = endpointRow.safeParse(now).data
  const before = endpointKey.safeParse(op === 'delete' ? key : old).data
  return [
    ...(before && before.id !== endpoint?.id ? [{ kind: 'forget' as const, id: before.id }] : []),
    ...(endpoint ? [{ kind: 'configure' as const, endpoint }] : []),
  ]
}

const endpointKey = endpointRow.pick({ id: true })

function tooLarge({ table, key }: Change, endpoint: string): string {
  return `The row ${keyText(key)} of ${table} was too large to travel, so it is not known whether the webhook ${endpoint} is to be told. Look at the row, and tell its receiver by hand.`
}
