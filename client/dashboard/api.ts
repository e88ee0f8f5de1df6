import type { ZodType } from 'zod'
import type { Problem } from '../../protocol/problems.ts'
import type { Order, OrderDraft } from './order.ts'

/** What a request came to. A refusal carries what a person can do about it. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; refusal: Refusal }

export type Refusal = {
  title: string
  detail: string
  /** Field → what is wrong with it. */
  fields: Readonly<Record<string, string>>
}

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
    if (!page.ok) throw new Error(`${page.refusal.title}. ${page.refusal.detail}`.trim())
    orders.push(...page.value.orders)
    onProgress(orders.length)
    cursor = page.value.next_cursor
  } while (cursor !== null)
  return orders
}

export function createOrder(draft: OrderDraft): Promise<Outcome<Order>> {
  return request('POST', '/api/orders', { body: draft })
}

/** Only what was touched is sent, so that two people may edit different columns of one order. */
export function changeOrder(id: number, touched: Partial<OrderDraft>): Promise<Outcome<Order>> {
  return request('PATCH', `/api/orders/${id}`, { body: touched })
}

export function deleteOrder(id: number): Promise<Outcome<undefined>> {
  return request('DELETE', `/api/orders/${id}`)
}

type Extras = { body?: object; signal?: AbortSignal }

/** @throws only when `signal` says that the answer is no longer wanted */
export async function request<T>(
  method: string,
  path: string,
  { body, signal }: Extras = {},
): Promise<Outcome<T>> {
  let response: Response
  try {
    response = await fetch(path, {
      method,
      cache: 'no-store',
      ...(signal === undefined ? {} : { signal }),
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
  } catch {
    signal?.throwIfAborted()
    return refuse('The server cannot be reached', 'Check that Belfry is running, then try again.')
  }
  const answer: unknown = await response.json().catch(() => undefined)
  // A server that dies in the middle of an answer has said 200 already.
  if (response.ok && answer === undefined && response.status !== 204)
    return refuse('The answer was cut off', 'Look whether it was done, then try again.')
  if (response.ok) return { ok: true, value: answer as T }
  return { ok: false, refusal: readProblem(response.status, answer) }
}

/** As `request`, for an answer that has this shape. */
export async function requestAs<T>(
  shape: ZodType<T>,
  method: string,
  path: string,
  extras: Extras = {},
): Promise<Outcome<T>> {
  const outcome = await request(method, path, extras)
  if (!outcome.ok) return outcome
  const parsed = shape.safeParse(outcome.value)
  if (parsed.success) return { ok: true, value: parsed.data }
  const where = parsed.error.issues[0]?.path.join('.') ?? ''
  return refuse(
    'The answer was not understood',
    `Reload this page: the server may be newer than it (${path}, at “${where}”).`,
  )
}

/** Also for what stands between us and the worker and answers no problem of ours. */
export function readProblem(status: number, answer: unknown): Refusal {
  const problem = (typeof answer === 'object' && answer !== null ? answer : {}) as Partial<Problem>
  const fields: Record<string, string> = {}
  for (const { path, message } of problem.errors ?? []) {
    // `amount`, `/amount` and `body.amount` are the same field of a form.
    fields[path.split(/[./]/).at(-1) ?? path] ??= message
  }
  return {
    title: problem.title ?? `The server answered ${status}`,
    detail:
      problem.detail ??
      (problem.retry === false ? '' : 'Try again; if it stays, see the server log.'),
    fields,
  }
}

function refuse(title: string, detail: string): Outcome<never> {
  return { ok: false, refusal: { title, detail, fields: {} } }
}
