import { type Connection, type ConnectionContext, Server } from 'partyserver'
import { closeCodes } from '../../protocol/close-codes.ts'
import type { Cut } from '../doors/session.ts'
import type { Env } from '../env.ts'
import { Consumers, type Redriven } from './consumers.ts'
import { Drainer } from './drainer.ts'
import { durableConsumers } from './durable-consumers.ts'
import { type Delivery, FanOut, type FeedRead } from './fan-out.ts'
import type { InboxReaders } from './inbox-consumer.ts'
import { inboxReaders } from './inbox-readers.ts'
import { InboxSweep } from './inbox-sweep.ts'
import { Intake } from './intake.ts'
import { type LinkState, Links } from './links.ts'
import { Log } from './log.ts'
import { logLimits } from './log-limits.ts'
import { HttpOutbox } from './outbox.ts'
import { changesAfter, pageAfter } from './pages.ts'
import type { ParkedPage } from './parked.ts'
import { Proof } from './proof.ts'
import { Records } from './records.ts'
import { Refusals, type Refused } from './refusals.ts'
import { tellOfCut } from './revoking.ts'
import { StandingAlarm } from './standing-alarm.ts'
import type { FeedStatus } from './status.ts'

const PAGE_CHARACTERS = 512 * 1024
const SWEEP_MS = 60_000
const CONSUMERS_LAG_MS = 50

/**
 * The feed: the object that gives each change its place. There is one.
 *
 * Authoritative on the log (log.ts), on which listener may append (life.ts), on draining in place
 * of a listener that is silent (drain.ts) and on how far each durable consumer has come
 * (consumers.ts). It is not authoritative on what a subscriber has seen: that is the shard's
 * (fan-out.ts).
 *
 * Must hold: what was acknowledged is stored. A batch is appended in one synchronous
 * transaction; the runtime holds the acknowledgement back until the write is confirmed.
 * On failure: a crash loses nothing but what was not acknowledged, which the listener sends
 * again. Shards and consumers are poked after each append, at every link that opens, and by an
 * alarm; a poke carries no truth and may be lost. An alarm always stands: at the latest when the
 * listener's silence would be too long.
 */
export class Feed extends Server<Env> {
  static override options = { hibernate: true }

