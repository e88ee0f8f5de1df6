import { type Answer, got } from './answer.ts'
import type { World } from './world.ts'

/** A create: what it takes, and another body for the same key. */
export type Create = {
  path: string
  body: (n: number) => Record<string, unknown>
  other: (n: number) => object
}

/** Every create, with a body of its own, and another for the same key. */
export const creates: readonly Create[] = [
  create(
    '/api/orders',
    (n) => ({ customer_name: `Again ${n}`, product_name: 'Twice', amount: 1 }),
    { amount: 2 },
  ),
  create('/api/users', (n) => ({ name: `Again ${n}` }), { name: 'Another' }),
  create('/api/notifications', () => ({ user_id: 71, title: 'Again' }), { title: 'Another' }),
  create(
    '/api/mail-rules',
    (n) => ({
      name: `again-${n}`,
      table: 'orders',
      template: 'order-status',
      recipients: [{ column: 'customer_email' }],
      enabled: false,
    }),
    { ops: ['update'] },
  ),
  create(
    '/api/notification-rules',
    (n) => ({
      name: `again-inbox-${n}`,
      table: 'orders',
      ops: ['delete'],
      notification: { title: 'Again' },
      recipients: [{ user: 'customer_id' }],
    }),
    { enabled: false },
  ),
  create(
    '/api/webhooks',
    (n) => ({ url: `https://8.8.8.8/again-${n}`, rules: [{ table: 'orders', ops: ['truncate'] }] }),
    { description: 'another' },
  ),
  create('/api/keys', (n) => ({ name: `again ${n}`, scopes: ['orders:read'] }), {
    scopes: ['admin'],
  }),
]

function create(path: string, body: Create['body'], change: object): Create {
  return { path, body, other: (n) => ({ ...body(n), ...change }) }
}

/** @returns its path */
export async function made(world: World, path: string, body: object): Promise<string> {
  const answer = await world.order(path, { method: 'POST', body })
  const id = idOf(answer)
  if (id === '') throw new Error(`POST ${path}: ${got(answer)} ${answer.text}`)
  return `${path}/${id}`
}

export async function send(world: World, path: string, body: object, key: string): Promise<Answer> {
  return world.order(path, { method: 'POST', body, headers: { 'idempotency-key': key } })
}

export function idOf({ json }: Answer): string {
  const { id, ids } = (json ?? {}) as { id?: string | number; ids?: number[] }
  return String(id ?? ids?.[0] ?? '')
}
