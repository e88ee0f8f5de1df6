import { z } from '@hono/zod-openapi'
import { type SQL, sql } from 'drizzle-orm'
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { ofWriting, problem } from './problem.ts'

/**
 * Which version a request changes (P99).
 *
 * Postgres is authoritative: the version is compared there, under the row's lock, in the
 * transaction that writes (belfry.expect, migration 0009). Must hold: what changes a resource names
 * what it read, or says with `*` that it does not care; so nobody overwrites what they have not seen.
 *
 * A tag says which version it is, not which bytes. So one that a proxy has weakened on the way, for
 * it compressed the answer, names the same.
 */

/** The headers of an answer that is a resource. */
export function tagged(tag: number | string): { ETag: string } {
  return { ETag: `"${tag}"` }
}

/** For OpenAPI: the headers of such an answer. */
export const tagHeader = {
  ETag: {
    description: 'Which version it is: send it as `If-Match` with what changes it.',
    schema: { type: 'string' as const, example: '"3"' },
  },
}

/** For OpenAPI: the headers of the answer to a create. */
export const madeHeaders = {
  ...tagHeader,
  Location: { description: 'Where it is.', schema: { type: 'string' as const } },
}

const NAMED = 'The `ETag` of what you read, several of them, or `*` for whatever is there.'
const ifMatch = z.string().openapi({ description: NAMED, example: '"3"' })

/** For `request.headers` of a change: without it is 428, and not a header that cannot be read. */
export const ifMatchHeader = z.object({
  'if-match': ifMatch
    .optional()
    .openapi({ param: { name: 'if-match', in: 'header', required: true } }),
})
/** For `request.headers` of a delete. */
export const mayIfMatchHeader = z.object({ 'if-match': ifMatch.optional() })

/** What a change of a resource may answer with. */
export const ofChanging = ['precondition_required', 'precondition_failed', ...ofWriting] as const

/**
 * The statement that holds a write back unless what is there now is what the request names.
 * @param current of what there is, as one text; it should lock the row. No row: nothing is held back
 * @throws an HTTPException that holds the answer 428, if a PUT or a PATCH names nothing
 */
export function expected(c: Context, current: SQL): SQL {
  const header = c.req.header('if-match')
  if (header === undefined && changing.has(c.req.method))
    throw new HTTPException(428, {
      res: problem(c, 'precondition_required', {
        detail: `Read it first (GET ${c.req.path}), and send its ETag in the header If-Match.`,
      }),
    })
  const tags = namedTags(header)
  return tags === '*'
    ? sql`SELECT`
    : sql`SELECT belfry.expect((${current}), ${JSON.stringify(tags)}::json)`
}

const changing: ReadonlySet<string> = new Set(['PUT', 'PATCH'])

/** @param header undefined: the request does not care. Whatever is no tag names nothing */
export function namedTags(header = '*'): '*' | string[] {
  if (header.trim() === '*') return '*'
  return Array.from(
    header.matchAll(/(?:^|,)\s*(?:W\/)?"([\x21\x23-\x7e]*)"\s*(?=,|$)/g),
    ([, tag]) => String(tag),
  )
}

/** @param current its tag */
export function hasMovedOn(c: Context, current: string) {
  return problem(c, 'precondition_failed', {
    detail: `It is now at ${tagged(current).ETag}. Read it again (GET ${c.req.path}), and change what you find.`,
    headers: tagged(current),
  })
}
