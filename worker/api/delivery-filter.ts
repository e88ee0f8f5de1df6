import { z } from '@hono/zod-openapi'
import { deliveryStates } from '../../protocol/delivery-states.ts'
import { pageLimit } from './page-limit.ts'

/** By what deliveries are found and paged, whatever their channel. */

const STATES = deliveryStates.join(', ')
const STATE_RULE = `must be one of ${STATES}, or several of them with commas`

const states = givenText()
  .transform((list) => list.split(',').map((one) => one.trim().toLowerCase()))
  .pipe(z.array(z.enum(deliveryStates, { error: STATE_RULE })))
  .openapi({ type: 'string', description: `One or several, with commas: ${STATES}.` })

export const deliveryFilter = {
  state: states.optional(),
  table: givenText(255).optional().openapi({ description: 'About a row of this table.' }),
  key: givenText(1_000).optional().openapi({ description: 'About the row of this key.' }),
}

/** In a body a list will do as well. */
export const deliveryFilterInBody = {
  ...deliveryFilter,
  state: z
    .union([states, z.array(z.enum(deliveryStates)).min(1, STATE_RULE)], { error: STATE_RULE })
    .optional()
    .openapi({ example: 'parked' }),
}

export const deliveryPaging = {
  limit: pageLimit,
  cursor: givenText().optional().openapi({ description: 'next_cursor of the page before.' }),
}

export function givenText(max = 200) {
  return z
    .string({ error: 'must be given once, as text' })
    .trim()
    .min(1, 'must not be empty')
    .max(max, `must be at most ${max} characters`)
}
