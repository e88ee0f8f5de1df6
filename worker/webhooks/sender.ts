import type { Channel, Shipment } from '../courier/channel.ts'
import { Courier } from '../courier/courier.ts'
import type { Owed } from '../courier/delivery.ts'
import { type Answer, forAll, type Outcome } from '../courier/outcome.ts'
import { AT_EASE } from '../courier/pace.ts'
import { noCounts } from '../courier/rows.ts'
import type { Env } from '../env.ts'
import { type Destination, readDestination } from './destination.ts'
import type { SenderCondition, SenderDoor } from './door.ts'
import type { Endpoint } from './endpoint.ts'
import { EndpointRecord } from './endpoint-record.ts'
import { afterEvent, type HealthEvent, WELL, whyOff } from './health.ts'
import { TEST_TYPE, testMessage } from './message.ts'
import { noticeMails } from './notice.ts'
import { NO_RULE } from './owed.ts'
import { post } from './post.ts'
import { judge, judgeTogether } from './reply.ts'

/** workerd lets so many requests of one object wait for an answer; more would only queue. */
const AT_ONCE = 6
const NOTICE_AGAIN_MS = 60_000
/**
 * So much earlier than a mail what was sent is forgotten, ten days after: an endpoint may be told
 * of every change there is, and 10 GB is all that an object holds.
 */
const FORGOTTEN_EARLIER_MS = 50 * 24 * 3_600_000
const FORGOTTEN_AT_ONCE = 200
/** Until what could not be asked is asked again. */
const HOLD_MS = 60_000

/**
 * The courier of one endpoint, which bears the endpoint's id as its name.
 *
 * Postgres is authoritative on where the endpoint is and whether people want it on; this object
 * on its secrets, on how it fares (health.ts) and on what it is owed (the ledger). It hears of
 * Postgres through the feed and the API, of which the newer version counts, and looks for itself
 * when it has not for an hour.
 * Must hold: a message that was owed is sent, or lies parked where a person sees it; nothing is
 * sent to an address that must not be called (address.ts, name-lookup.ts), nor to an endpoint that
 * is off: what that is owed is parked at once. A secret leaves at the moment it is made, and never
 * again: no log, answer or error holds one.
 * On failure: a message may arrive twice, under the same `webhook-id`, which is the change's UUID.
 */
export class WebhookSender extends Courier implements SenderDoor {
  protected readonly channel: Channel = {
    batch: AT_ONCE,
    recipientKey: (recipient) => recipient,
    ready: () => ({ kind: 'ready' }),
    prepare: async ({ body }) => {
      const why = whyOff(this.#record.health)
      return why === null ? { kind: 'send', payload: body } : { kind: 'park', why }
    },
    veto: () => null,
    send: (shipment) => this.#send(shipment),
  }
  readonly #record: EndpointRecord
  /** Aborted when the endpoint is deleted: its tables are gone then, and its id never comes back. */
  readonly #deleted = new AbortController()
  #ringing: Promise<unknown> = Promise.resolve()

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#record = new EndpointRecord(ctx.storage.sql)
  }

  // --- doors (door.ts) ------------------------------------------------------------------------

  async register(endpoint: Endpoint): Promise<string> {
    this.#record.configure(endpoint)
    return this.#record.rotate(Date.now())
  }

