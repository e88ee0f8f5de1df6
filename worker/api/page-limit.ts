import { z } from '@hono/zod-openapi'

const RULE = 'must be a whole number from 1 to 200'

/** How many a page of a list holds at most. */
export const pageLimit = z
  .string({ error: 'must be given once' })
  .regex(/^\d{1,3}$/, RULE)
  .transform(Number)
  .refine((limit) => limit >= 1 && limit <= 200, RULE)
  .default(50)
  .openapi({ type: 'integer', minimum: 1, maximum: 200, default: 50, example: 50 })
