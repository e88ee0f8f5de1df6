import { SAFE_TO_REPEAT_MS } from './attempt.ts'
import type { Row } from './row.ts'
import type { Rows } from './rows.ts'

/**
 * What goes into the next request. Whoever has waited longest goes first; what is in doubt goes
 * alone, or with exactly those it went with before. While the provider is in trouble one delivery
 * is tried, and rather one that has not been: so no one spends its attempts for all.
 *
 * @param most in one request
 * @param probing whether the provider is in trouble
 */
export function nextDue(rows: Rows, now: number, most: number, probing: boolean): Row[] {
  const [fresh, doubtful] = [0, 1].map((alone) => firstDue(rows, alone, now))
  if (fresh && (probing || !doubtful || fresh.next_at <= doubtful.next_at))
    return rows.sql
      .exec<Row>(
        'SELECT * FROM deliveries WHERE alone = 0 AND next_at <= ? ORDER BY next_at, id LIMIT ?',
        now,
        probing ? 1 : most,
      )
      .toArray()
  const row = doubtful && rows.get(doubtful.id)
  if (!row) return []
  return row.batch === null ? [row] : rows.ofBatch(row.batch)
}

/** When the courier has something to do next; null for never. */
export function nextAt({ sql }: Rows, pausedUntil: number): number | null {
  const { fresh, doubtful, overdue, forgotten } = sql
    .exec<Record<'fresh' | 'doubtful' | 'overdue' | 'forgotten', number | null>>(
      `SELECT (SELECT min(next_at) FROM deliveries WHERE alone = 0 AND next_at IS NOT NULL) AS fresh,
              (SELECT min(next_at) FROM deliveries WHERE alone = 1 AND next_at IS NOT NULL) AS doubtful,
              (SELECT min(doubt_since) FROM deliveries WHERE doubt_since IS NOT NULL) AS overdue,
              (SELECT min(forget_at) FROM deliveries WHERE forget_at IS NOT NULL) AS forgotten`,
    )
    .one()
  const times = [
    ...[fresh, doubtful].map((at) => at !== null && Math.max(at, pausedUntil)),
    overdue !== null && overdue + SAFE_TO_REPEAT_MS,
    forgotten,
  ].filter((at) => at !== null && at !== false)
  return times.length === 0 ? null : Math.min(...times)
}

type Due = { id: number; next_at: number }

function firstDue({ sql }: Rows, alone: number, now: number): Due | null {
  const [row] = sql.exec<Due>(
    'SELECT id, next_at FROM deliveries WHERE alone = ? AND next_at <= ? ORDER BY next_at, id LIMIT 1',
    alone,
    now,
  )
  return row ?? null
}
