import type { Row } from '../../protocol/change.ts'
import { micros } from '../../protocol/instant.ts'
import type { Copy } from './copy.ts'
import type { Duties } from './duties.ts'

/** However far away a time is, the object looks again after so long. */
const MOST_MS = 30 * 86_400_000

/**
 * When the object has something to do next: pure. Early is no harm, because Postgres says what is
 * due; late would be.
 * `askAt`: before this Postgres is not asked, because it did not answer. `loadAt`: before this the
 * copy is not filled.
 * @returns ms since 1970; infinity if it may sleep
 */
export function wakeAt(
  copy: Copy | null,
  { dueAt, late, wanted, lookAt }: Duties,
  { askAt, loadAt, now }: { askAt: number; loadAt: number; now: number },
): number {
  const asks: number[] = []
  if (dueAt !== null) asks.push(dueAt)
  if (late.length > 0) asks.push(now)
  if (wanted !== null || copy?.isStale) asks.push(Math.max(now, loadAt))
  const times = asks.map((at) => Math.max(at, askAt))
  if (lookAt !== null) times.push(lookAt)
  if (copy) times.push(firstExpiry(copy, askAt))
  const at = Math.max(now, Math.min(...times, Number.POSITIVE_INFINITY))
  return at > now + MOST_MS && at < Number.POSITIVE_INFINITY ? now + MOST_MS : at
}

function firstExpiry({ items, older, isStale }: Copy, askAt: number): number {
  let first = Number.POSITIVE_INFINITY
  for (const item of items.values())
    if (item.kind !== 'gone' && item.expiresAt !== null) first = Math.min(first, item.expiresAt)
  if (older.expiresAt === null || isStale) return first
  return Math.min(first, Math.max(older.expiresAt, askAt))
}

/** When the first of these is due that are scheduled; null if none is. */
export function dueIn(rows: readonly Row[], now: number): number | null {
  const times = rows.flatMap(({ state, deliver_at }) => {
    if (state !== 'scheduled') return []
    const at = micros(deliver_at)
    // 'infinity' is no time here: what it means, Postgres says.
    return [at === null || Number.isNaN(at) ? now : Math.ceil(at / 1000)]
  })
  return times.length === 0 ? null : Math.min(...times)
}
