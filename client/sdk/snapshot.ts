import type { Row } from '../../protocol/change.ts'
import { rowKey } from './row-key.ts'

/** A table's rows as they were read, and what tells them apart. */
export type Snapshot<T extends object = Row> = {
  rows: readonly T[]
  /** The primary key's columns. */
  key: readonly string[]
  /** The keys of rows that were too large to be read. */
  oversize: readonly Row[]
}

/** The same by key: a row that was too large is there with its key's columns alone. */
export type KeyedRows<T> = { rows: Map<string, T>; partial: Set<string>; key: readonly string[] }

/** @throws TypeError when a row lacks a column of the key */
export function keyRows<T extends object>({ rows, key, oversize }: Snapshot<T>): KeyedRows<T> {
  const keyed = new Map(rows.map((row) => [rowKey(row, key), row]))
  const partial = new Set<string>()
  for (const row of oversize) {
    partial.add(rowKey(row, key))
    // The caller's word for the table's row, of which this is all that is known.
    keyed.set(rowKey(row, key), row as T)
  }
  return { rows: keyed, partial, key }
}
