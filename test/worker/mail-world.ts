import { runInDurableObject } from 'cloudflare:test'
import { env as bindings } from 'cloudflare:workers'
import { vi } from 'vitest'
import { deliveryStates } from '../../protocol/delivery-states.ts'
import type { DeliveryReport, Owed } from '../../worker/courier/delivery.ts'
import type { Env } from '../../worker/env.ts'
import type { Mailer } from '../../worker/mail/mailer.ts'
import { answerOfNotes } from '../support/database-of-rules.ts'
import { DEADLINE_MS } from './subscriber.ts'
import { summaryIn } from './summary-in.ts'

export const env = bindings as unknown as Env

/** What the worker is set up with in these tests; a test may take one away. */
export function configure(settings: Partial<Env> = {}): void {
  Object.assign(env, {
    RESEND_API_KEY: 're_key',
    RESEND_BASE_URL: 'https://resend.test',
    MAIL_FROM: 'Orders <orders@example.com>',
    MAIL_BATCH: '1',
    PUBLIC_URL: 'https://belfry.test/',
    ...settings,
  })
}

export function owed(
  change: number,
  recipient = 'ada@example.com',
  audience: 'staff' | 'customer' = 'staff',
): Owed {
  const data = {
    id: change,
    customer_name: 'Ada Lovelace',
    product_name: 'Difference engine',
    amount: 12.5,
    customer_email: null,
    updated_at: '2026-11-21T08:33:55.123456+00:00',
  }
  return {
    rule: 1,
    ruleName: 'order-filled',
    change: `00000000-0000-4000-8000-${String(change).padStart(12, '0')}`,
    table: 'orders',
    key: String(change),
    recipient,
    body: JSON.stringify({ template: 'order-filled', audience, category: 'orders', data }),
  }
}

type SentMail = {
  from: string
  to: string[]
  subject: string
  html: string
  text: string
  headers?: Record<string, string>
  tags: { name: string; value: string }[]
}

export type SentRequest = {
  path: '/emails' | '/emails/batch'
  key: string
  headers: Headers
  text: string
  mails: SentMail[]
}

/**
 * Resend, in place of the network: like the real one it answers a repeated key with the first
 * answer, and a key with other content with 409.
 */
export class ResendStandIn {
  readonly requests: SentRequest[] = []
  /** How the next requests are answered; after these, as Resend would. */
  readonly script: ((request: SentRequest) => Response | Promise<Response>)[] = []
  readonly accepted = new Map<string, { text: string; answer: string }>()
  /** Each mail that was accepted, once. */
  readonly mails: SentMail[] = []
  /** Whether a mail in a batch is refused. */
  refuses: (mail: SentMail) => boolean = () => false
  /** What is not Resend's: a database that takes down what is done by hand. */
  elsewhere: (request: Request) => Response | Promise<Response> = async (request) => {
    const noted = request.url.endsWith('/sql') ? await answerOfNotes(await request.text()) : null
    if (noted) return noted
    throw new TypeError(`nothing is at ${request.url}`)
  }
  #ids = 0

  constructor() {
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
      const request = new Request(input as RequestInfo, init as RequestInit)
      return this.#answer(request)
    })
  }

  /** Recipients in the order in which they were asked for. */
  get asked(): string[] {
    return this.requests.flatMap(({ mails }) => mails.map(({ to }) => to.join(',')))
  }

  async #answer(request: Request): Promise<Response> {
    const { origin, pathname: path } = new URL(request.url)
    if (origin !== 'https://resend.test' || (path !== '/emails' && path !== '/emails/batch'))
      return this.elsewhere(request)
    const text = await request.text()
    const mails: SentMail[] = [JSON.parse(text)].flat()
    const key = request.headers.get('idempotency-key') ?? ''
    const sent: SentRequest = { path, key, headers: request.headers, text, mails }
    this.requests.push(sent)
    const scripted = this.script.shift()
    return scripted ? untilAborted(request.signal, scripted(sent)) : this.accept(sent)
  }

  accept({ path, key, text, mails }: SentRequest): Response {
    const earlier = this.accepted.get(key)
    if (earlier && earlier.text !== text) return refusal(409, 'invalid_idempotent_request')
    const answer = earlier?.answer ?? JSON.stringify(this.#take(path, mails))
    this.accepted.set(key, { text, answer })
    return new Response(answer, { headers: { 'ratelimit-limit': '10' } })
  }

  #take(path: string, mails: readonly SentMail[]) {
    if (path === '/emails') {
      this.mails.push(...mails)
      return { id: `re_${++this.#ids}` }
    }
    const taken = mails.filter((mail) => !this.refuses(mail))
    this.mails.push(...taken)
    return {
      data: taken.map(() => ({ id: `re_${++this.#ids}` })),
      errors: mails.flatMap((mail, index) =>
        this.refuses(mail) ? { index, message: 'Invalid `to` field.' } : [],
      ),
    }
  }
}

