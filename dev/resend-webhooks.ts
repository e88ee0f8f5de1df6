import { createHmac } from 'node:crypto'
import { detailOf } from './mail-fate.ts'
import type { Mail, MailEvent, MailStore } from './mail-store.ts'
import type { Switchboard } from './switches.ts'

/**
 * Tells the worker what became of each mail, as Resend does: signed after Standard Webhooks, at
 * least once, tried again until it is taken. The store is authoritative for what is still owed, so
 * nothing is forgotten at a restart.
 */
export type WebhookTarget = { url: string; secret: string }

export type WebhookSender = {
  /** How many events wait, and what the worker last said instead of taking one. */
  report(): { waiting: number; last_error: string | null }
  stop(): void
}

type Owed = { mail: Mail; event: MailEvent; dueAt: number }

/** Resend tries over a day; a person at a laptop would not wait for that. */
const FIRST_RETRY_MS = 500
const LONGEST_RETRY_MS = 15_000
const GIVE_UP_MS = 24 * 60 * 60 * 1_000
const TIMEOUT_MS = 15_000
const AT_ONCE = 8

export function sendWebhooks(
  store: MailStore,
  switchboard: Switchboard,
  target: WebhookTarget,
): WebhookSender {
  /** Both by event. */
  const waiting = new Map<string, Owed>()
  const underWay = new Set<string>()
  const ending = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let failures = 0
  let pausedUntil = 0
  let lastError: string | null = null

  for (const mail of store.list().toReversed()) owe(mail)
  const stops = [
    store.watch((news) => {
      if (news.kind === 'cleared') waiting.clear()
      else if (news.kind === 'added') owe(news.mail)
      look()
    }),
    switchboard.watch(look),
  ]
  look()

  return {
    report: () => ({ waiting: waiting.size, last_error: lastError }),
    stop() {
      for (const stop of stops) stop()
      clearTimeout(timer)
      ending.abort()
    },
  }

  function owe(mail: Mail): void {
    const { webhooks } = switchboard.current
    const dues = mail.events.map(({ at }) => Date.parse(at))
    if (webhooks === 'reordered') dues.reverse()
    for (const [index, event] of mail.events.entries())
      if (event.told_at === null)
        waiting.set(event.id, { mail, event, dueAt: dues[index] as number })
  }

  function look(): void {
    clearTimeout(timer)
    if (ending.signal.aborted || switchboard.current.webhooks === 'off') return
    const now = Date.now()
    let nextAt = Number.POSITIVE_INFINITY
    for (const owed of waiting.values()) {
      const at = Math.max(owed.dueAt, pausedUntil)
      if (at <= now && underWay.size < AT_ONCE) void deliver(owed)
      else nextAt = Math.min(nextAt, at)
      if (underWay.size >= AT_ONCE) return // Each that ends looks again.
    }
    if (nextAt < Number.POSITIVE_INFINITY)
      timer = setTimeout(look, Math.max(0, nextAt - now)).unref()
  }

  async function deliver(owed: Owed): Promise<void> {
    const { event, mail } = owed
    waiting.delete(event.id)
    underWay.add(event.id)
    const times = switchboard.current.webhooks === 'repeated' ? 2 : 1
    try {
      for (let time = 0; time < times; time++)
        await post(event.id, JSON.stringify(payload(mail, event)))
      failures = 0
      pausedUntil = 0
      lastError = null
      store.told(event.id)
    } catch (error) {
      if (ending.signal.aborted) return
      lastError =
        error instanceof Refused ? error.message : `the worker does not answer at ${target.url}`
      // Whatever else waits would most likely fail as well.
      pausedUntil = Date.now() + Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures)
      failures += 1
      if (store.get(mail.id) && Date.now() - Date.parse(event.at) < GIVE_UP_MS)
        waiting.set(event.id, { ...owed, dueAt: pausedUntil })
    } finally {
      underWay.delete(event.id)
      look()
    }
  }

  async function post(id: string, body: string): Promise<void> {
    const timestamp = String(Math.floor(Date.now() / 1_000))
    const response = await fetch(target.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'svix-id': id,
        'svix-timestamp': timestamp,
        'svix-signature': sign(target.secret, `${id}.${timestamp}.${body}`),
      },
      body,
      signal: AbortSignal.any([ending.signal, AbortSignal.timeout(TIMEOUT_MS)]),
    })
    await response.body?.cancel()
    if (!response.ok) throw new Refused(`the worker answers ${response.status} at ${target.url}`)
  }
}

class Refused extends Error {}

/** As Resend writes it. */
function payload(mail: Mail, { type, at }: MailEvent): object {
  return {
    type,
    created_at: at,
    data: {
      created_at: mail.at,
      email_id: mail.id,
      message_id: `<${mail.id}@resend.local>`,
      from: mail.from,
      to: mail.to,
      subject: mail.subject,
      tags: Object.fromEntries(mail.tags.map(({ name, value }) => [name, value])),
      ...detailOf(type),
    },
  }
}

/** @param secret `whsec_` and base64 */
function sign(secret: string, content: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  return `v1,${createHmac('sha256', key).update(content).digest('base64')}`
}
