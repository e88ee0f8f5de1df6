import type { CapturedChange } from '../../protocol/change.ts'

/**
 * Whether the user of a notification wants to hear of it over a channel. Its row says so, as it was
 * planned (migration 0008); of one that comes in a digest, the digest is what they hear of. Other
 * tables' rows are nobody's wish.
 */
export function isWanted(
  { table, new: now, old }: CapturedChange,
  channel: 'mail' | 'webhook',
): boolean {
  const row = now ?? old
  if (table !== 'notifications' || row === null) return true
  if (row[`to_${channel}`] === false) return false
  return !(row.digested === true && row.state === 'delivered')
}
