import { z } from 'zod'

/** What the API says of an endpoint and of what it is owed, as far as people are told here. */
const rule = z.object({
  table: z.string(),
  ops: z.array(z.string()),
  when: z.record(z.string(), z.unknown()),
})
export type EndpointRule = z.infer<typeof rule>

export const endpoint = z.object({
  id: z.string(),
  url: z.string(),
  description: z.string(),
  enabled: z.boolean(),
  rules: z.array(rule),
  health: z.object({
    state: z.enum(['on', 'off']),
    off_reason: z.string().nullable(),
    off_since: z.string().nullable(),
    failing_since: z.string().nullable(),
    failures: z.number(),
    last_error: z.string().nullable(),
    last_success_at: z.string().nullable(),
    next_at: z.string().nullable(),
    counts: z.record(z.string(), z.number()),
  }),
})
export type Endpoint = z.infer<typeof endpoint>

export const registered = endpoint.extend({ secret: z.string().optional() })

export const endpointPage = z.object({
  webhooks: z.array(endpoint),
  next_cursor: z.string().nullable(),
})

export const rotated = z.object({ secret: z.string(), previous_secret_until: z.string() })

export const delivery = z.object({
  id: z.number(),
  type: z.string(),
  change: z.string(),
  table: z.string(),
  key: z.string(),
  state: z.string(),
  attempts: z.number(),
  next_at: z.string().nullable(),
  last_error: z.string().nullable(),
  created_at: z.string(),
  sent_at: z.string().nullable(),
})
export type Delivery = z.infer<typeof delivery>

export const deliveryPage = z.object({
  deliveries: z.array(delivery),
  next_cursor: z.string().nullable(),
})

/** `orders insert,update when status became filled` */
export function ruleText({ table, ops, when }: EndpointRule): string {
  const tests = Object.entries(when).map(([column, test]) => {
    const [[kind, value] = ['', null]] = Object.entries(test as Record<string, unknown>)
    const values = Array.isArray(value) ? ` ${value.map(String).join(' or ')}` : ''
    return `${column} ${kind}${values}`
  })
  const condition = tests.length === 0 ? '' : ` when ${tests.join(' and ')}`
  return `${table} ${ops.join(',')}${condition}`
}
