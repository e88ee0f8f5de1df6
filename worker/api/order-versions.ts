import type { AuditEntry } from './audit-store.ts'

/**
 * The versions of an order, oldest first, from what the audit has of it.
 *
 * Must hold: versions are counted through, whoever writes; so a version that the audit does not have
 * was made by SQL. A deletion makes none.
 */
export type Version = Pick<AuditEntry, 'version' | 'at' | 'request' | 'action' | 'changed'> & {
  by: string
  name: string | null
}
export type Gap = { versions: [first: number, last: number]; by: 'sql' }

/**
 * @param entries of the one order, newest first
 * @param current its version now; null if it is gone
 * @param isWhole whether they are all that the audit has; otherwise what is before them is left out
 */
export function versionsOf(
  entries: readonly AuditEntry[],
  current: number | null,
  isWhole: boolean,
): (Version | Gap)[] {
  const told: (Version | Gap)[] = []
  const oldest = entries.at(-1)?.version ?? 1
  let last = isWhole ? 0 : oldest - 1
  const skipTo = (version: number) => {
    if (version > last + 1) told.push({ versions: [last + 1, version - 1], by: 'sql' })
    last = Math.max(last, version)
  }
  for (const {
    version,
    at,
    principal: by,
    name,
    request,
    action,
    changed,
  } of entries.toReversed()) {
    const isDeletion = action === 'delete'
    // Of an id that was given again the versions begin anew.
    if (action === 'insert') last = 0
    if (version !== null) skipTo(isDeletion ? version + 1 : version)
    told.push({ version: isDeletion ? null : version, at, by, name, request, action, changed })
  }
  if (current !== null) skipTo(current + 1)
  return told
}
