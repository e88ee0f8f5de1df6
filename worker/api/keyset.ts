import { z } from 'zod'
import { type CursorSecrets, fromOpaque, isStorable, NOT_OURS, toOpaque } from './opaque.ts'

/**
 * Keyset pagination: a cursor says "after this row", so a page costs the same wherever it
 * stands, and rows that come or go do not shift the others. Ties in the sorted column are
 * settled by id, in the same direction.
 *
 * A cursor belongs to its sort and to nothing else: filters may change under way. What does
 * not read as one that we made is refused.
 */

const instant = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+00:00|-?infinity)$/

/** Each sortable column: its type in Postgres, and what a cursor may hold of it. */
export const sortColumns = {
  id: { type: 'bigint', value: z.int().positive() },
  created_at: { type: 'timestamptz', value: z.string().refine(isInstant) },
  updated_at: { type: 'timestamptz', value: z.string().refine(isInstant) },
  amount: { type: 'numeric', value: z.number().nonnegative() },
  customer_name: { type: 'text', value: z.string().refine(isStorable) },
} as const

export type SortColumn = keyof typeof sortColumns
/** A column's name, with `-` in front for descending. */
export type Sort = SortColumn | `-${SortColumn}`
export type Cursor = { sort: Sort; value: string | number; id: number }

const columns = Object.keys(sortColumns) as SortColumn[]
export const sorts = columns.flatMap((column) => [column, `-${column}`] as const)

export function readSort(sort: Sort): { column: SortColumn; descending: boolean } {
  const descending = sort.startsWith('-')
  return { column: (descending ? sort.slice(1) : sort) as SortColumn, descending }
}

/** A timestamp in it keeps its microseconds. */
export function formatCursor(secrets: CursorSecrets, { sort, value, id }: Cursor): Promise<string> {
  return toOpaque(secrets, { sort, value, id })
}

/** @returns the cursor, or the `detail` of the problem `invalid_cursor` */
export async function parseCursor(
  secrets: CursorSecrets,
  text: string,
  sort: Sort,
): Promise<{ ok: true; cursor: Cursor } | { ok: false; detail: string }> {
  const read = cursorShape.safeParse(await fromOpaque(secrets, text))
  if (
    !read.success ||
    !sortColumns[readSort(read.data.sort).column].value.safeParse(read.data.value).success
  )
    return { ok: false, detail: NOT_OURS }
  if (read.data.sort !== sort)
    return {
      ok: false,
      detail: `This cursor belongs to sort=${read.data.sort}. Keep that sort, or begin without a cursor.`,
    }
  return { ok: true, cursor: read.data }
}

const cursorShape = z.strictObject({
  sort: z.enum(sorts),
  value: z.union([z.string(), z.number()]),
  id: z.int().positive(),
})

function isInstant(text: string): boolean {
  if (!instant.test(text)) return false
  if (text.endsWith('infinity')) return true
  // A day that its month does not have is moved to the next one, and so gives itself away.
  const time = Date.parse(`${text.slice(0, 19)}Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text.slice(0, 19))
}
