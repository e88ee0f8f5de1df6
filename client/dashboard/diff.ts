import type { Change, Row, Value } from '../../protocol/change.ts'

export type ColumnChange = { column: string; from: Value | undefined; to: Value | undefined }

/** Columns that move with every update: they say nothing about this one. */
const QUIET = new Set(['version', 'updated_at'])

/** What an update altered, column by column, without what every update alters. */
export function changedColumns({ old, new: row }: Pick<Change, 'old' | 'new'>): ColumnChange[] {
  return differences(old ?? {}, row ?? {}).filter(({ column }) => !QUIET.has(column))
}

/** As `changedColumns`, between any two rows and with every column. */
export function differences(from: Row, to: Row): ColumnChange[] {
  const columns = new Set([...Object.keys(from), ...Object.keys(to)])
  return [...columns]
    .filter((column) => !same(from[column], to[column]))
    .map((column) => ({ column, from: from[column], to: to[column] }))
}

function same(a: Value | undefined, b: Value | undefined): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b)
}
