import { z } from 'zod'
import { type CursorSecrets, fromOpaque, NOT_OURS, toOpaque } from './opaque.ts'

/**
 * Where a reader of a list that an object keeps stands: before the row of this number. A cursor
 * belongs to its list; filters may change under way.
 */
export type PageCursor = { ok: true; before: number | null } | { ok: false; detail: string }

export async function formatPageCursor(
  secrets: CursorSecrets,
  list: string,
  next: number | null,
): Promise<string | null> {
  return next === null ? null : toOpaque(secrets, { list, before: next })
}

const shape = z.strictObject({ list: z.string(), before: z.int().nonnegative() })

/** @param text undefined to begin */
export async function parsePageCursor(
  secrets: CursorSecrets,
  list: string,
  text: string | undefined,
): Promise<PageCursor> {
  if (text === undefined) return { ok: true, before: null }
  const read = shape.safeParse(await fromOpaque(secrets, text))
  if (!read.success) return { ok: false, detail: NOT_OURS }
  return read.data.list === list
    ? { ok: true, before: read.data.before }
    : { ok: false, detail: 'This cursor belongs to another list. Begin without one.' }
}
