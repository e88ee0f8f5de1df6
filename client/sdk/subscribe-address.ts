import type { Operation } from '../../protocol/change.ts'
import type { Start } from '../../protocol/subscription.ts'

export type Subscribing = {
  url: string
  /** A user's own orders, instead of the whole feed. */
  topic?: 'my-orders'
  table?: string
  ops?: readonly Operation[]
  filter?: Readonly<Record<string, string>>
  /** Large frames may come deflated. */
  deflate?: boolean
}

/**
 * The address of the subscription's WebSocket.
 * @param ticket stands in the address, because a browser sends no header with an upgrade
 * @throws TypeError when `url` is not an http(s) address
 */
export function subscribeAddress(
  { url, topic, table, ops, filter, deflate }: Subscribing,
  from: Start,
  ticket: string | null = null,
): string {
  const address = workerAddress(url, topic === 'my-orders' ? 'api/me/orders/ws' : 'api/changes/ws')
  address.protocol = address.protocol.replace('http', 'ws')

  const query = address.searchParams
  if (table !== undefined) query.set('table', table)
  if (ops !== undefined) query.set('op', ops.join(','))
  // With the prefix a column may be called anything, `table` and `after` too.
  for (const [column, text] of Object.entries(filter ?? {})) query.append(`where.${column}`, text)
  if (from !== null) {
    query.set('after', String(from.offset))
    if (from.epoch !== null) query.set('epoch', from.epoch)
  }
  query.set('acks', '1')
  if (deflate) query.set('deflate', '1')
  if (ticket !== null) query.set('ticket', ticket)
  return address.href
}

/**
 * @param url the worker's, with a path before ours if it has one
 * @throws TypeError when it is not an http(s) address
 */
export function workerAddress(url: string, path: string): URL {
  const base = URL.canParse(url) ? new URL(url) : null
  if (base === null || !/^(http|ws)s?:$/.test(base.protocol))
    throw new TypeError(`url: "${url}" is not an http(s) address, such as http://127.0.0.1:8787`)
  return new URL(path, base.href.replace(/[?#].*$/, '').replace(/\/*$/, '/'))
}
