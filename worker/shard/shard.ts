import { type ConnectionContext, Server } from 'partyserver'
import type { CloseName } from '../../protocol/close-codes.ts'
import type { Position } from '../../protocol/position.ts'
import type { Start } from '../../protocol/subscription.ts'
import { cutsIn } from '../doors/revoked-in.ts'
import type { Cut } from '../doors/session.ts'
import { closeSocket } from '../doors/sessions.ts'
import type { Env } from '../env.ts'
import type { Delivery, FeedRead } from '../feed/fan-out.ts'
import type { Feed } from '../feed/feed.ts'
import { Refusals } from '../feed/refusals.ts'
import { Attendance, type Head } from './attendance.ts'
import { Audience } from './audience.ts'
import { CatchUp } from './catch-up.ts'
import { Clock } from './clock.ts'
import { readAsked } from './door.ts'
import { pauseAfter } from './limits.ts'
import { SharedReads } from './reads.ts'
import { isSame, Standing } from './standing.ts'
import { type Socket, Subscriber, type SubscriberState } from './subscriber.ts'
import { subscriberSessions } from './subscriber-sessions.ts'
import { Subscribers } from './subscribers.ts'
import { Trust } from './trust.ts'
import { Window } from './window.ts'

/**
 * A shard: holds one slice of the sockets and tells them what the feed appended.
 *
 * Authoritative on what its sockets have been told (standing.ts). Must hold: a subscriber is live
 * and stands where the shard stands, or it is caught up from the log by itself, at the beginning of
 * its subscription and whenever it does not keep up (window.ts, trust.ts). Being caught up waits
 * for room; who makes none is closed. A socket is closed when its session ends (sessions.ts): what
 * was revoked is looked for in every page of the log, once for all sockets.
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
  readonly #sessions = subscriberSessions({
    env: this.env,
    all: () => this.#subscribers.open(),
    end: (subscribers, name, why) => this.#end(subscribers, name, why),
    moved: () => this.#arm(),
  })
  readonly #clock = new Clock(this.ctx.storage, this.#sessions)

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'))
    this.#standing = new Standing(this.#audience, ctx.storage.kv, (epoch, after) =>
      this.#read(epoch, after, this.#subscribers.limits.pageCharacters),
    )
    const reads = new SharedReads((...page) => this.#read(...page))
    this.#catchUp = new CatchUp(this.#standing, reads, this.#subscribers, (subscriber, at) =>
      this.#goLive(subscriber, at),
    )
    const { remembered } = this.#standing
    for (const socket of this.getConnections<SubscriberState>()) {
      const { state } = socket
      if (state?.live && remembered)
        this.#audience.add(this.#enter(socket, state, remembered), remembered)
      else closeSocket(socket, 'failed', 'catch-up was interrupted; resume')
    }
    if (!this.#subscribers.isEmpty) this.#clock.woke()
  }

  /**
   * A page of the log, pushed by the feed.
   * @returns when the next one may follow; how many characters it may have
   */
  async deliver(page: Delivery): Promise<number> {
    const began = Date.now()
    for (const cut of cutsIn(page.changes)) this.#sessions.cut(cut)
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

  /** Closes the sockets of what was revoked. */
  async cut(cut: Cut): Promise<void> {
    this.#sessions.cut(cut)
  }

  // --- sockets -------------------------------------------------------------------------------

  override onConnect(socket: Socket, { request }: ConnectionContext): void {
    const asked = readAsked(request, Date.now())
    if (!asked.ok) return this.#refuse(socket, asked.close, asked.why)
    const subscriber = this.#enter(socket, asked.state, null)
    try {
      subscriber.live = false
    } catch {
      // An attachment has 16 KiB.
      return this.#refuse(
        socket,
        'bad_request',
        'too long to be kept: filter less, or name a table',
      )
    }
    this.#sessions.entered(subscriber.session)
    this.#attendance.recount()
    this.#carryOn(subscriber, this.#admit(subscriber, asked.start))
  }

  override onMessage(socket: Socket, message: string | ArrayBuffer): void {
    const subscriber = this.#subscribers.get(socket.id)
    if (subscriber === undefined) return
    const refreshing = this.#sessions.heard(subscriber, message)
    if (refreshing) return this.ctx.waitUntil(refreshing)
    const refusal = subscriber.heard(message)
    if (typeof refusal === 'string') this.#refuse(socket, 'bad_frame', refusal)
  }

  override onClose(socket: Socket): void {
    this.#forget([socket])
  }

  override onError(socket: Socket): void {
    this.onClose(socket)
  }

  override async onAlarm(): Promise<void> {
    const now = Date.now()
    const isForBeat = this.#clock.rang(now)
    try {
      this.#sessions.expire(now)
      if (isForBeat) await this.#beat()
    } catch (error) {
      warn('a heartbeat failed', error)
    } finally {
      await this.#arm()
    }
  }

  async #beat(): Promise<void> {
    // Close events can be missed.
    this.#forget(this.#subscribers.closed.map(({ socket }) => socket))
    await this.#arm()
    await this.#attendance.announce()
    const { here } = this.#standing
    if (here) this.#audience.beat(here)
  }

  // --- from the door to being live -----------------------------------------------------------

  async #admit(subscriber: Subscriber, start: Start): Promise<void> {
    const { here } = this.#standing
    if (here && (start === null || isAt(start, here))) {
      this.#greet(subscriber, here)
      return this.#arm()
    }
    await this.#arm()
    if (start) return this.#runCatchUp(subscriber, start, false)
    const { epoch, head } = await this.#attendance.announce()
    this.#greet(subscriber, this.#standing.here ?? { epoch, offset: head })
  }

  #greet(subscriber: Subscriber, at: Position): void {
    if (!subscriber.isOpen) return
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
        closeSocket(socket, 'failed', 'the feed could not be read; resume')
      }),
    )
  }

  #enter(socket: Socket, state: SubscriberState, standsAt: Position | null): Subscriber {
    const pingedAt = () => this.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0
    const pace = state.acks ? new Window(standsAt) : new Trust(pingedAt)
    const subscriber = new Subscriber(socket, state, pace)
    this.#subscribers.add(subscriber)
    return subscriber
  }

  #refuse(socket: Socket, name: CloseName, reason: string): void {
    this.#refusals.add('subscriber', name)
    closeSocket(socket, name, reason)
    this.#forget([socket])
  }

  #end(subscribers: readonly Subscriber[], name: CloseName, why: string): void {
    for (const { socket } of subscribers) closeSocket(socket, name, why)
    this.#forget(subscribers.map(({ socket }) => socket))
  }

  /** Counted once for all of them: a count looks at every socket. */
  #forget(sockets: readonly Socket[]): void {
    for (const socket of sockets) {
      this.#audience.remove(socket)
      this.#subscribers.remove(socket.id)?.stir()
    }
    this.#attendance.recount()
  }

  // --- the feed ------------------------------------------------------------------------------

  #feed(): DurableObjectStub<Feed> {
    return this.env.FEED.getByName('main')
  }

  async #read(...page: Parameters<Feed['read']>): Promise<FeedRead> {
    const read: FeedRead = await this.#feed().read(...page)
    // Of what was not read nobody knows what it would have revoked.
    if (read.reset) this.#sessions.lookUp()
    else for (const cut of cutsIn(read.changes)) this.#sessions.cut(cut)
    return read
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

  #arm(): Promise<void> {
    return this.#clock.arm(this.#subscribers.isEmpty, Date.now())
  }
}

function isAt(start: NonNullable<Start>, here: Position): boolean {
  return isSame({ epoch: start.epoch ?? here.epoch, offset: start.offset }, here)
}

function isOpen(socket: WebSocket): boolean {
  return socket.readyState === WebSocket.READY_STATE_OPEN
}

function warn(message: string, error: unknown): void {
  console.warn(JSON.stringify({ message, error: String(error) }))
}
