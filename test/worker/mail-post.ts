import { vi } from 'vitest'
import type { DeliveryState } from '../../protocol/delivery-states.ts'
import type { DeliveryReport, Owed } from '../../worker/courier/delivery.ts'
import { sampleOrder } from '../../worker/mail/templates/order.ts'
import { databaseOfRules } from '../support/database-of-rules.ts'
import { bindings, operator } from './link.ts'
import { DEADLINE_MS, worker } from './subscriber.ts'

/** What the doors to the mails are tested with: a mailer that Resend takes everything from. */
export const mailer = () => bindings.MAILER.getByName('main')

/** A mail of an order of that number. */
export function owed(order: number, recipient = 'ada@example.com', more: Partial<Owed> = {}): Owed {
  return {
    rule: 1,
    ruleName: 'order-filled',
    change: `00000000-0000-4000-8000-${String(order).padStart(12, '0')}`,
    table: 'orders',
    key: String(order),
    recipient,
    body: bodyOf('staff', order),
    ...more,
  }
}

export function bodyOf(audience: 'staff' | 'customer', id: number): string {
  const data = { ...sampleOrder, id, customer_name: 'Ada Lovelace' }
  return JSON.stringify({ template: 'order-filled', audience, category: 'orders', data })
}

type SentMail = {
  to: string | string[]
  headers?: Record<string, string>
  tags?: Tag[]
  text: string
}
type Tag = { name: string; value: string }

/** What Resend was given, in order; `re_1` is the id of the first. */
export class Post {
  readonly mails: SentMail[] = []

  constructor() {
    vi.spyOn(console, 'warn').mockReturnValue()
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
      const request = new Request(input as RequestInfo, init as RequestInit)
      if (request.url.endsWith('/sql')) return databaseOfRules(request)
      const isBatch = new URL(request.url).pathname === '/emails/batch'
      const given = await request.json<SentMail | SentMail[]>()
      const taken = [given].flat().map((mail) => ({ id: `re_${this.mails.push(mail)}` }))
      const answer = isBatch ? { data: taken } : taken[0]
      return Response.json(answer, { headers: { 'ratelimit-limit': '1000' } })
    })
  }

  /** By which the provider's word finds the mail to this address. */
  tagOf(recipient: string): string {
    const mail = this.mails.find(({ to }) => [to].flat().includes(recipient))
    const tag = mail?.tags?.find(({ name }) => name === 'delivery')
    if (!tag) throw new Error(`no mail to ${recipient} with a tag: ${JSON.stringify(this.mails)}`)
    return tag.value
  }
}

/** Hands mails over and waits until all of them have come to this. */
export async function handOver(mails: Owed[], state: DeliveryState): Promise<DeliveryReport[]> {
  await mailer().enqueue(mails)
  const theirs = new Set(mails.map(({ change }) => change))
  return until(state, mails.length, ({ change }) => theirs.has(change))
}

export async function until(
  state: DeliveryState,
  count = 1,
  wanted: (mail: DeliveryReport) => boolean = () => true,
): Promise<DeliveryReport[]> {
  return vi.waitFor(
    async () => {
      const { deliveries } = await mailer().list({ states: [state] }, 200, null)
      const found = deliveries.filter(wanted)
      if (found.length >= count) return found
      throw new Error(`only ${found.length} ${state}: ${JSON.stringify(await mailer().counts())}`)
    },
    { timeout: DEADLINE_MS, interval: 10 },
  )
}

/** With a Resend behind it, or without, where every mail waits. */
export function configure(settings: { sends: boolean }): void {
  Object.assign(bindings, {
    RESEND_API_KEY: settings.sends ? 're_key' : '',
    RESEND_BASE_URL: 'https://resend.test',
    PUBLIC_URL: 'https://belfry.test',
  })
}

export type Answer = { status: number; body: Record<string, unknown> }

/** As whoever runs it. */
export async function ask(method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await worker.fetch(`http://belfry.test${path}`, {
    method,
    headers: { ...operator, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && {
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? {} : JSON.parse(text) }
}

/** How many got a problem of this code, in this file so far. */
export async function refusedSoFar(code: string): Promise<number> {
  const metrics = await worker.fetch('http://belfry.test/metrics', { headers: operator })
  const line = new RegExp(`^belfry_refusals_total\\{door="http",code="${code}"\\} (\\d+)$`, 'm')
  return Number(line.exec(await metrics.text())?.[1] ?? 0)
}
