import { beforeAndAfter } from './chapters.ts'
import type { Written } from './life.ts'

/** Columns that move with every version: they say nothing about this one. */
const QUIET = new Set(['id', 'version', 'created_at', 'updated_at'])

/** As a person reads an order; what else there is follows. */
const ORDER = ['customer_name', 'product_name', 'amount', 'status', 'customer_email']

export type ColumnPair = { column: string; before: unknown; after: unknown }

/** What a version altered; of a row that came or went, what it had. */
export function columnsOf({ action, changed }: Written): ColumnPair[] {
  return Object.entries(changed)
    .filter(([column]) => !QUIET.has(column))
    .map(([column, pair]) => {
      const [before, after] = beforeAndAfter(pair)
      return { column, before, after }
    })
    .filter(({ before, after }) => action === 'update' || (before ?? after ?? null) !== null)
    .sort((a, b) => rank(a.column) - rank(b.column))
}

function rank(column: string): number {
  const index = ORDER.indexOf(column)
  return index === -1 ? ORDER.length : index
}
