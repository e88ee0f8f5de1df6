import type { z } from 'zod'
import type { Audience } from '../body.ts'
import type { Fact } from '../content.ts'
import { formatAmount } from '../line.ts'
import { keptNumber, keptText } from './template.ts'

/** What mails about orders keep of the row. */
export const orderFields = {
  id: keptNumber,
  customer_name: keptText,
  product_name: keptText,
  amount: keptNumber,
  updated_at: keptText,
}

type Order = z.infer<z.ZodObject<typeof orderFields>>

export function orderFacts({ product_name, customer_name, amount }: Order): Fact[] {
  return [
    { label: 'Product', value: product_name },
    { label: 'Customer', value: customer_name },
    { label: 'Amount', value: formatAmount(amount) },
  ]
}

export function orderFootnote(audience: Audience): string {
  return audience === 'customer'
    ? 'You get this mail because this order is yours.'
    : 'You get this mail because you look after orders.'
}

export const sampleOrder: Order = {
  id: 42,
  customer_name: 'Ada Lovelace',
  product_name: 'Difference engine',
  amount: 1249.5,
  updated_at: '2026-11-21T08:33:55.123456+00:00',
}
