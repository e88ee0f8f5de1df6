import { type ConnectionContext, Server } from 'partyserver'
import { type CloseName, closeCodes, closeReason } from '../../protocol/close-codes.ts'
import { HEARTBEAT_MS } from '../../protocol/heartbeat.ts'
import type { Position } from '../../protocol/position.ts'
import { parseScope, SCOPE_HEADER } from '../../protocol/scope.ts'
import { parseSubscription, type Start } from '../../protocol/subscription.ts'
import type { Env } from '../env.ts'
import type { Delivery } from '../feed/fan-out.ts'
import type { Feed } from '../feed/feed.ts'
import { Refusals } from '../feed/refusals.ts'
import { Attendance, type Head } from './attendance.ts'
import { Audience } from './audience.ts'
import { CatchUp } from './catch-up.ts'
import { pauseAfter } from './limits.ts'
import { SharedReads } from './reads.ts'
import { isSame, Standing } from './standing.ts'
import { type Socket, Subscriber, type SubscriberState } from './subscriber.ts'
import { Subscribers } from './subscribers.ts'
import { Trust } from './trust.ts'
import { Window } from './window.ts'

/** Earlier than promised (P35), because alarms come late. */
const BEAT_MS = (HEARTBEAT_MS * 2) / 3

/**
 * A shard: holds one slice of the sockets and tells them what the feed appended.
 *
 * Authoritative on what its sockets have been told (standing.ts). Must hold: a subscriber is live
 * and stands where the shard stands, or it is caught up from the log by itself, at the beginning of
 * its subscription and whenever it does not keep up (window.ts, trust.ts). Being caught up waits
 * for room; who makes none is closed.
 * On failure: if this object dies its sockets die with it, and each resumes from its own
 * position; if the feed cannot be read, the next heartbeat tries again. A subscriber that was being
 * caught up when the object went to sleep is closed, and resumes too.
 */
export class Shard extends Server<Env> {
  static override options = { hibernate: true }

