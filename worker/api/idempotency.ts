import { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { sha256Hex } from '../sha256.ts'
import { markRepeatable, ofWriting, problem } from './problem.ts'

/**
 * Which creates are the same one (P100).
 *
 * Postgres is authoritative (belfry.act, migration 0009): a key is claimed in the transaction that
 * writes, by whoever asks, and is forgotten 24 hours later. The same is what has the same method,
 * path and body; in which order an object's members stand makes no difference.
 */
export type Once = { key: string; hash: string }

const KEY_RULE = 'must be 1 to 255 visible ASCII characters'

/** For `request.headers` of a create. */
export const onceHeader = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, KEY_RULE)
    .optional()
    .openapi({
      description:
        'The same create with the same key within 24 hours is done once, and answered with what it made.',
      example: 'order-2026-11-21-0042',
    }),
})

/** What a create may answer with. */
export const ofCreating = [
  'invalid_query',
  'idempotency_in_progress',
  'idempotency_key_reused',
  ...ofWriting,
] as const

/** @returns null if it came without a key, and is a create of its own each time */
export async function onceOf(c: Context): Promise<Once | null> {
  const key = c.req.header('idempotency-key')
  if (key === undefined) return null
  markRepeatable(c)
  const text = `${c.req.method} ${c.req.path}\n${canonical(await c.req.json())}`
  return { key, hash: await sha256Hex(text) }
}

/** @param value of JSON */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  )
}

/** Of a create that was done before, and of which nothing is left. */
export function goneSince(c: Context) {
  return problem(c, 'conflict', {
    detail:
      'This was created before with the same Idempotency-Key, and deleted since. To create it again, send another key.',
  })
}
