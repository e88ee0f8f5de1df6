import { runInDurableObject } from 'cloudflare:test'
import { env as bindings } from 'cloudflare:workers'
import { vi } from 'vitest'
import type { Env } from '../../worker/env.ts'
import type { Mailer } from '../../worker/mail/mailer.ts'
import type { OwedMail } from '../../worker/mail/owed.ts'

export const env = bindings as unknown as Env

/** What the worker is set up with in these tests; a test may take one away. */
export function configure(settings: Partial<Env> = {}): void {
  Object.assign(env, {
    RESEND_API_KEY: 're_key',
    RESEND_BASE_URL: 'https://resend.test',
    MAIL_FROM: 'Orders <orders@example.com>',
    ...settings,
  })
}

export function owed(change: number, recipient = 'ada@example.com'): OwedMail {
  return {
    change: `00000000-0000-4000-8000-${String(change).padStart(12, '0')}`,
    recipient,
    order: {
      id: change,
      customer_name: 'Ada Lovelace',
      product_name: 'Difference engine',
      amount: 12.5,
      customer_email: null,
      updated_at: '2026-11-21T08:33:55.123456+00:00',
    },
  }
}

export type SentRequest = {
  key: string
  authorization: string
  to: string
  body: Record<string, string>
}

/**
 * Resend, in place of the network: like the real one it answers a repeated key with the first
 * answer, and a key with other content with 409.
 */
export class ResendStandIn {
  readonly requests: SentRequest[] = []
  /** How the next requests are answered; after these, as Resend would. */
  readonly script: (() => Response | Promise<Response>)[] = []
  readonly accepted = new Map<string, { body: string; id: string }>()

  constructor() {
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
      const request = new Request(input as RequestInfo, init as RequestInit)
      return this.#answer(request)
    })
  }

  async #answer(request: Request): Promise<Response> {
    if (request.url !== 'https://resend.test/emails') throw new Error(`not Resend: ${request.url}`)
    const text = await request.text()
    const body = JSON.parse(text)
    const key = request.headers.get('idempotency-key') ?? ''
    const authorization = request.headers.get('authorization') ?? ''
    this.requests.push({ key, authorization, to: body.to, body })
    const scripted = this.script.shift()
    return scripted ? scripted() : this.accept(key, text)
  }

  accept(key: string, body: string): Response {
    const earlier = this.accepted.get(key)
    if (earlier && earlier.body !== body) return refusal(409, 'invalid_idempotent_request')
    const id = earlier?.id ?? `re_${this.accepted.size + 1}`
    this.accepted.set(key, { body, id })
    return Response.json({ id })
  }
}

export function refusal(statusCode: number, name: string, headers: HeadersInit = {}): Response {
  return Response.json({ statusCode, name, message: `${name}!` }, { status: statusCode, headers })
}

/** A mailer that does nothing by itself, but by `step` only. */
export async function mailerAtRest(name: string): Promise<DurableObjectStub<Mailer>> {
  const stub = env.MAILER.getByName(name)
  await runInDurableObject(stub, (_mailer, { storage }) => rest(storage))
  return stub
}

/**
 * An hour passes and every pause is over: what is due first is dealt with.
 * @returns when the mailer then set its alarm to, in ms since 1970
 */
export function step(stub: DurableObjectStub<Mailer>): Promise<number | null> {
  return runInDurableObject(stub, async (mailer, { storage }) => {
    storage.sql.exec('UPDATE mails SET next_at = next_at - ?', HOUR_MS)
    storage.sql.exec('UPDATE pause SET until = 0')
    if ((await storage.getAlarm()) === null) throw new Error('the mailer had set no alarm')
    await mailer.alarm()
    const alarmAt = await storage.getAlarm()
    await rest(storage)
    return alarmAt
  })
}

async function rest(storage: DurableObjectStorage): Promise<void> {
  const until = Date.now() + HOUR_MS
  storage.sql.exec('INSERT OR REPLACE INTO pause VALUES (1, ?)', until)
  await storage.setAlarm(until)
}

const HOUR_MS = 3_600_000

export async function sql(
  stub: DurableObjectStub<Mailer>,
  query: string,
  ...values: (string | number)[]
): Promise<void> {
  await runInDurableObject(stub, (_mailer, { storage }) => {
    storage.sql.exec(query, ...values)
  })
}
