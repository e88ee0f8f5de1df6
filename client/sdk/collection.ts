import type { Change } from '../../protocol/change.ts'
import type { Applied } from './live.ts'
import { field, rowKey } from './row-key.ts'
import { isOlder } from './row-version.ts'

/** What the rows are told apart by. */
export type Shape = { key: readonly string[]; version: string | undefined }

/** An inserted or updated row that stayed behind for its size: only a snapshot has it. */
export function isWithoutRow({ op, new: row }: Change): boolean {
  return (op === 'insert' || op === 'update') && row === null
}

/** @returns the primary key of the first change that has another one than `key`; null if none has */
export function otherKey(
  changes: readonly Change[],
  key: readonly string[],
): readonly string[] | null {
  for (const change of changes) {
    if (change.op === 'truncate') continue
    const columns = Object.keys(change.key ?? {})
    if (columns.length !== key.length || !columns.every((name) => key.includes(name)))
      return columns
  }
  return null
}

/**
 * Applies changes to `rows`, in order. A row steps back neither to an older
 * version nor, by a delete that is older than the row, out of existence.
 * @returns what was altered
 */
export function applyTo<T extends object>(
  rows: Map<string, T>,
  changes: readonly Change[],
  shape: Shape,
): Applied<T>[] {
  const applied: Applied<T>[] = []
  for (const change of changes) {
    if (change.op === 'truncate') {
      for (const [key, before] of rows) applied.push({ change, key, before, after: null })
      rows.clear()
      continue
    }
    const key = rowKey(change.key ?? {}, shape.key)
    const { old } = change
    if (change.op === 'delete') remove(change, key, old)
    else if (change.new !== null) {
      const keyBefore = old === null ? key : rowKey(old, shape.key)
      if (keyBefore !== key) remove(change, keyBefore, old)
      // The caller's word for the table's row; the feed carries the same columns.
      put(change, key, change.new as T)
    }
  }
  return applied

  function put(change: Change, key: string, after: T) {
    const before = rows.get(key) ?? null
    if (before !== null && isStale(after, before, shape)) return
    rows.set(key, after)
    applied.push({ change, key, before, after })
  }

  function remove(change: Change, key: string, old: object | null) {
    const before = rows.get(key)
    if (before === undefined || (old !== null && isStale(old, before, shape))) return
    rows.delete(key)
    applied.push({ change, key, before, after: null })
  }
}

function isStale(row: object, held: object, { version }: Shape): boolean {
  return version !== undefined && isOlder(field(row, version), field(held, version))
}
