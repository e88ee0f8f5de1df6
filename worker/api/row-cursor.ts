import { z } from 'zod'
import { type CursorSecrets, fromOpaque, isStorable, NOT_OURS, toOpaque } from './opaque.ts'

/**
 * Where a reader of a table's rows stands: after the row of this key. The values are the texts
 * that Postgres prints them as, so that none loses a digit or a microsecond on the way.
 */
export type RowCursor = { table: string; after: string[] }

export function formatRowCursor(
  secrets: CursorSecrets,
  { table, after }: RowCursor,
): Promise<string> {
  return toOpaque(secrets, { table, after })
}

const shape = z.strictObject({
  table: z.string(),
  after: z.array(z.string().refine(isStorable)).min(1).max(32),
})

/**
 * @param of the table that is read, and how many columns its key has
 * @returns the values of the key, or the `detail` of the problem `invalid_cursor`
 */
export async function parseRowCursor(
  secrets: CursorSecrets,
  text: string,
  of: { table: string; columns: number },
): Promise<{ ok: true; after: readonly string[] } | { ok: false; detail: string }> {
  const read = shape.safeParse(await fromOpaque(secrets, text))
  if (!read.success) return { ok: false, detail: NOT_OURS }
  const { table, after } = read.data
  if (table !== of.table)
    return { ok: false, detail: 'This cursor belongs to another table. Begin without one.' }
  if (after.length !== of.columns)
    return { ok: false, detail: 'The table has another key since. Begin without a cursor.' }
  return { ok: true, after }
}
