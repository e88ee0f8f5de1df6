import { abortAllDurableObjects, runInDurableObject } from 'cloudflare:test'
import { env as bindings } from 'cloudflare:workers'
import { inject } from 'vitest'
import type { SwitchesInput } from '../../dev/switches.ts'
import type { CapturedChange } from '../../protocol/change.ts'
import type { Row } from '../../worker/courier/row.ts'
import type { Env } from '../../worker/env.ts'
import type { Mailer } from '../../worker/mail/mailer.ts'
import type { ProviderEvent } from '../../worker/mail/provider-event.ts'
import type { Random } from '../simulation/random.ts'
import type { StormContext } from '../support/storm-context.ts'

export const env = bindings as unknown as Env
const { mailboxUrl, controlUrl }: StormContext = inject('storm')

/** The real mailer in workerd, before the real stand-in over HTTP. */
export class StormWorld {
  readonly #name: string

  constructor(name: string) {
    this.#name = name
    Object.assign(env, {
      RESEND_API_KEY: 're_storm',
      RESEND_BASE_URL: mailboxUrl,
      MAIL_FROM: 'Orders <orders@belfry.test>',
      PUBLIC_URL: 'https://belfry.test',
      MAIL_BATCH: '25',
    })
  }

  /** Made anew each time: a stub of an object that was killed is of no use. */
  get mailer(): DurableObjectStub<Mailer> {
    return env.MAILER.getByName(this.#name)
  }

  async switchTo(switches: SwitchesInput): Promise<void> {
    const body = JSON.stringify({
      requests_per_second: 1_000_000,
      slow_ms: 20,
      refuse: ['@refused.test'],
      ...switches,
    })
    const response = await fetch(`${mailboxUrl}/switches`, { method: 'PUT', body })
    if (!response.ok) throw new Error(await response.text())
  }

  /** What the mailbox holds, oldest first. */
  async mails(): Promise<Mail[]> {
    const response = await fetch(`${mailboxUrl}/mails?brief`)
    return (await response.json<Mail[]>()).reverse()
  }

  /** Time goes by, for the mailer and for Resend alike. */
  async pass(ms: number): Promise<void> {
    await (await fetch(`${controlUrl}?pass=${ms}`)).text()
    await runInDurableObject(this.mailer, (_mailer, { storage }) => {
      storage.sql.exec(
        `UPDATE deliveries SET next_at = next_at - ?1, doubt_since = doubt_since - ?1
          WHERE next_at IS NOT NULL OR doubt_since IS NOT NULL`,
        ms,
      )
      storage.sql.exec('UPDATE pace SET until = until - ?', ms)
    })
  }

  /** Resend tells the worker of these, in this order. */
  async tell(events: readonly ProviderEvent[]): Promise<void> {
    await runInDurableObject(this.mailer, async (mailer) => {
      for (const event of events) await mailer.heard(event)
    })
  }

  /** The alarm rings, once or twice at a time, and nothing interrupts it. */
  async ring(times = 1): Promise<void> {
    await runInDurableObject(this.mailer, async (mailer) => {
      await Promise.all(Array.from({ length: times }, () => mailer.alarm()))
    })
  }

  /** The alarm rings, and the mailer is killed so long after it. */
  async ringAndKill(afterMs: number): Promise<void> {
    const ringing = this.ring().catch(() => 'killed')
    await new Promise((resolve) => setTimeout(resolve, afterMs))
    await abortAllDurableObjects()
    await ringing
  }

  /** The alarm rings, and the mailer is killed once Resend has taken a mail, if it does. */
  async ringAndKillOnceTaken(): Promise<void> {
    const waiting = new AbortController()
    const taken = fetch(`${controlUrl}/next-mail`, { signal: waiting.signal })
      .then((response) => response.text())
      .catch(() => 'none came')
    const ringing = this.ring().catch(() => 'killed')
    await Promise.race([taken, ringing])
    waiting.abort()
    await abortAllDurableObjects()
    await ringing
  }

  rows(): Promise<Row[]> {
    return runInDurableObject(this.mailer, (_mailer, { storage }) =>
      storage.sql.exec<Row>('SELECT * FROM deliveries ORDER BY id').toArray(),
    )
  }
}

/** As the stand-in lists it. */
export type Mail = {
  id: string
  to: string[]
  tags: { name: string; value: string }[]
  events: { id: string; type: string; at: string }[]
}

function tagOf({ tags }: Mail): string {
  return tags.find(({ name }) => name === 'delivery')?.value ?? ''
}

/** Which delivery a mail is of, in whichever round. */
export function deliveryOf(mail: Mail): string {
  return /^.+-[0-9a-f]{32}/.exec(tagOf(mail))?.[0] ?? tagOf(mail)
}

/** What Resend's webhooks say of a mail. */
export function eventsOf(mail: Mail): ProviderEvent[] {
  return mail.events.map(({ id, type, at }) => ({
    id,
    kind: type.replace('email.', '') as ProviderEvent['kind'],
    at,
    providerId: mail.id,
    delivery: tagOf(mail),
    recipient: mail.to[0] ?? null,
    detail: null,
    permanent: type === 'email.bounced',
  }))
}

/** An order that becomes filled, with a customer of one kind or another. */
export function filled(id: number, random: Random): CapturedChange {
  const address = random.one([
    ...Array.from({ length: 12 }, () => `customer-${id}@belfry.test`),
    `bounced+${id}@resend.dev`,
    `complained+${id}@resend.dev`,
    `customer-${id}@refused.test`,
    `nobody-${id}`,
    `a${id}@belfry.test, b${id}@belfry.test`,
    null,
  ])
  const order = {
    id,
    customer_name: `Customer ${id} <b>&"'\r\nBcc: x@belfry.test`,
    customer_email: address,
    product_name: 'Brass gears, set of 40',
    amount: 412.5,
    status: 'filled',
    created_at: '2026-11-21T08:00:00.000000+00:00',
    updated_at: '2026-11-21T08:33:55.123456+00:00',
    version: 2,
  }
  return {
    id: crypto.randomUUID(),
    table: 'orders',
    op: 'update',
    key: { id },
    old: { ...order, status: 'shipped' },
    new: order,
    at: order.updated_at,
  }
}

export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const mixed = items.map((item) => ({ item, at: random.next() }))
  return mixed.sort((a, b) => a.at - b.at).map(({ item }) => item)
}
