import { DurableObject } from 'cloudflare:workers'
import { Resend } from 'resend'
import type { Env } from '../env.ts'
import { type Answer, judge, missing, type Outcome, paceMs, parkUnsent } from './attempt.ts'
import {
  type DueMail,
  Ledger,
  type MailReport,
  type MailState,
  type MailSummary,
} from './ledger.ts'
import { filledLetter } from './letter.ts'
import type { OwedMail } from './owed.ts'

export type { MailSummary } from './ledger.ts'

const REQUEST_TIMEOUT_MS = 30_000
/** After a failure of our own. */
const REST_MS = 60_000

/**
 * Sends what is owed, one mail an alarm.
 *
 * The ledger is authoritative; the alarm is only the clock, and is set anew after every step and
 * at every start. Must hold: a mail handed over is sent or parked, through any restart, and one
 * change sends one mailbox one mail: what may have gone out is repeated under the same
 * idempotency key, and only while Resend remembers it. The alarm's handler never throws, because
 * the platform gives up on one that does.
 */
export class Mailer extends DurableObject<Env> {
  readonly #ledger: Ledger
  #busy = false

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#ledger = new Ledger(ctx.storage)
    this.#ledger.recover(Date.now(), 'The mailer stopped while it was being sent.')
    ctx.blockConcurrencyWhile(() => this.#arm())
  }

  /** Takes mails to send; those it has had are dropped. Durable when it returns. */
  async enqueue(owed: OwedMail[]): Promise<void> {
    if (this.#ledger.add(owed, Date.now()) > 0 && !this.#busy) await this.#arm()
  }

  async summary(): Promise<MailSummary> {
    return this.#ledger.summary
  }

  /** Newest first; of every state if none is given. */
  async list({ state, limit }: { state?: MailState; limit: number }): Promise<MailReport[]> {
    return this.#ledger.list(state ?? null, limit)
  }

  override async alarm(): Promise<void> {
    if (this.#busy) return
    this.#busy = true
    try {
      await this.#sendNext(Date.now())
      this.#ledger.prune(Date.now())
    } catch (error) {
      const later = Date.now() + REST_MS
      if (!this.#ledger.recover(later, String(error))) this.#ledger.pause(later)
      console.error(JSON.stringify({ message: 'the mailer failed', error: String(error) }))
    } finally {
      this.#busy = false
      await this.#arm()
    }
  }

  async #arm(): Promise<void> {
    const at = this.#ledger.nextAt
    if (at !== null) await this.ctx.storage.setAlarm(Math.max(at, Date.now()))
  }

  async #sendNext(now: number): Promise<void> {
    if (this.#ledger.pausedUntil > now) return
    const mail = this.#ledger.nextDue(now)
    if (!mail) return
    const tooOften = parkUnsent(mail, now)
    if (tooOften !== null) return this.#carryOut(mail, { kind: 'park', error: tooOften })

    const { RESEND_API_KEY, MAIL_FROM } = this.env
    if (!RESEND_API_KEY) return this.#carryOut(mail, missing('RESEND_API_KEY'))
    if (!MAIL_FROM) return this.#carryOut(mail, missing('MAIL_FROM'))

    this.#ledger.begin(mail, now)
    // Only when the attempt is on record may the request leave.
    await this.ctx.storage.sync()
    const answer = await this.#send(mail, RESEND_API_KEY, MAIL_FROM)
    const attempted = { attempts: mail.attempts + 1, firstAt: mail.firstAt ?? now }
    this.#ledger.pause(Date.now() + paceMs(answer.headers))
    this.#carryOut(mail, judge(answer, attempted, Date.now(), Math.random()))
  }

  async #send(mail: DueMail, key: string, from: string): Promise<Answer> {
    const { RESEND_BASE_URL } = this.env
    const resend = new Resend(key, RESEND_BASE_URL ? { baseUrl: RESEND_BASE_URL } : {})
    const idempotencyKey = await idempotencyKeyOf(mail)
    // Not AbortSignal.timeout: its timer would keep the object in memory long after the answer.
    const controller = new AbortController()
    const timer = setTimeout(() => controller.abort(), REQUEST_TIMEOUT_MS)
    try {
      return await resend.emails.send(
        { from, to: mail.recipient, ...filledLetter(mail.order) },
        { idempotencyKey, signal: controller.signal },
      )
    } finally {
      clearTimeout(timer)
    }
  }

  #carryOut(mail: DueMail, outcome: Outcome): void {
    const now = Date.now()
    switch (outcome.kind) {
      case 'sent':
        this.#ledger.sent(mail, outcome.providerId, now)
        return
      case 'retry':
        this.#ledger.retry(mail, now + outcome.afterMs, outcome.error)
        break
      case 'hold':
        this.#ledger.hold(mail, now + outcome.afterMs, outcome.error)
        break
      case 'park':
        this.#ledger.park(mail, outcome.error)
    }
    console.warn(
      JSON.stringify({
        message: `a mail was not sent: ${outcome.kind}`,
        change: mail.change,
        error: outcome.error,
      }),
    )
  }
}

/** `<change>/<128 bits of the mailbox's SHA-256>`: 69 characters of Resend's 256. */
async function idempotencyKeyOf({ change, mailbox }: DueMail): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(mailbox))
  const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0'))
  return `${change}/${hex.slice(0, 16).join('')}`
}
