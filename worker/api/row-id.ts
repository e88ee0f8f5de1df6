import { z } from '@hono/zod-openapi'

const RULE = `must be a whole number from 1 to ${Number.MAX_SAFE_INTEGER}`

/** A number in the path that names one row. */
export function rowId(name: string, example: number) {
  return z
    .string()
    .regex(/^[1-9]\d{0,15}$/, RULE)
    .transform(Number)
    .refine(Number.isSafeInteger, RULE)
    .openapi({ param: { name, in: 'path' }, type: 'integer', minimum: 1, example })
}
