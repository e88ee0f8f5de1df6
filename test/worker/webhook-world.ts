import { runInDurableObject } from 'cloudflare:test'
import { env as bindings } from 'cloudflare:workers'
import { vi } from 'vitest'
import type { DeliveryReport, Owed } from '../../worker/courier/delivery.ts'
import type { Env } from '../../worker/env.ts'
import type { Endpoint } from '../../worker/webhooks/endpoint.ts'
import type { WebhookSender } from '../../worker/webhooks/sender.ts'
import { answerOfNotes } from '../support/database-of-rules.ts'

export const env = bindings as unknown as Env
export type Sender = DurableObjectStub<WebhookSender>

export const HOUR_MS = 3_600_000
const NEON = 'https://neon.test/sql'

export function configure(settings: Partial<Env> = {}): void {
  Object.assign(env, { NEON_ENDPOINT: NEON, PUBLIC_URL: '', ALERT_RECIPIENTS: '', ...settings })
}

export function endpoint(id: string, fields: Partial<Endpoint> = {}): Endpoint {
  return { id, url: 'https://hooks.example.com/in', enabled: true, version: 1, ...fields }
}

export function changeId(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
}

export function owed(recipient: string, number: number): Owed {
  const body = JSON.stringify({ type: 'orders.update', timestamp: 'now', data: { id: number } })
  const about = { table: 'orders', key: String(number), recipient }
  return { rule: 0, ruleName: 'orders.update', change: changeId(number), ...about, body }
}

export type Received = { url: string; headers: Record<string, string>; body: string }

type Answer = (received: Received, signal: AbortSignal) => Response | Promise<Response>

/** The network in place of the real one: endpoints, the resolver, and Postgres behind its driver. */
export class Network {
  readonly received: Received[] = []
  /** How the next requests to an endpoint are answered; after these, as `answer` says. */
  readonly script: Answer[] = []
  answer: Answer = () => new Response('thanks')
  /** What names stand for; null if the resolver does not answer. */
  readonly names = new Map<string, string[] | null>([['hooks.example.com', ['93.184.216.34']]])
  readonly lookups: string[] = []
  /** What Postgres has; null if it does not answer. */
  rows: Endpoint[] | null = null

  constructor() {
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
      const request = new Request(input as RequestInfo, init as RequestInit)
      if (request.url === NEON) return this.#postgres(await request.text())
      const url = new URL(request.url)
      if (url.hostname === 'cloudflare-dns.com') return this.#resolve(url.searchParams)
      if (init?.redirect !== 'manual') throw new Error('a redirect would be followed')
      const headers = Object.fromEntries(request.headers)
      const received = { url: request.url, headers, body: await request.text() }
      this.received.push(received)
      return (this.script.shift() ?? this.answer)(received, init.signal as AbortSignal)
    })
  }

  /** The changes that were told of, in the order in which requests came. */
  get ids(): (string | undefined)[] {
    return this.received.map(({ headers }) => headers['webhook-id'])
  }

  #resolve(query: URLSearchParams): Response {
    const name = query.get('name') ?? ''
    this.lookups.push(name)
    const addresses = this.names.get(name)
    if (addresses === null) throw new TypeError('fetch failed')
    if (addresses === undefined) return Response.json({ Status: 3 })
    const type = Number(query.get('type'))
    const data = addresses.filter((address) => address.includes(':') === (type === 28))
    return Response.json({ Status: 0, Answer: data.map((each) => ({ type, data: each })) })
  }

  async #postgres(text: string): Promise<Response> {
    if (this.rows === null) throw new TypeError('fetch failed')
    const noted = await answerOfNotes(text)
    if (noted) return noted
    const { params } = JSON.parse(text) as { params: string[] }
    const found = this.rows.filter(({ id }) => id === params[0])
    const types = { id: 2950, url: 25, enabled: 16, version: 23 }
    return Response.json({
      fields: Object.entries(types).map(([name, dataTypeID]) => ({ name, dataTypeID })),
      rows: found.map(({ id, url, enabled, version }) => [
        id,
        url,
        enabled ? 't' : 'f',
        `${version}`,
      ]),
      command: 'SELECT',
      rowCount: found.length,
      rowAsArray: true,
    })
  }
}

/** Registered, and at rest: it does nothing by itself, but by `step` only. */
export async function registeredAtRest(
  network: Network,
  fields: Partial<Endpoint> = {},
): Promise<{ id: string; sender: Sender; secret: string }> {
  const id = crypto.randomUUID()
  const sender = env.WEBHOOKS.getByName(id)
  const made = endpoint(id, fields)
  network.rows = [...(network.rows ?? []), made]
  const secret = await sender.register(made)
  await rest(sender)
  return { id, sender, secret }
}

/**
 * A day passes and every pause is over: what is due first is dealt with.
 * @returns when it would have gone on by itself, in ms since 1970
 */
export function step(sender: Sender): Promise<number> {
  return runInDurableObject(sender, async (object: WebhookSender, { storage }) => {
    storage.sql.exec('UPDATE deliveries SET next_at = 1 WHERE next_at IS NOT NULL')
    storage.sql.exec('UPDATE pace SET until = 0')
    await object.alarm()
    const { until } = storage.sql.exec<{ until: number }>('SELECT until FROM pace').one()
    restIn(storage)
    return until
  })
}

export function rest(sender: Sender): Promise<void> {
  return runInDurableObject(sender, (_object, { storage }) => restIn(storage))
}

function restIn(storage: DurableObjectStorage): void {
  storage.sql.exec(
    'INSERT INTO pace VALUES (1, ?, 0, NULL) ON CONFLICT DO UPDATE SET until = excluded.until',
    Date.now() + HOUR_MS,
  )
}

export async function sql(sender: Sender, query: string, ...values: (string | number)[]) {
  await runInDurableObject(sender, (_object, { storage }) => {
    storage.sql.exec(query, ...values)
  })
}

/** Oldest first. */
export async function listed(sender: Sender): Promise<DeliveryReport[]> {
  const { deliveries } = await sender.list({}, 200, null)
  return deliveries.reverse()
}
