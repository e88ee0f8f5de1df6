import type { DeliveryState } from '../../protocol/delivery-states.ts'
import type { Parcel } from './channel.ts'
import type { DeliveryReport } from './delivery.ts'

/**
 * A delivery as the ledger keeps it. Times are ms since 1970.
 *
 * Its name is `tag`: change, rule and recipient. A redrive that begins anew is a new `round`,
 * with an idempotency key and a tag of its own at the provider. What stands between two rounds is
 * forgotten; within one, key and payload never change.
 */
export type Row = {
  id: number
  tag: string
  base_key: string
  round: number
  rule: number
  rule_name: string
  change: string
  table_name: string
  row_key: string
  recipient: string
  recipient_key: string
  body: string
  state: DeliveryState
  /** Under the present key. */
  attempts: number
  /** 1 if it must go in a request of its own, or in the same batch as before. */
  alone: number
  first_at: number | null
  /** Set exactly while it waits to be tried. */
  next_at: number | null
  /** Since when it may have gone out without our knowing; under way counts too. */
  doubt_since: number | null
  /** When the row may be deleted; null while it waits. */
  forget_at: number | null
  /** The key of the request that it shares with others, until that is settled for all of them. */
  batch: string | null
  /** What was sent, frozen, until it is settled. */
  payload: string | null
  provider_id: string | null
  /** The highest word heard of the provider in this round. */
  word: string | null
  sent_at: number | null
  last_error: string | null
  created_at: number
  history: string
}

/** All of a row that a list shows. */
export type ListedRow = Omit<Row, 'body' | 'payload' | 'history'>

export function keyOf({ base_key, round }: Row): string {
  return round === 0 ? base_key : `${base_key}/${round}`
}

export function parcelOf(row: Row): Parcel {
  const { id, tag, round, rule, rule_name, change, recipient, body, attempts } = row
  return {
    id,
    tag: round === 0 ? tag : `${tag}-${round}`,
    rule,
    ruleName: rule_name,
    change,
    table: row.table_name,
    key: row.row_key,
    recipient,
    body,
    attempts,
  }
}

/** @returns the delivery's own tag and the round that one at the provider stands for */
export function readTag(tag: string): { tag: string; round: number } | null {
  const match = /^(.+-[0-9a-f]{32})(?:-(\d{1,9}))?$/.exec(tag)
  return match?.[1] === undefined ? null : { tag: match[1], round: Number(match[2] ?? 0) }
}

/** @param held why the whole courier waits, and until when */
export function reportOf(row: ListedRow, held: { why: string; until: number } | null) {
  const waits = row.next_at !== null
  const report: DeliveryReport = {
    id: row.id,
    rule: row.rule,
    rule_name: row.rule_name,
    change: row.change,
    table: row.table_name,
    key: row.row_key,
    recipient: row.recipient,
    state: row.state,
    attempts: row.attempts,
    next_at: isoTime(waits && held ? Math.max(row.next_at ?? 0, held.until) : row.next_at),
    last_error: waits && held ? held.why : row.last_error,
    provider_id: row.provider_id,
    created_at: new Date(row.created_at).toISOString(),
    first_at: isoTime(row.first_at),
    sent_at: isoTime(row.sent_at),
  }
  return report
}

function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
