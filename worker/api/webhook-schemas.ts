import { z } from '@hono/zod-openapi'
import { ops, tableName, when } from '../rules/rule.ts'
import { MAX_URL_LENGTH } from '../webhooks/address.ts'
import { offReasons } from '../webhooks/health.ts'
import { deliveryCounts, time } from './webhook-delivery-schemas.ts'

/** What the doors to the endpoints of webhooks take and give; each edge is parsed once, here. */

export const MAX_RULES = 20
const DESCRIPTION_MAX = 1_000
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u

export const endpointRule = z
  .strictObject({
    table: tableName.openapi({ example: 'orders' }),
    ops: ops
      .default(['insert', 'update', 'delete'])
      .openapi({ description: 'Without it: insert, update, delete.', example: ['update'] }),
    when: when.default({}).openapi({
      type: 'object',
      description:
        'Column → one test; all must hold, and {} always does: `{"became": […]}`, `{"is": […]}`, `{"was": […]}`, `{"changed": true}`.',
      example: { status: { became: ['filled'] } },
    }),
  })
  .openapi('WebhookRule')

const fields = {
  url: z
    .string({ error: 'must be an address, such as https://example.com/hooks' })
    .max(MAX_URL_LENGTH, `must be at most ${MAX_URL_LENGTH} characters`)
    .openapi({ example: 'https://example.com/hooks' }),
  description: z
    .string({ error: 'must be text' })
    .trim()
    .max(DESCRIPTION_MAX, `must be at most ${DESCRIPTION_MAX} characters`)
    .refine((text) => !UNPRINTABLE.test(text), 'must not hold control characters')
    .openapi({ example: 'the warehouse' }),
  rules: z
    .array(endpointRule, { error: 'must be a list of rules' })
    .max(MAX_RULES, `must hold at most ${MAX_RULES} rules`)
    .openapi({ description: 'A change that any of them matches is sent, once.' }),
}

export const newEndpoint = z
  .strictObject({
    url: fields.url,
    description: fields.description.default(''),
    rules: fields.rules.min(1, 'must hold at least one rule, such as {"table": "orders"}'),
  })
  .openapi('NewWebhook')

export const endpointChanges = z
  .strictObject({
    url: fields.url.optional(),
    description: fields.description.optional(),
    enabled: z.boolean({ error: 'must be true or false' }).optional().openapi({
      description: 'true switches it on again too, when it was switched off by itself.',
    }),
    rules: fields.rules.optional(),
  })
  .refine((changes) => Object.keys(changes).length > 0, 'must name at least one field to change')
  .openapi('WebhookChanges', { minProperties: 1, example: { enabled: true } })

const health = z
  .object({
    state: z.enum(['on', 'off']),
    off_reason: z.enum(offReasons).nullable().openapi({
      description:
        '`failing`: a day of failures without one success; `gone`: it answered 410; `by_hand`.',
    }),
    off_since: time.nullable(),
    failing_since: time.nullable().openapi({ description: 'Since when nothing has succeeded.' }),
    failures: z.int().openapi({ description: 'In a row.' }),
    last_error: z.string().nullable(),
    last_success_at: time.nullable(),
    next_at: time.nullable().openapi({ description: 'When something is tried next.' }),
    previous_secret_until: time.nullable().openapi({
      description: 'While a secret is rotated: until when the one before signs too.',
    }),
    counts: deliveryCounts,
  })
  .openapi('WebhookHealth')

const endpointFields = {
  id: z.uuid(),
  url: fields.url,
  description: fields.description,
  enabled: z.boolean().openapi({ description: 'As people want it; `health` says how it is.' }),
  rules: z.array(
    z.object({
      table: z.string(),
      ops: z.array(z.string()),
      when: z.record(z.string(), z.unknown()),
    }),
  ),
  version: z.int(),
  created_at: z.string().openapi({ format: 'date-time' }),
  updated_at: z.string().openapi({ format: 'date-time' }),
  health,
}

export const endpointShape = z.object(endpointFields).openapi('Webhook')

const secret = z.string().openapi({
  description: 'Shown this once. The receiver checks signatures with it.',
  example: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD2i1sZw4mZ9E=',
})

export const registered = z
  .object({ ...endpointFields, secret: secret.optional() })
  .openapi('RegisteredWebhook')

export const rotated = z.object({ secret, previous_secret_until: time }).openapi('RotatedSecret')

export const endpointPage = z.object({
  webhooks: z.array(endpointShape),
  next_cursor: z.string().nullable().openapi({ description: 'null on the last page.' }),
})
