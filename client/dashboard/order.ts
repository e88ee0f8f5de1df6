/** In the order in which an order lives. */
export const statuses = [
  'pending',
  'processing',
  'filled',
  'shipped',
  'delivered',
  'completed',
  'cancelled',
] as const
export type Status = (typeof statuses)[number]

/** An order as the API answers it and as a change carries it. Times are ISO 8601 in UTC. */
export type Order = {
  id: number
  customer_name: string
  product_name: string
  status: Status
  amount: number
  customer_email: string | null
  version: number
  created_at: string
  updated_at: string
}

/** What a person may set. */
export type OrderDraft = Pick<
  Order,
  'customer_name' | 'product_name' | 'status' | 'amount' | 'customer_email'
>
