import { z } from 'zod'
import type { CapturedChange } from '../../protocol/change.ts'
import { sameMailbox } from './recipients.ts'

/**
 * Which mails a change owes. It is a fact about the change alone: it does not matter who wrote
 * the row or how often the change is handed over, because change and recipient together name
 * the mail.
 */
export type OwedMail = { change: string; recipient: string; order: FilledOrder }

/**
 * What a letter says of the order. A psql may store what the API would not: an `id` beyond a
 * double and an amount of NaN come as text.
 */
export const filledOrder = z.object({
  id: z.union([z.number(), z.string()]),
  customer_name: z.string(),
  product_name: z.string(),
  amount: z.union([z.number(), z.string()]),
  customer_email: z.string().nullable(),
  updated_at: z.string(),
})
export type FilledOrder = z.infer<typeof filledOrder>

/**
 * @param alertRecipients who is told of every filled order
 * @throws if the change may owe a mail and cannot be read
 */
export function owedMails(change: CapturedChange, alertRecipients: readonly string[]): OwedMail[] {
  if (!becameFilled(change)) return []
  const order = filledOrder.parse(change.new)
  const addresses = [...alertRecipients, order.customer_email ?? ''].filter(
    (address) => address.trim() !== '',
  )
  const byMailbox = new Map(addresses.map((address) => [sameMailbox(address), address.trim()]))
  return Array.from(byMailbox.values(), (recipient) => ({ change: change.id, recipient, order }))
}

/** @throws if the change came without its images, so that nobody can tell */
export function becameFilled({ table, op, old, new: row, key, oversize }: CapturedChange): boolean {
  if (table !== 'orders' || (op !== 'insert' && op !== 'update')) return false
  if (oversize)
    throw new Error(
      `The row of order ${JSON.stringify(key)} was too large to travel, so it is not known whether it became filled. Look at the order, and write to its customer by hand if it did.`,
    )
  return row?.status === 'filled' && old?.status !== 'filled'
}
