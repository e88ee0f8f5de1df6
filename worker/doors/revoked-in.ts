import type { Change, Row } from '../../protocol/change.ts'
import { micros } from '../../protocol/instant.ts'
import type { Cut } from './session.ts'

const TABLE = 'revocations'
/** May be mistaken about a value that looks like it; then a page is parsed in vain. */
const MARK = `"table":"${TABLE}"`

/** What changes of the log revoke: those of the watched table `revocations`. */
export function cutsOf(changes: readonly Change[]): Cut[] {
  return changes.flatMap(({ table, new: row }) =>
    table === TABLE && row !== null ? (cutOf(row) ?? []) : [],
  )
}

/** The same of a page's text: to look through 440 kB takes 0.2 ms, for all sockets together. */
export function cutsIn(page: string): Cut[] {
  return page.includes(MARK) ? cutsOf(JSON.parse(page) as Change[]) : []
}

/** A time that cannot be read revokes all that there is. */
function cutOf({ principal, since }: Row): Cut | null {
  if (typeof principal !== 'string') return null
  const at = micros(since)
  const isRead = at !== null && Number.isFinite(at)
  return { principal, sinceMs: isRead ? Math.floor(at / 1000) : Number.POSITIVE_INFINITY }
}