  readonly #subscribers = new Subscribers()
  readonly #audience = new Audience(
    () => this.#subscribers.limits,
    (subscriber, at) => this.#fellBehind(subscriber, at),
  )
  readonly #standing: Standing
  readonly #catchUp: CatchUp
  readonly #attendance = new Attendance(
    (sockets) => this.#attend(sockets),
    () => this.ctx.getWebSockets().filter(isOpen).length,
    (error) => warn('the feed could not be told of the sockets', error),
  )
  /** Since the feed was last told. */
  readonly #refusals = new Refusals()
  #isArmed = false

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'))
    this.#standing = new Standing(this.#audience, ctx.storage.kv, (epoch, after) =>
      this.#feed().read(epoch, after, this.#subscribers.limits.pageCharacters),
    )
    const reads = new SharedReads((...page) => this.#feed().read(...page))
    this.#catchUp = new CatchUp(this.#standing, reads, this.#subscribers, (subscriber, at) =>
      this.#goLive(subscriber, at),
    )
    const { remembered } = this.#standing
    for (const socket of this.getConnections<SubscriberState>()) {
      const { state } = socket
      if (state?.live && remembered)
        this.#audience.add(this.#enter(socket, state, remembered), remembered)
      else close(socket, 'failed', 'catch-up was interrupted; resume')
    }
  }

  /**
   * A page of the log, pushed by the feed.
   * @returns when the next one may follow; how many characters it may have
   */
  async deliver(page: Delivery): Promise<number> {
    const began = Date.now()
    const { frames } = this.#audience
    const { here } = this.#standing
    if (here && (page.epoch !== here.epoch || page.after > here.offset)) await this.#standing.pull()
    else this.#standing.tell(page)
    const pauseMs = began + pauseAfter(this.#audience.frames - frames) - Date.now()
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs))
    return this.#subscribers.limits.pageCharacters
  }

  /** A beat of the canary: @returns where the sockets stand, having read what they missed. */
  async beat(there: Position): Promise<Position | null> {
    await this.#standing.comeTo(there)
    return this.#standing.here
  }

  // --- sockets -------------------------------------------------------------------------------

  override onConnect(socket: Socket, { request }: ConnectionContext): void {
    const query = parseSubscription(new URL(request.url).searchParams)
    if (!query.ok) return this.#refuse(socket, 'bad_request', query.detail)
    const scope = parseScope(request.headers.get(SCOPE_HEADER))
    const subscription = { ...query.subscription, scope }
    const subscriber = this.#enter(socket, { ...query, subscription }, null)
    subscriber.live = false
    this.#attendance.recount()
    this.#carryOn(subscriber, this.#admit(subscriber, query.start))
  }

  override onMessage(socket: Socket, message: string | ArrayBuffer): void {
    const refusal = this.#subscribers.get(socket.id)?.heard(message)
    if (typeof refusal === 'string') this.#refuse(socket, 'bad_frame', refusal)
  }

  override onClose(socket: Socket): void {
    this.#audience.remove(socket)
    this.#subscribers.remove(socket.id)?.stir()
    this.#attendance.recount()
  }

  override onError(socket: Socket): void {
    this.onClose(socket)
  }

  override async onAlarm(): Promise<void> {
    this.#isArmed = false
    try {
      // Close events can be missed.
      for (const { socket } of this.#subscribers.closed) this.onClose(socket)
      if (!this.#subscribers.isEmpty) await this.#arm()
      await this.#attendance.announce()
      const { here } = this.#standing
      if (here) this.#audience.beat(here)
    } catch (error) {
      warn('a heartbeat failed', error)
    }
  }

  // --- from the door to being live -----------------------------------------------------------

  async #admit(subscriber: Subscriber, start: Start): Promise<void> {
    const { here } = this.#standing
    if (here && (start === null || isAt(start, here))) return this.#greet(subscriber, here)
    await this.#arm()
    if (start) return this.#runCatchUp(subscriber, start, false)
    const { epoch, head } = await this.#attendance.announce()
    this.#greet(subscriber, this.#standing.here ?? { epoch, offset: head })
  }

  #greet(subscriber: Subscriber, at: Position): void {
    subscriber.greet(at)
    this.#goLive(subscriber, at)
  }

  #goLive(subscriber: Subscriber, at: Position): void {
    if (!subscriber.isOpen) return
    const isFirst = this.#audience.size === 0
    if (isFirst) this.#standing.begin(at)
    subscriber.live = true
    this.#audience.add(subscriber, at)
    // While there was nobody, what was pushed was dropped.
    if (isFirst)
      this.ctx.waitUntil(this.#standing.pull().catch((error) => warn('a pull failed', error)))
  }

  /** It stands there, and no room was left to tell it more. */
  #fellBehind(subscriber: Subscriber, at: Position): void {
    subscriber.live = false
    this.#carryOn(subscriber, this.#runCatchUp(subscriber, at, true))
  }

  async #runCatchUp(
    subscriber: Subscriber,
    from: NonNullable<Start>,
    isGreeted: boolean,
  ): Promise<void> {
    const tooSlow = await this.#catchUp.run(subscriber, from, isGreeted)
    if (tooSlow !== null) this.#refuse(subscriber.socket, 'too_slow', tooSlow)
  }

  #carryOn({ socket }: Subscriber, work: Promise<void>): void {
    this.ctx.waitUntil(
      work.catch((error) => {
        warn('a subscriber was not caught up', error)
        close(socket, 'failed', 'the feed could not be read; resume')
      }),
    )
  }

  #enter(
    socket: Socket,
    state: Omit<SubscriberState, 'live'>,
    standsAt: Position | null,
  ): Subscriber {
    const pingedAt = () => this.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0
    const pace = state.acks ? new Window(standsAt) : new Trust(pingedAt)
    const subscriber = new Subscriber(socket, state, pace)
    this.#subscribers.add(subscriber)
    return subscriber
  }

  #refuse(socket: Socket, name: CloseName, reason: string): void {
    this.#refusals.add('subscriber', name)
    close(socket, name, reason)
    this.onClose(socket)
  }

  // --- the feed ------------------------------------------------------------------------------

  #feed(): DurableObjectStub<Feed> {
    return this.env.FEED.getByName('main')
  }

  async #attend(sockets: number): Promise<Head> {
    const refused = this.#refusals.take()
    const head = await this.#feed()
      .attend(this.name, sockets, refused)
      .catch((error) => {
        this.#refusals.addAll(refused)
        throw error
      })
    await this.#standing.comeTo({ epoch: head.epoch, offset: head.head })
    return head
  }

  /** As long as there are sockets there is a heartbeat. */
  async #arm(): Promise<void> {
    if (this.#isArmed) return
    this.#isArmed = true
    if ((await this.ctx.storage.getAlarm()) === null)
      await this.ctx.storage.setAlarm(Date.now() + BEAT_MS)
  }
}

function isAt(start: NonNullable<Start>, here: Position): boolean {
  return isSame({ epoch: start.epoch ?? here.epoch, offset: start.offset }, here)
}

function isOpen(socket: WebSocket): boolean {
  return socket.readyState === WebSocket.READY_STATE_OPEN
}

function close(socket: Socket, name: CloseName, reason: string): void {
  socket.close(closeCodes[name].code, closeReason(reason))
}

function warn(message: string, error: unknown): void {
  console.warn(JSON.stringify({ message, error: String(error) }))
}
