import { z } from 'zod'
import type { Given } from './arguments.ts'
import type { Colour, Terminal } from './terminal.ts'

/** A mail as `/api/emails` tells of it, as far as a person is told. */
export const mailReport = z.object({
  id: z.number(),
  rule: z.number(),
  rule_name: z.string(),
  change: z.string(),
  table: z.string(),
  key: z.string(),
  order_id: z.union([z.number(), z.string()]).nullable(),
  recipient: z.string(),
  state: z.string(),
  attempts: z.number(),
  next_at: z.string().nullable(),
  last_error: z.string().nullable(),
  provider_id: z.string().nullable(),
  created_at: z.string(),
  first_at: z.string().nullable(),
  sent_at: z.string().nullable(),
})
export type MailReport = z.infer<typeof mailReport>

/** Which mails; the worker says what is wrong with a value. */
export const mailFilter = {
  state: 'text',
  order: 'text',
  recipient: 'text',
  rule: 'text',
} as const

export function readFilter(given: Given<typeof mailFilter>['flags']): Record<string, string> {
  const { state, order, recipient, rule } = given
  return {
    ...(state !== undefined && { state }),
    ...(order !== undefined && { order }),
    ...(recipient !== undefined && { recipient }),
    ...(rule !== undefined && { rule }),
  }
}

/** What needs a person is red, what went wrong but is over or tried again is yellow. */
const colours: Record<string, Colour> = {
  parked: 'red',
  unknown: 'red',
  failed: 'yellow',
  bounced: 'yellow',
  complained: 'yellow',
  delivered: 'green',
  suppressed: 'dim',
  cancelled: 'dim',
}

export function colourOf(state: string): Colour | null {
  return (Object.hasOwn(colours, state) && colours[state]) || null
}

export function paintState(state: string, text: string, paint: Terminal['paint']): string {
  const colour = colourOf(state)
  return colour === null ? text : paint(colour, text)
}

/** `1 mail`, `2 mails`. */
export function countMails(count: number): string {
  return count === 1 ? '1 mail' : `${count} mails`
}