  async configure(endpoint: Endpoint): Promise<void> {
    if (this.#isGone) return
    this.#configure(endpoint)
    await this.#settle()
    await this.moved()
  }

  async switchOn(): Promise<void> {
    if (this.#isGone) return
    this.#note({ kind: 'switched_on' })
    this.pace.set(AT_EASE)
    await this.moved()
  }

  async rotate(): Promise<{ secret: string; previousUntil: number } | null> {
    if (this.#isGone) return null
    const now = Date.now()
    // Whoever registered it by hand in Postgres has had none.
    this.#record.secrets(now)
    const secret = this.#record.rotate(now)
    return { secret, previousUntil: this.#record.previousUntil(now) ?? now }
  }

  async sendTest(endpoint: string): Promise<string> {
    const change = crypto.randomUUID()
    const body = testMessage(endpoint, new Date().toISOString())
    const about = { table: 'webhook_endpoints', key: endpoint, recipient: endpoint }
    await this.enqueue([{ rule: NO_RULE, ruleName: TEST_TYPE, change, ...about, body }])
    return change
  }

  async condition(): Promise<SenderCondition> {
    if (this.#isGone) return { health: WELL, counts: noCounts(), nextAt: null, previousUntil: null }
    const [{ at }] = this.ledger.rows.sql
      .exec<{ at: number | null }>('SELECT min(next_at) AS at FROM deliveries WHERE next_at > 0')
      .toArray() as [{ at: number | null }]
    return {
      health: this.#record.health,
      counts: this.ledger.rows.counts,
      nextAt: at === null ? null : Math.max(at, this.pace.now.until),
      previousUntil: this.#record.previousUntil(Date.now()),
    }
  }

  async isOff(): Promise<boolean> {
    return this.#isGone || this.#record.health.kind === 'off'
  }

  async forget(): Promise<void> {
    this.#deleted.abort()
    await this.#ringing
    await this.ctx.storage.deleteAlarm()
    await this.ctx.storage.deleteAll()
  }

  override async enqueue(owed: Owed[]): Promise<void> {
    if (this.#isGone) return
    await super.enqueue(owed)
    await this.#settle()
  }

  // --- the clock ------------------------------------------------------------------------------

  override async alarm(): Promise<void> {
    if (this.#isGone) return
    const rung = this.#ring()
    this.#ringing = Promise.all([this.#ringing, rung])
    await rung
  }

  /** Never throws, as no alarm's handler may. */
  async #ring(): Promise<void> {
    try {
      await super.alarm()
      await this.#settle()
      this.#forgetOld()
    } catch (error) {
      console.error(JSON.stringify({ message: 'a webhook’s alarm failed', error: String(error) }))
    }
  }

  protected override async arm(): Promise<void> {
    await super.arm()
    // By now the object is whole, also when its constructor asked.
    if (this.#record.notices.length === 0) return
    const at = await this.ctx.storage.getAlarm()
    const again = Date.now() + NOTICE_AGAIN_MS
    if (at === null || at > again) await this.ctx.storage.setAlarm(again)
  }

  // --- sending --------------------------------------------------------------------------------

  async #send({ parcels }: Shipment): Promise<Answer> {
    const id = parcels[0]?.parcel.recipient ?? ''
    const destination = await readDestination(this.env, id, this.#record, (endpoint) =>
      this.#configure(endpoint),
    )
    if (destination.kind !== 'at') {
      if (destination.kind === 'failing') this.#note({ kind: 'failed', error: destination.why })
      return forAll(outcomeWithout(destination), parcels.length, 0)
    }
    const secrets = this.#record.secrets(Date.now())
    const replies = await Promise.all(
      parcels.map(({ parcel, payload }) =>
        post(destination.url, { id: parcel.change, body: payload }, secrets, this.#deleted.signal),
      ),
    )
    const now = Date.now()
    const { outcomes, event } = judgeTogether(replies.map((reply) => judge(reply, now)))
    this.#note(event)
    return { outcomes, pauseMs: 0 }
  }

  get #isGone(): boolean {
    return this.#deleted.signal.aborted
  }

  #configure(endpoint: Endpoint): void {
    const before = this.#record.endpoint
    if (!this.#record.configure(endpoint)) return
    if (before && before.url !== endpoint.url) {
      this.#note({ kind: 'moved' })
      this.pace.set(AT_EASE)
    }
    if (endpoint.enabled === (before?.enabled ?? true)) return
    this.#note({ kind: endpoint.enabled ? 'switched_on' : 'switched_off' })
    if (endpoint.enabled) this.pace.set(AT_EASE)
  }

  /** In one transaction: that it is off, and that somebody is to be told. */
  #note(event: HealthEvent): void {
    this.ctx.storage.transactionSync(() => {
      const before = this.#record.health
      const health = afterEvent(before, event, Date.now())
      this.#record.health = health
      if (health.kind === 'on' || before.kind === 'off' || health.reason === 'by_hand') return
      const { since, lastError } = health.failing ?? { since: health.at, lastError: 'unknown' }
      this.#record.addNotice({ id: crypto.randomUUID(), since, lastError })
      const { id, url } = this.#record.endpoint ?? { id: '', url: '' }
      const message = 'a webhook was switched off'
      const told = { message, endpoint: id, host: URL.parse(url)?.host, reason: health.reason }
      console.warn(
        JSON.stringify({ ...told, since: new Date(since).toISOString(), error: lastError }),
      )
    })
  }

  /** What follows from its being off: what it is owed is parked, and people are told. */
  async #settle(): Promise<void> {
    const why = whyOff(this.#record.health)
    if (why !== null) {
      while (this.ledger.parkWaiting(why, Date.now()) > 0);
      await this.moved()
    }
    await this.#giveNotices()
  }

  #forgetOld(): void {
    if (this.#isGone) return
    const { rows } = this.ledger
    const before = Date.now() + FORGOTTEN_EARLIER_MS
    rows.write(() => {
      for (const row of rows.forgettable(before, FORGOTTEN_AT_ONCE)) rows.remove(row)
    })
  }

  async #giveNotices(): Promise<void> {
    const { endpoint, notices } = this.#record
    if (!endpoint) return
    for (const notice of notices) {
      const owed = noticeMails(notice, endpoint, this.env.ALERT_RECIPIENTS)
      try {
        if (owed.length > 0) await this.env.MAILER.getByName('main').enqueue(owed)
        this.#record.removeNotice(notice.id)
      } catch (error) {
        console.warn(JSON.stringify({ message: 'a notice waits', error: String(error) }))
      }
    }
  }
}

/** Nothing went out. */
function outcomeWithout({ kind, why }: Exclude<Destination, { kind: 'at' }>): Outcome {
  switch (kind) {
    case 'hold':
      return { kind, afterMs: HOLD_MS, error: why }
    case 'refused':
      return { kind, error: why }
    case 'failing':
      return { kind: 'retry', inDoubt: false, down: true, afterMs: null, error: why }
  }
}
