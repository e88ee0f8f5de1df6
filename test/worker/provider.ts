import { Webhook } from 'standardwebhooks'
import { bindings } from './link.ts'
import { worker } from './subscriber.ts'

/** Resend's side of its webhook. */
export type Told = {
  /** Its id: the same when it is told again. */
  id?: string
  /** When it is signed. */
  at?: number
  secret?: string | undefined
}

export function eventOf(type: string, data: object = {}, created_at = '2026-11-21T08:33:55.126Z') {
  return {
    type,
    created_at,
    data: { email_id: 're_1', to: ['ada@example.com'], subject: 'Order 1 is filled', ...data },
  }
}

export function signed(
  body: string,
  { id = crypto.randomUUID(), at = Date.now(), secret = bindings.RESEND_WEBHOOK_SECRET }: Told = {},
): Record<string, string> {
  return {
    'svix-id': id,
    'svix-timestamp': String(Math.floor(at / 1_000)),
    'svix-signature': new Webhook(secret ?? '').sign(id, new Date(at), body),
  }
}

export async function post(body: BodyInit | null, headers: Record<string, string> = {}) {
  const response = await worker.fetch('http://belfry.test/webhooks/resend', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? null : JSON.parse(text) }
}

/** Tells an event as Resend does. @returns the status of the answer */
export async function tell(event: object, told: Told = {}): Promise<number> {
  const body = JSON.stringify(event)
  return (await post(body, signed(body, told))).status
}
