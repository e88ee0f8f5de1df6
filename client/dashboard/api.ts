import type { Order, OrderDraft } from './order.ts'
import { isForOthers, type Refusal, words } from './refusal.ts'
import { type Outcome, request } from './request.ts'

const PAGE_LIMIT = 200

/**
 * Every order, page after page.
 * @param onProgress how many have been read so far
 * @throws Error with a sentence for a person
 */
export async function readOrders(
  signal: AbortSignal,
  onProgress: (count: number) => void,
): Promise<Order[]> {
  const orders: Order[] = []
  let cursor: string | null = null
  do {
    const query = new URLSearchParams({ limit: String(PAGE_LIMIT), sort: 'id' })
    if (cursor !== null) query.set('cursor', cursor)
    const page: Outcome<{ orders: Order[]; next_cursor: string | null }> = await request(
      'GET',
      `/api/orders?${query}`,
      { signal },
    )
    if (!page.ok) throw new Error(words(page.refusal))
    orders.push(...page.value.orders)
    onProgress(orders.length)
    cursor = page.value.next_cursor
  } while (cursor !== null)
  return orders
}

/** @returns why whoever asks may not see the orders; null if that is not what is wrong */
export async function whyNoOrders(): Promise<Refusal | null> {
  const asked = await request('GET', '/api/orders?limit=1')
  return !asked.ok && isForOthers(asked.refusal) ? asked.refusal : null
}

export function readOrder(id: number): Promise<Outcome<Order>> {
  return request('GET', `/api/orders/${id}`)
}

export function createOrder(draft: OrderDraft, onceKey: string): Promise<Outcome<Order>> {
  return request('POST', '/api/orders', { body: draft, onceKey })
}

/** Only what was touched is sent, and only if the order is still the one that was looked at. */
export function changeOrder(
  { id, version }: Order,
  touched: Partial<OrderDraft>,
): Promise<Outcome<Order>> {
  return request('PATCH', `/api/orders/${id}`, { body: touched, version })
}

export function deleteOrder({ id, version }: Order): Promise<Outcome<undefined>> {
  return request('DELETE', `/api/orders/${id}`, { version })
}
