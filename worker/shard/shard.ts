import { type Connection, type ConnectionContext, Server } from 'partyserver'
import { type CloseName, closeCodes } from '../../protocol/close-codes.ts'
import { HEARTBEAT_MS, type ResetReason } from '../../protocol/frames.ts'
import type { Position } from '../../protocol/position.ts'
import { parseSubscription, type Start, type Subscription } from '../../protocol/subscription.ts'
import type { Env } from '../env.ts'
import type { Delivery } from '../feed/fan-out.ts'
import { laterThan } from '../feed/later-than.ts'
import { Audience, type Subscriber, type SubscriberState, select } from './audience.ts'
import { changesFrame, helloFrame, resetFrame } from './frame.ts'

/** Earlier than promised (P35), because alarms come late. */
const BEAT_MS = (HEARTBEAT_MS * 2) / 3

/** How long a subscriber to whom nothing matched may be left without saying so. */
const BEHIND_MS = 1_000

/**
 * A shard: holds one slice of the sockets and tells them what the feed appended.
 *
 * Authoritative on its position: everything up to it was told to every live socket, nothing
 * after it. Must hold: the position moves only together with the frames it stands for, in one
 * synchronous step, and is stored, so that a hibernated shard still knows it. One comparison
 * guards every way in (push, pull, catch-up): what is not after the position is dropped; what
 * begins beyond it is a gap, and the shard reads the feed until there is none. An empty shard
 * has promised nothing to anyone: it takes the position of the first who comes in.
 * On failure: if this object dies its sockets die with it, and each resumes from its own
 * position; if the feed cannot be read, the next heartbeat tries again.
 */
export class Shard extends Server<Env> {
  static override options = { hibernate: true }

  readonly #audience = new Audience()
  #position: Position | null
  #pulling: Promise<void> | null = null
  #attending: Promise<void> | null = null
  /** How many sockets the feed was last told of; null when it must be told again. */
  #told: number | null = null
  /** While it runs the object cannot hibernate, and so cannot forget who is behind. */
  #behind: ReturnType<typeof setTimeout> | null = null

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'))
    this.#position = ctx.storage.kv.get<Position>('position') ?? null
    for (const subscriber of this.getConnections<SubscriberState>()) {
      const { state } = subscriber
      if (state?.live && this.#position)
        this.#audience.add(subscriber, state.subscription, this.#position)
      else close(subscriber, 'failed', 'catch-up was interrupted; resume')
    }
  }

  /** A page of the log, pushed by the feed. */
  async deliver(page: Delivery): Promise<void> {
    const mine = this.#liveAt()
    if (mine === null) return
    if (page.epoch !== mine.epoch || page.after > mine.offset) await this.#pull()
    else this.#tell(page)
  }

  // --- sockets -------------------------------------------------------------------------------