function untilAborted(signal: AbortSignal, answer: Response | Promise<Response>) {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')))
  })
  return Promise.race([answer, aborted])
}

export function refusal(statusCode: number, name: string, headers: HeadersInit = {}): Response {
  return Response.json({ statusCode, name, message: `${name}!` }, { status: statusCode, headers })
}

/** A busy machine may take longer than vitest waits by itself. */
export function eventually(check: () => unknown): Promise<unknown> {
  return vi.waitFor(check, { timeout: DEADLINE_MS, interval: 5 })
}

export const broken = () => Promise.reject(new TypeError('fetch failed'))
export const hanging = () => new Promise<Response>(() => {})

/** A mailer that does nothing by itself, but by `step` only. */
export async function mailerAtRest(name: string): Promise<DurableObjectStub<Mailer>> {
  const stub = env.MAILER.getByName(name)
  await rest(stub)
  return stub
}

/**
 * An hour passes and every pause is over: what is due first is dealt with.
 * @returns when the mailer then set its alarm to, in ms since 1970
 */
export function step(stub: DurableObjectStub<Mailer>): Promise<number | null> {
  return runInDurableObject(stub, async (mailer, { storage }) => {
    storage.sql.exec('UPDATE deliveries SET next_at = next_at - ?', HOUR_MS)
    storage.sql.exec('UPDATE pace SET until = 0')
    if ((await storage.getAlarm()) === null) throw new Error('the mailer had set no alarm')
    await mailer.alarm()
    const alarmAt = await storage.getAlarm()
    await restIn(storage)
    return alarmAt
  })
}

/** Steps until nothing waits any more. */
export async function stepOn(stub: DurableObjectStub<Mailer>): Promise<void> {
  for (let steps = 0; (await summaryIn(stub)).queued > 0; steps++) {
    if (steps === 300) throw new Error('mails wait for ever')
    await step(stub)
  }
}

export function rest(stub: DurableObjectStub<Mailer>): Promise<void> {
  return runInDurableObject(stub, (_mailer, { storage }) => restIn(storage))
}

async function restIn(storage: DurableObjectStorage): Promise<void> {
  const until = Date.now() + HOUR_MS
  storage.sql.exec(
    'INSERT INTO pace VALUES (1, ?, 0, NULL) ON CONFLICT DO UPDATE SET until = excluded.until',
    until,
  )
  await storage.setAlarm(until)
}

export const HOUR_MS = 3_600_000

/** Newest first. */
export async function listed(
  stub: DurableObjectStub<Mailer>,
  limit = 200,
): Promise<DeliveryReport[]> {
  const { deliveries } = await stub.list({}, limit, null)
  return deliveries
}

export async function only(stub: DurableObjectStub<Mailer>): Promise<DeliveryReport> {
  const [mail, ...others] = await listed(stub)
  if (!mail || others.length > 0) throw new Error('not exactly one mail')
  return mail
}

/** So long has passed since anything was in doubt. */
export async function age(stub: DurableObjectStub<Mailer>, ms: number): Promise<void> {
  await sql(stub, 'UPDATE deliveries SET doubt_since = doubt_since - ?', ms)
}

/** The object itself: what happens to it while it waits for an answer is done from within. */
export async function within(stub: DurableObjectStub<Mailer>): Promise<Mailer> {
  const found: Mailer[] = []
  await runInDurableObject(stub, (mailer) => void found.push(mailer))
  const [mailer] = found
  if (!mailer) throw new Error('there is no mailer')
  return mailer
}

export async function sql(
  stub: DurableObjectStub<Mailer>,
  query: string,
  ...values: (string | number | null)[]
): Promise<void> {
  await runInDurableObject(stub, (_mailer, { storage }) => {
    storage.sql.exec(query, ...values)
  })
}

/** Every state as it is kept, and as it is counted by hand. */
export function bothCounts(stub: DurableObjectStub<Mailer>) {
  return runInDurableObject(stub, async (mailer, { storage }) => {
    const recount = Object.fromEntries(deliveryStates.map((state) => [state, 0]))
    for (const { state, n } of storage.sql.exec<{ state: string; n: number }>(
      'SELECT state, count(*) AS n FROM deliveries GROUP BY state',
    ))
      recount[state] = n
    return { kept: await mailer.counts(), recount }
  })
}
