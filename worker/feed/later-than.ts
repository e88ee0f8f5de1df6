import type { Change } from '../../protocol/change.ts'

/**
 * What of a page lies after an offset: the one comparison that guards every way in.
 * @param changes the text of a JSON array of changes; the result is too
 */
export function laterThan(offset: number, changes: string): string {
  return JSON.stringify(
    (JSON.parse(changes) as Change[]).filter((change) => change.offset > offset),
  )
}
