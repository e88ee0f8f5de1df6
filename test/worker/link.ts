import { reset } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { CapturedChange, Row } from '../../protocol/change.ts'
import type { ToFeed, ToListener } from '../../protocol/link.ts'
import { signLink } from '../../protocol/signature.ts'
import type { Env } from '../../worker/env.ts'
import { openSocket, type Subscriber } from './subscriber.ts'

export const bindings = env as unknown as Env
/** Of whoever runs it. */
export const operator = { authorization: `Bearer ${bindings.ADMIN_TOKEN}` }
/**
 * Storage and objects as on the first day. `reset` passes over objects that are evicted, so they
 * are woken first.
 */
export async function startAfresh(): Promise<void> {
  await Promise.all([
    bindings.FEED.getByName('main').oldest(),
    bindings.MAILER.getByName('main').counts(),
    bindings.SHARD.getByName('enam-0').deliver({ epoch: '', after: 0, through: 0, changes: '[]' }),
  ])
  await reset()
}

export const SOURCE = '0f0e0d0c-0b0a-4900-8807-060504030201'

/** A listener's side of the link, for tests of the feed. */
export class TestLink {
  readonly socket: Subscriber
  #seq = 0

  constructor(socket: Subscriber) {
    this.socket = socket
  }

  say(message: ToFeed | Record<string, unknown>): void {
    this.socket.send(JSON.stringify(message))
  }

  async hear<Type extends ToListener['type']>(
    type: Type,
  ): Promise<Extract<ToListener, { type: Type }>> {
    const said = JSON.parse(await this.socket.text()) as ToListener
    if (said.type !== type) throw new Error(`expected ${type}, heard ${JSON.stringify(said)}`)
    return said as Extract<ToListener, { type: Type }>
  }

  async open(term = 1, source = SOURCE) {
    this.say({ type: 'open', source, term, listener: 'a test' })
    return this.hear('welcome')
  }

  async deliver(changes: CapturedChange[]) {
    this.say({ type: 'batch', seq: ++this.#seq, changes })
    return this.hear('ack')
  }
}

export async function connectLink(secret = bindings.LINK_SECRET): Promise<TestLink> {
  const authorization = await signLink(secret, Date.now(), crypto.randomUUID())
  return new TestLink(await openSocket('/link', { authorization }))
}

export async function openLink(term = 1): Promise<TestLink> {
  const link = await connectLink()
  await link.open(term)
  return link
}

export function orderRow(status: string): Row {
  return {
    id: 1,
    customer_name: 'Ada',
    product_name: 'Bell',
    status,
    amount: 12.5,
    customer_email: null,
    version: 1,
    created_at: '2026-11-21T08:33:55.123456+00:00',
    updated_at: '2026-11-21T08:33:55.123456+00:00',
  }
}

/** A change of an order; what is not given is plausible. */
export function orderChange(given: Partial<CapturedChange> = {}): CapturedChange {
  return {
    id: crypto.randomUUID(),
    table: 'orders',
    op: 'insert',
    key: { id: 1 },
    new: orderRow('pending'),
    old: null,
    at: '2026-11-21T08:33:55.123456+00:00',
    ...given,
  }
}

export function orderChanges(count: number): CapturedChange[] {
  return Array.from({ length: count }, (_, index) => orderChange({ key: { id: index + 1 } }))
}
