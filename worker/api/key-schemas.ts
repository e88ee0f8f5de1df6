import { z } from '@hono/zod-openapi'
import { SCOPE } from '../doors/principal.ts'
import { isStorable } from './opaque.ts'
import { pageLimit } from './page-limit.ts'
import { rowId } from './row-id.ts'

/** What the APIs of keys and of revocations take and give; each edge is parsed once, here. */

const NAME_RULE = 'must be text of 1 to 100 characters'
const SCOPES_RULE = 'must be a list of 1 to 50 scopes'
const SCOPE_RULE = 'must be admin, orders:write, *:read, or <table>:read'
const TIME_RULE = 'must be a time with its offset, such as 2026-12-24T08:00:00Z, or null'
const PRINCIPAL_RULE = 'must be user:<id> or token:<sub>, as the audit has them'
const REASON_RULE = 'must be text of 1 to 200 characters, or null'
const STORABLE_RULE = 'must hold neither NUL nor half a surrogate pair'

export const keyId = z.object({ id: rowId('id', 7) })

const once = (rule: string) => z.string({ error: rule }).refine(isStorable, STORABLE_RULE)

const name = once(NAME_RULE)
  .trim()
  .min(1, NAME_RULE)
  .max(100, NAME_RULE)
  .openapi({ description: 'Who uses it, for what.', example: 'warehouse scanner' })

const scopes = z
  .array(z.string({ error: SCOPE_RULE }).regex(SCOPE, SCOPE_RULE), { error: SCOPES_RULE })
  .min(1, SCOPES_RULE)
  .max(50, SCOPES_RULE)
  .transform((each) => [...new Set(each)])
  .openapi({
    type: 'array',
    items: { type: 'string', pattern: SCOPE.source },
    minItems: 1,
    maxItems: 50,
    example: ['orders:read'],
  })

export const newKey = z
  .strictObject({
    name,
    scopes,
    expires_at: z.iso
      .datetime({ offset: true, error: TIME_RULE })
      .refine((text) => Date.parse(text) > Date.now(), 'must lie ahead')
      .nullable()
      .default(null)
      .openapi({ format: 'date-time', description: 'Null, or not given: it does not end.' }),
  })
  .openapi('NewApiKey', { example: { name: 'warehouse scanner', scopes: ['orders:read'] } })

const instant = z
  .string()
  .openapi({ format: 'date-time', example: '2026-12-24T08:00:00.000000+00:00' })

export const apiKey = z
  .object({
    id: z.int().openapi({ example: 7 }),
    name: z.string(),
    hint: z.string().openapi({ description: 'How it begins.', example: 'belfry_Xy7a' }),
    scopes: z.array(z.string()),
    created_by: z.string().openapi({ example: 'user:42' }),
    created_at: instant,
    expires_at: instant.nullable(),
    revoked_at: instant.nullable(),
    last_used_at: instant.nullable().openapi({ description: 'To the minute or so.' }),
  })
  .openapi('ApiKey')
export type ApiKey = z.infer<typeof apiKey>

export const madeKey = apiKey
  .extend({
    key: z.string().nullable().openapi({
      description:
        'The key itself. It is shown now and never again, and null when the same request comes again.',
      example: 'belfry_Xy7a…',
    }),
  })
  .openapi('MadeApiKey')
export type MadeKey = z.infer<typeof madeKey>

export const keyPage = z.object({ keys: z.array(apiKey), next_cursor: z.string().nullable() })

const cursor = z
  .string({ error: 'must be given once' })
  .optional()
  .openapi({ description: 'next_cursor of the page before.' })

export const keyQuery = z.strictObject({ limit: pageLimit, cursor })

export const newRevocation = z
  .strictObject({
    principal: once(PRINCIPAL_RULE)
      .regex(/^(user:[1-9]\d{0,18}|token:.{1,255})$/su, PRINCIPAL_RULE)
      .openapi({ example: 'user:42' }),
    reason: once(REASON_RULE)
      .trim()
      .min(1, REASON_RULE)
      .max(200, REASON_RULE)
      .nullable()
      .default(null),
  })
  .openapi('NewRevocation', { example: { principal: 'user:42', reason: 'lost a phone' } })

export const revocation = z
  .object({
    principal: z.string(),
    since: instant.openapi({ description: 'What was issued until then is good no more.' }),
    reason: z.string().nullable(),
  })
  .openapi('Revocation')
export type Revocation = z.infer<typeof revocation>

export const revocationPage = z.object({
  revocations: z.array(revocation),
  next_cursor: z.string().nullable(),
})

export const revocationQuery = z.strictObject({
  limit: pageLimit,
  cursor,
  principal: z
    .string({ error: 'must be given once' })
    .max(300, 'must be at most 300 characters')
    .refine(isStorable, STORABLE_RULE)
    .optional()
    .openapi({ description: 'Only this one.', example: 'user:42' }),
})
