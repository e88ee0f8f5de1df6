import type { Row } from '../../worker/courier/row.ts'

export const NOW = Date.parse('2026-11-21T08:00:00Z')
export const HOUR_MS = 3_600_000

/** A delivery that waits for its first attempt. */
export function waiting(more: Partial<Row> = {}): Row {
  return {
    id: 1,
    tag: 'change-1-00000000000000000000000000000000',
    base_key: 'change/1/00000000000000000000000000000000',
    round: 0,
    rule: 1,
    rule_name: 'order-filled',
    change: 'change',
    table_name: 'orders',
    row_key: '42',
    recipient: 'ada@example.com',
    recipient_key: 'ada@example.com',
    body: '{}',
    state: 'queued',
    attempts: 0,
    alone: 0,
    first_at: null,
    next_at: NOW,
    doubt_since: null,
    forget_at: null,
    batch: null,
    payload: null,
    provider_id: null,
    word: null,
    sent_at: null,
    last_error: null,
    created_at: NOW,
    history: '[]',
    ...more,
  }
}
