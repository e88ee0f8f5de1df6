import type { Change } from '../../protocol/change.ts'
import type { Page } from './log.ts'

type Readable = {
  readonly tail: number
  read(after: number, maxCharacters: number): Page | string
}

/** What follows an offset, as text; null if nothing does. */
export function pageAfter(log: Readable, after: number, maxCharacters: number): Page | null {
  // Who lags behind the log's tail sees the gap.
  const page = log.read(Math.max(after, log.tail), maxCharacters)
  return typeof page === 'string' || page.through <= after ? null : page
}

/** The same as changes: those of a page, or only the next one. */
export function changesAfter(log: Readable, after: number, maxCharacters: number | null): Change[] {
  const page = log.read(Math.max(after, log.tail), maxCharacters ?? 0)
  if (typeof page === 'string') return []
  const changes = JSON.parse(page.changes) as Change[]
  return maxCharacters === null ? changes.slice(0, 1) : changes
}
