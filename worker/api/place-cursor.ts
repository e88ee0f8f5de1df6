import { z } from 'zod'
import type { Place } from '../inbox/door.ts'
import { type CursorSecrets, fromOpaque, NOT_OURS, toOpaque } from './opaque.ts'

/**
 * Where a reader of an inbox stands: before the notification that stands there. A cursor belongs
 * to its inbox; listing and category may change under way.
 */
export type PlaceCursor = { ok: true; before: Place | null } | { ok: false; detail: string }

/** @param last of the page; undefined if it was empty */
export async function formatPlaceCursor(
  secrets: CursorSecrets,
  user: string,
  last: Place | undefined,
): Promise<string | null> {
  return last ? toOpaque(secrets, { inbox: user, at: last.delivered_at, id: last.id }) : null
}

const shape = z.strictObject({
  inbox: z.string(),
  at: z
    .string()
    .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+00:00$/)
    .refine((text) => !Number.isNaN(Date.parse(text))),
  id: z.int().positive(),
})

/** @param text undefined to begin */
export async function parsePlaceCursor(
  secrets: CursorSecrets,
  user: string,
  text: string | undefined,
): Promise<PlaceCursor> {
  if (text === undefined) return { ok: true, before: null }
  const read = shape.safeParse(await fromOpaque(secrets, text))
  if (!read.success) return { ok: false, detail: NOT_OURS }
  const { inbox, at, id } = read.data
  return inbox === user
    ? { ok: true, before: { delivered_at: at, id } }
    : { ok: false, detail: 'This cursor belongs to another inbox. Begin without one.' }
}
