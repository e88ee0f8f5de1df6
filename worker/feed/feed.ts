import { type Connection, type ConnectionContext, Server } from 'partyserver'
import type { Change } from '../../protocol/change.ts'
import { closeCodes } from '../../protocol/close-codes.ts'
import type { ResetReason } from '../../protocol/frames.ts'
import type { Env } from '../env.ts'
import { Consumers } from './consumers.ts'
import { type Delivery, FanOut } from './fan-out.ts'
import { type LinkState, Links } from './links.ts'
import { Log, type LogLimits } from './log.ts'
import { mailConsumer } from './mail-consumer.ts'
import { Records } from './records.ts'
import type { FeedStatus } from './status.ts'

const PAGE_CHARACTERS = 512 * 1024
const SWEEP_MS = 60_000
const MAX_LOG_BYTES = 5e9

/**
 * The feed: the object that gives each change its place. There is one.
 *
 * Authoritative on the log (log.ts), on which listener may append (life.ts) and on how far each
 * durable consumer has come (consumers.ts). It is not authoritative on what a subscriber has
 * seen: that is the shard's (fan-out.ts).
 *
 * Must hold: what was acknowledged is stored. A batch is appended in one synchronous
 * transaction; the runtime holds the acknowledgement back until the write is confirmed.
 * On failure: a crash loses nothing but what was not acknowledged, which the listener sends
 * again. Shards and consumers are poked after each append, at every link that opens, and by an
 * alarm as long as anything is owed; a poke carries no truth and may be lost.
 */
export class Feed extends Server<Env> {
  static override options = { hibernate: true }

  readonly #records: Records
  readonly #log: Log
  readonly #fanOut: FanOut
  readonly #consumers: Consumers
  readonly #links: Links
  #sweepAt = 0

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    const { sql } = ctx.storage
    this.#records = new Records(sql)
    this.#log = new Log(ctx.storage)
    this.#fanOut = new FanOut(
      (name) => env.SHARD.getByName(name),
      (after) => this.#page(after),
    )
    for (const { name } of this.#records.shards) this.#fanOut.join(name, this.#log.head)
    this.#consumers = new Consumers(sql, [mailConsumer(env)], (after, single) =>
      this.#changes(after, single),
    )
    this.#links = new Links(this.#records, this.#log, () => ctx.waitUntil(this.#poke()))
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'))
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

  /** A shard says that it lives, and how many sockets it holds; with none it is told nothing. */
  async attend(shard: string, sockets: number): Promise<{ epoch: string; head: number }> {
    this.#records.putShard(shard, sockets)
    const head = this.#log.head
    if (sockets === 0) this.#fanOut.leave(shard)
    else this.#fanOut.join(shard, head)
    return { epoch: this.#records.life.epoch, head }
  }

  async status(): Promise<FeedStatus> {
    const head = this.#log.head
    return {
      epoch: this.#records.life.epoch,
      head,
      tail: this.#log.tail,
      listener: this.#links.report(this.#allLinks(), Date.now()),
      shards: this.#records.shards,
      consumers: this.#consumers.report(head),
    }
  }

  /** Where the log begins to be readable; `GET /api/changes` without `after` starts here. */
  async oldest(): Promise<number> {
    return this.#log.tail
  }

  /** Forgets the log and the database it came from: the next listener's is taken. */
  async beginLife(): Promise<{ epoch: string }> {
    const { epoch } = this.ctx.storage.transactionSync(() => {
      this.#log.clear()
      this.#consumers.restart()
      return this.#records.beginLife()
    })
    this.#fanOut.restart()
    for (const link of this.#allLinks()) link.close(closeCodes.going_away.code, 'a new life began')
    await this.#poke()
    return { epoch }
  }

  // --- pokes and sweeps ----------------------------------------------------------------------

  override async onAlarm(): Promise<void> {
    this.#sweepAt = 0
    try {
      while (this.#log.prune(this.#limits(), this.#consumers.slowest, Date.now()) > 0);
      await this.#poke()
    } catch (error) {
      console.error(JSON.stringify({ message: 'a sweep failed', error: String(error) }))
    }
  }

  async #poke(): Promise<void> {
    this.ctx.waitUntil(this.#fanOut.push())
    await this.#armSweep(Date.now() + SWEEP_MS)
    await this.#consumers.run()
    const retryAt = this.#consumers.nextRetryAt
    if (retryAt !== null) await this.#armSweep(retryAt)
  }

  async #armSweep(at: number): Promise<void> {
    if (this.#sweepAt !== 0 && this.#sweepAt <= at) return
    this.#sweepAt = at
    await this.ctx.storage.setAlarm(at)
  }

  #page(after: number): Delivery | null {
    // A shard that lags behind the log's tail sees the gap and pulls, which tells it "pruned".
    const page = this.#log.read(Math.max(after, this.#log.tail), PAGE_CHARACTERS)
    if (typeof page === 'string' || page.through <= after) return null
    return { ...page, epoch: this.#records.life.epoch }
  }

  #changes(after: number, single: boolean): Change[] {
    const page = this.#log.read(Math.max(after, this.#log.tail), single ? 0 : PAGE_CHARACTERS)
    if (typeof page === 'string') return []
    const changes = JSON.parse(page.changes) as Change[]
    return single ? changes.slice(0, 1) : changes
  }

  #limits(): LogLimits {
    return {
      maxChanges: Number(this.env.LOG_MAX_CHANGES ?? 1_000_000),
      maxAgeMs: Number(this.env.LOG_MAX_DAYS ?? 7) * 86_400_000,
      maxBytes: MAX_LOG_BYTES,
    }
  }

  #allLinks(): Connection<LinkState>[] {
    return [...this.getConnections<LinkState>()]
  }
}

/** A page after a position, or why there is none; `head` is where the feed stands. */
export type FeedRead =
  | (Delivery & { head: number; reset?: never })
  | { reset: ResetReason; epoch: string; head: number }
