import { z } from 'zod'
import { deliveryStates } from '../../../protocol/delivery-states.ts'

/** Mails as the API answers them. Times are ISO 8601 in UTC. */
const email = z.object({
  id: z.int(),
  rule: z.int(),
  rule_name: z.string(),
  change: z.string(),
  table: z.string(),
  key: z.string(),
  order_id: z.union([z.number(), z.string()]).nullable(),
  recipient: z.string(),
  state: z.enum(deliveryStates),
  attempts: z.int(),
  next_at: z.string().nullable(),
  last_error: z.string().nullable(),
  provider_id: z.string().nullable(),
  created_at: z.string(),
  first_at: z.string().nullable(),
  sent_at: z.string().nullable(),
})
export type Email = z.infer<typeof email>

export const emailPage = z.object({
  emails: z.array(email),
  next_cursor: z.string().nullable(),
  counts: z.record(z.enum(deliveryStates), z.int()),
})
export type EmailPage = z.infer<typeof emailPage>

export const letter = z.object({ subject: z.string(), html: z.string(), text: z.string() })
export type Letter = z.infer<typeof letter>

const occurrence = z.object({ at: z.string(), kind: z.string(), detail: z.string().nullable() })
export type Occurrence = z.infer<typeof occurrence>

/** One mail: what happened to it, oldest first, and the letter, if it can be rendered. */
export const emailStory = email.extend({
  history: z.array(occurrence),
  letter: letter.nullable(),
})
export type EmailStory = z.infer<typeof emailStory>

/** What came of a redrive, or of asking what one would do. */
export const redriven = z.object({ redriven: z.int() })
export const matching = z.object({ matching: z.int() })
