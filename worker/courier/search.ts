import { type DeliveryState, deliveryStates, redrivable } from '../../protocol/delivery-states.ts'
import type { DeliveryFilter } from './delivery.ts'
import type { ListedRow } from './row.ts'

/**
 * Finding deliveries, newest first, by whatever a person filters with. Each question is led by
 * one index, so that a page costs what it shows and not what the ledger holds.
 */

/** A filter as the ledger has it: the recipient by its key. */
export type Search = Omit<DeliveryFilter, 'recipient'> & { recipientKey?: string }

const LISTED =
  'id, tag, base_key, round, rule, rule_name, change, table_name, row_key, recipient, recipient_key, state, attempts, alone, first_at, next_at, doubt_since, forget_at, batch, provider_id, word, sent_at, last_error, created_at'

/** @param before only those with a smaller id */
export function find(
  sql: SqlStorage,
  search: Search,
  limit: number,
  before: number | null,
): ListedRow[] {
  if (isLedByState(search)) {
    // Each state by itself comes out of its index in order; together they would have to be sorted.
    return statesOf(search)
      .flatMap((state) => page(sql, { ...search, states: [state] }, limit, before))
      .sort((a, b) => b.id - a.id)
      .slice(0, limit)
  }
  return page(sql, search, limit, before)
}

/** Ids of what a redrive would look at, newest first. */
export function findRedrivable(
  sql: SqlStorage,
  search: Search,
  limit: number,
  before: number,
): number[] {
  const { where, values } = conditions(onlyRedrivable(search))
  return sql
    .exec<{ id: number }>(
      `SELECT id FROM deliveries WHERE ${where} AND id < ? ORDER BY id DESC LIMIT ?`,
      ...values,
      before,
      limit,
    )
    .toArray()
    .map(({ id }) => id)
}

/** With whatever shares a request with one of them, as it is redriven too. */
export function countRedrivable(sql: SqlStorage, search: Search): number {
  const { where, values } = conditions(onlyRedrivable(search))
  const free = '(batch IS NULL OR doubt_since IS NOT NULL)'
  return sql
    .exec(
      `SELECT (SELECT count(*) FROM deliveries WHERE ${where} AND batch IS NULL)
            + (SELECT count(*) FROM deliveries
                WHERE doubt_since IS NOT NULL AND next_at IS NULL AND state <> 'sending'
                  AND batch IN (SELECT batch FROM deliveries WHERE ${where} AND batch IS NOT NULL AND ${free})) AS n`,
      ...values,
      ...values,
    )
    .one().n as number
}

/** When the oldest that is not sent yet was owed, in ms since 1970; null if none waits. */
export function oldestWaiting(sql: SqlStorage): number | null {
  const oldest = (['queued', 'sending', 'failed'] satisfies DeliveryState[]).flatMap((state) =>
    sql
      .exec<{ created_at: number }>(
        'SELECT created_at FROM deliveries WHERE state = ? ORDER BY id LIMIT 1',
        state,
      )
      .toArray(),
  )
  return oldest.length === 0 ? null : Math.min(...oldest.map((row) => row.created_at))
}

function page(sql: SqlStorage, search: Search, limit: number, before: number | null): ListedRow[] {
  const { where, values } = conditions(search)
  return sql
    .exec<ListedRow>(
      `SELECT ${LISTED} FROM deliveries WHERE ${where} AND id < ? ORDER BY id DESC LIMIT ?`,
      ...values,
      before ?? Number.MAX_SAFE_INTEGER,
      limit,
    )
    .toArray()
}

/** `+` keeps a column from leading where another one is narrower. */
function conditions(search: Search): { where: string; values: (string | number)[] } {
  const { states, table, key, recipientKey, rule } = search
  const byRow = table !== undefined && key !== undefined
  const byRecipient = !byRow && recipientKey !== undefined
  const parts: [string, (string | number)[]][] = []
  if (table !== undefined) parts.push([`${byRow ? '' : '+'}table_name = ?`, [table]])
  if (key !== undefined) parts.push([`${byRow ? '' : '+'}row_key = ?`, [key]])
  if (recipientKey !== undefined)
    parts.push([`${byRecipient ? '' : '+'}recipient_key = ?`, [recipientKey]])
  if (rule !== undefined) parts.push(['rule = ?', [rule]])
  if (states !== undefined) {
    const column = byRow || byRecipient ? '+state' : 'state'
    parts.push([`${column} IN (${states.map(() => '?').join(', ')})`, states])
  }
  return {
    where: parts.length === 0 ? '1' : parts.map(([sql]) => sql).join(' AND '),
    values: parts.flatMap(([, values]) => values),
  }
}

function isLedByState({ states, table, key, recipientKey }: Search): boolean {
  return (
    states !== undefined && recipientKey === undefined && (table === undefined || key === undefined)
  )
}

function statesOf({ states }: Search): DeliveryState[] {
  return deliveryStates.filter((state) => states?.includes(state))
}

function onlyRedrivable(search: Search): Search {
  const wanted: readonly DeliveryState[] = search.states ?? redrivable
  return { ...search, states: redrivable.filter((state) => wanted.includes(state)) }
}