  readonly #records: Records
  readonly #log: Log
  readonly #fanOut: FanOut
  readonly #consumers: Consumers
  readonly #inboxReaders: InboxReaders
  readonly #inboxSweep: InboxSweep
  readonly #links: Links
  readonly #drainer: Drainer
  readonly #proof: Proof
  readonly #refusals = new Refusals()
  readonly #alarm: StandingAlarm
  #pruneAt = 0
  #consuming: Promise<void> | null = null

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    const { sql } = ctx.storage
    this.#records = new Records(sql)
    this.#log = new Log(ctx.storage)
    this.#alarm = new StandingAlarm(ctx.storage)
    const stub = (shard: string) => env.SHARD.getByName(shard)
    this.#fanOut = new FanOut(
      stub,
      (after, maxCharacters) => this.#page(after, maxCharacters),
      (shard, through) => this.#proof.sent(shard, through),
    )
    this.#proof = new Proof(
      {
        stub,
        here: () => ({ epoch: this.#records.life.epoch, offset: this.#log.head }),
        shards: () => this.#fanOut.shards,
        push: () => ctx.waitUntil(this.#fanOut.push()),
      },
      Date.now(),
    )
    for (const { name } of this.#records.shards) this.#fanOut.join(name, this.#log.head)
    this.#inboxReaders = inboxReaders(sql)
    this.#consumers = new Consumers(
      sql,
      durableConsumers(env, sql, this.#inboxReaders),
      (after, single) => changesAfter(this.#log, after, single ? null : PAGE_CHARACTERS),
      () => this.#records.life.epoch,
      this.#log.head,
    )
    this.#inboxSweep = new InboxSweep(env, sql)
    const intake = new Intake(this.#log, (beat, now) => this.#proof.beat(beat, now))
    const appended = () => ctx.waitUntil(this.#poke())
    this.#links = new Links(this.#records, intake, appended, (code, count) =>
      this.#refusals.add('link', code, count),
    )
    this.#drainer = new Drainer(
      {
        storage: ctx.storage,
        records: this.#records,
        log: intake,
        outbox: new HttpOutbox(env),
        heardAt: () => this.#links.heardAt(this.#allLinks()),
        appended,
      },
      Date.now(),
    )
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'))
    ctx.waitUntil(this.#arm())
  }

  // --- the listener's link -------------------------------------------------------------------

  override onConnect(connection: Connection<LinkState>, { request }: ConnectionContext): void {
    this.#links.connected(connection, request.headers, Date.now())
  }

  override onMessage(connection: Connection<LinkState>, message: string | ArrayBuffer): void {
    try {
      this.#links.heard(connection, message, () => this.#allLinks(), Date.now())
    } catch (error) {
      console.error(JSON.stringify({ message: 'a link message failed', error: String(error) }))
      connection.close(closeCodes.failed.code, 'failed')
    }
  }

  override onClose(connection: Connection<LinkState>): void {
    const { state } = connection
    if (state?.phase !== 'open') return
    this.#drainer.left(state.heardAt, Date.now())
    this.ctx.waitUntil(this.#arm())
  }

  override onError(connection: Connection<LinkState>): void {
    this.onClose(connection)
  }

  // --- what shards and the API ask -----------------------------------------------------------

  /** @param epoch null for whichever is current */
  async read(
    epoch: string | null,
    after: number,
    maxCharacters = PAGE_CHARACTERS,
  ): Promise<FeedRead> {
    const life = this.#records.life
    const head = this.#log.head
    if (epoch !== null && epoch !== life.epoch) return { reset: 'epoch', epoch: life.epoch, head }
    const page = this.#log.read(after, maxCharacters)
    if (typeof page === 'string') return { reset: page, epoch: life.epoch, head }
    return { ...page, epoch: life.epoch, head }
  }

  /**
   * A shard says that it lives, and how many sockets it holds; with none it is told nothing.
   * @param refused what it refused since the last time
   */
  async attend(
    shard: string,
    sockets: number,
    refused: readonly Refused[] = [],
  ): Promise<{ epoch: string; head: number }> {
    this.#refusals.addAll(refused)
    this.#records.putShard(shard, sockets)
    const head = this.#log.head
    if (sockets === 0) this.#fanOut.leave(shard)
    else this.#fanOut.join(shard, head)
    return { epoch: this.#records.life.epoch, head }
  }

  /** That user's inbox is about to be filled: it is told what is delivered from now on. */
  async attendInbox(user: string): Promise<void> {
    this.#inboxReaders.add(user)
  }

  /** What the worker's doors refused. */
  async countRefused(refused: readonly Refused[]): Promise<void> {
    this.#refusals.addAll(refused)
  }

  /** What the API has just revoked. */
  async cut(cut: Cut): Promise<void> {
    await tellOfCut(this.env, this.#fanOut.shards, cut)
  }

  async status(): Promise<FeedStatus> {
    const head = this.#log.head
    const now = Date.now()
    const listener = this.#links.report(this.#allLinks(), now)
    const drain = this.#drainer.report(now)
    const consumers = this.#consumers.report(head)
    return {
      epoch: this.#records.life.epoch,
      head,
      tail: this.#log.tail,
      listener,
      drain,
      shards: this.#records.shards,
      consumers,
      ...this.#proof.report({ listener, drain, consumers }, now),
      refused: this.#refusals.all,
    }
  }

  /** What consumers have given up, newest first; of all of them if none is named. */
  async parked(consumer: string | null, limit: number, cursor: number | null): Promise<ParkedPage> {
    return this.#consumers.parked.list(consumer, limit, cursor)
  }

  /** @param epoch null for the current one */
  async redrive(consumer: string, epoch: string | null, offset: number): Promise<Redriven> {
    return this.#consumers.redrive(consumer, { epoch: epoch ?? this.#records.life.epoch, offset })
  }

  /** @returns whether it was there */
  async dropParked(consumer: string, epoch: string | null, offset: number): Promise<boolean> {
    const position = { epoch: epoch ?? this.#records.life.epoch, offset }
    return this.#consumers.parked.remove(consumer, position)
  }

  /** Where the log begins to be readable; `GET /api/changes` without `after` starts here. */
  async oldest(): Promise<number> {
    return this.#log.tail
  }

  /** Forgets the log and the database it came from: the next listener's is taken. */
  async beginLife(): Promise<{ epoch: string }> {
    const before = this.#records.life.epoch
    const { epoch } = this.ctx.storage.transactionSync(() => {
      this.#log.clear()
      this.#consumers.restart()
      return this.#records.beginLife()
    })
    this.#fanOut.restart()
    this.#proof.restart()
    this.#drainer.restart(before, Date.now())
    for (const link of this.#allLinks()) link.close(closeCodes.going_away.code, 'a new life began')
    await this.#poke()
    return { epoch }
  }

  // --- pokes and sweeps ----------------------------------------------------------------------

  override async onAlarm(): Promise<void> {
    this.#alarm.rang()
    try {
      this.#prune(Date.now())
      this.ctx.waitUntil(this.#inboxSweep.run(Date.now(), this.#records.life.epoch))
      await Promise.all([this.#poke(), this.#drainer.run()])
      // Nobody beats then, and the shards are asked all the same.
      if (this.#drainer.report(Date.now()).by === 'feed') this.#proof.ask(Date.now())
    } catch (error) {
      console.error(JSON.stringify({ message: 'a sweep failed', error: String(error) }))
    } finally {
      await this.#arm()
    }
  }

  #prune(now: number): void {
    if (now < this.#pruneAt) return
    this.#pruneAt = now + SWEEP_MS
    while (this.#log.prune(logLimits(this.env), this.#consumers.slowest, now) > 0);
  }

  async #poke(): Promise<void> {
    this.ctx.waitUntil(this.#fanOut.push())
    this.#consuming ??= this.#consume()
    await this.#consuming
  }

  /** A little later, so that one run takes what many appends brought. */
  async #consume(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, CONSUMERS_LAG_MS))
    this.#consuming = null
    await this.#consumers.run()
    await this.#arm()
  }

  /** Sees to it that the alarm stands early enough for everyone who waits for it. */
  async #arm(): Promise<void> {
    await this.#alarm.setFor(() => {
      const now = Date.now()
      const retryAt = this.#consumers.nextRetryAt ?? Number.POSITIVE_INFINITY
      return Math.min(now + SWEEP_MS, retryAt, this.#drainer.nextAt(now))
    })
  }

  #page(after: number, maxCharacters: number): Delivery | null {
    const page = pageAfter(this.#log, after, maxCharacters)
    return page && { ...page, epoch: this.#records.life.epoch }
  }

  #allLinks(): Connection<LinkState>[] {
    return [...this.getConnections<LinkState>()]
  }
}