  override onConnect(subscriber: Subscriber, { request }: ConnectionContext): void {
    const query = parseSubscription(new URL(request.url).searchParams)
    if (!query.ok) return close(subscriber, 'bad_request', query.detail)
    subscriber.setState({ subscription: query.subscription, live: false })
    this.ctx.waitUntil(
      this.#admit(subscriber, query.subscription, query.start).catch((error) => {
        warn('a subscriber was not admitted', error)
        close(subscriber, 'failed', 'the feed could not be read; resume')
      }),
    )
  }

  override onMessage(subscriber: Subscriber): void {
    close(subscriber, 'bad_frame', 'only the text "ping" is read here')
    this.onClose(subscriber)
  }

  override onClose(subscriber: Subscriber): void {
    this.#audience.remove(subscriber)
    this.#attend()
  }

  override onError(subscriber: Subscriber): void {
    this.onClose(subscriber)
  }

  override async onAlarm(): Promise<void> {
    try {
      if (this.#sockets() === 0) return this.#attend()
      await this.ctx.storage.setAlarm(Date.now() + BEAT_MS)
      await this.#pull()
      if (this.#position) this.#audience.beat(this.#position)
    } catch (error) {
      warn('a heartbeat failed', error)
    }
  }

  // --- admission and catch-up ----------------------------------------------------------------

  async #admit(subscriber: Subscriber, subscription: Subscription, start: Start): Promise<void> {
    const here = this.#liveAt()
    if (here && (start === null || isAt(start, here)))
      return this.#greet(subscriber, subscription, here)
    const { epoch, head } = await this.#feed().attend(this.name, Math.max(1, this.#sockets()))
    await this.#armBeat()
    if (start === null)
      return this.#greet(subscriber, subscription, this.#liveAt() ?? { epoch, offset: head })
    const from = { epoch: start.epoch ?? epoch, offset: start.offset }
    await this.#catchUp(subscriber, subscription, from)
  }

  #greet(subscriber: Subscriber, subscription: Subscription, at: Position): void {
    subscriber.send(helloFrame(at.epoch, at.offset))
    this.#goLive(subscriber, subscription, at)
  }

  /** Replays the log to one socket until it stands where the shard stands, then lets it in. */
  async #catchUp(
    subscriber: Subscriber,
    subscription: Subscription,
    from: Position,
  ): Promise<void> {
    let greeted = false
    for (let at = from.offset; isOpen(subscriber); ) {
      const page = await this.#feed().read(from.epoch, at)
      if (page.reset) return this.#reset(subscriber, subscription, page, greeted)
      if (!greeted) subscriber.send(helloFrame(page.epoch, at))
      greeted = true
      // No await from here to going live: nothing can be told in between. A page that reaches
      // past the shard's position takes the shard along, so that the two need not chase.
      this.#tell(page)
      if (page.through > at) subscriber.send(changesFrame(page, select(subscription, page.changes)))
      at = page.through
      const live = this.#liveAt()
      const here = { epoch: page.epoch, offset: at }
      if (live === null || isAt(here, live)) return this.#goLive(subscriber, subscription, here)
      if (page.epoch !== live.epoch || at > live.offset) await this.#pull()
    }
  }

  #reset(
    subscriber: Subscriber,
    subscription: Subscription,
    { reset, epoch, head }: { reset: ResetReason; epoch: string; head: number },
    greeted: boolean,
  ): void {
    const at = this.#liveAt() ?? { epoch, offset: head }
    if (!greeted) subscriber.send(helloFrame(at.epoch, at.offset))
    subscriber.send(resetFrame(reset, at.epoch, at.offset))
    this.#goLive(subscriber, subscription, at)
  }

  #goLive(subscriber: Subscriber, subscription: Subscription, at: Position): void {
    if (!isOpen(subscriber)) return
    const first = this.#audience.size === 0
    if (first) this.#moveTo(at)
    subscriber.setState({ subscription, live: true })
    this.#audience.add(subscriber, subscription, at)
    this.#attend()
    // What was appended before the feed knew of this shard was not pushed to it.
    if (first) this.ctx.waitUntil(this.#pull().catch((error) => warn('a pull failed', error)))
  }

  // --- the position --------------------------------------------------------------------------

  /** Tells everyone what lies between the position and the page's end, and moves there. */
  #tell(page: Delivery): void {
    const mine = this.#liveAt()
    if (mine === null || page.epoch !== mine.epoch) return
    if (page.after > mine.offset || page.through <= mine.offset) return
    const changes = page.after === mine.offset ? page.changes : laterThan(mine.offset, page.changes)
    const position = { epoch: page.epoch, offset: page.through }
    this.#moveTo(position)
    if (this.#audience.tell(position, changes).behind)
      this.#behind ??= setTimeout(() => this.#tellWhoIsBehind(), BEHIND_MS)
  }

  #tellWhoIsBehind(): void {
    this.#behind = null
    if (this.#position) this.#audience.catchUp(this.#position)
  }

  /** The position, if there is anyone to whom it is a promise. */
  #liveAt(): Position | null {
    return this.#audience.size > 0 ? this.#position : null
  }

  #moveTo(position: Position): void {
    this.#position = position
    this.ctx.storage.kv.put('position', position)
  }

  /** Reads the feed until nothing is missing. One at a time; who comes later waits for it. */
  #pull(): Promise<void> {
    this.#pulling ??= this.#readToHead().finally(() => {
      this.#pulling = null
    })
    return this.#pulling
  }

  async #readToHead(): Promise<void> {
    for (let mine = this.#liveAt(); mine !== null; mine = this.#liveAt()) {
      const page = await this.#feed().read(mine.epoch, mine.offset)
      if (page.reset) {
        // Asked from where we stand no more: everyone was told of another position meanwhile.
        const now = this.#liveAt()
        if (now === null || !isAt(mine, now)) continue
        const position = { epoch: page.epoch, offset: page.head }
        this.#moveTo(position)
        return this.#audience.reset(page.reset, position)
      }
      this.#tell(page)
      if (page.through >= page.head) return
    }
  }

  #feed() {
    return this.env.FEED.getByName('main')
  }

  /** Tells the feed how many sockets there are: one call at a time, and one after the last. */
  #attend(): void {
    this.#told = null
    this.#attending ??= this.#tellFeed().finally(() => {
      this.#attending = null
    })
    this.ctx.waitUntil(this.#attending)
  }

  async #tellFeed(): Promise<void> {
    try {
      for (let now = this.#sockets(); now !== this.#told; now = this.#sockets()) {
        this.#told = now
        await this.#feed().attend(this.name, now)
      }
    } catch (error) {
      warn('the feed could not be told of the sockets', error)
    }
  }

  async #armBeat(): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) === null)
      await this.ctx.storage.setAlarm(Date.now() + BEAT_MS)
  }

  #sockets(): number {
    return this.ctx.getWebSockets().filter(isOpen).length
  }
}

function isAt(
  start: { epoch: string | null; offset: number },
  { epoch, offset }: Position,
): boolean {
  return start.offset === offset && (start.epoch === null || start.epoch === epoch)
}

function isOpen(socket: WebSocket): boolean {
  return socket.readyState === WebSocket.READY_STATE_OPEN
}

function close(subscriber: Connection, name: CloseName, reason: string): void {
  // A close reason holds at most 123 bytes.
  subscriber.close(closeCodes[name].code, reason.slice(0, 120))
}

function warn(message: string, error: unknown): void {
  console.warn(JSON.stringify({ message, error: String(error) }))
}
