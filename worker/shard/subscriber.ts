import type { Connection } from 'partyserver'
import { parseAck } from '../../protocol/acknowledgement.ts'
import { formatPosition, type Position } from '../../protocol/position.ts'
import type { Manner, Subscription } from '../../protocol/subscription.ts'
import { expiresInMs, type Session } from '../doors/session.ts'
import { Frame, helloFrame } from './frame.ts'
import { type Limits, WINDOW_BYTES } from './limits.ts'
import type { Room } from './pace.ts'
import type { Trust } from './trust.ts'
import { Window } from './window.ts'

/**
 * What a socket's attachment remembers across hibernation. `live`: it hears what happens as it
 * happens; otherwise it is being caught up.
 */
export type SubscriberState = Manner & {
  subscription: Subscription
  session: Session
  live: boolean
}
export type Socket = Connection<SubscriberState>

/** One socket, with what it wants and how fast it reads. */
export class Subscriber {
  readonly socket: Socket
  readonly subscription: Subscription
  readonly #deflate: boolean
  #session: Session
  #live: boolean
  readonly #pace: Window | Trust
  #stir: () => void = () => {}

  constructor(
    socket: Socket,
    { subscription, deflate, session, live }: Omit<SubscriberState, 'acks'>,
    pace: Window | Trust,
  ) {
    this.socket = socket
    this.subscription = subscription
    this.#deflate = deflate
    this.#session = session
    this.#live = live
    this.#pace = pace
  }

  get id(): string {
    return this.socket.id
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.READY_STATE_OPEN
  }

  get acks(): boolean {
    return this.#pace instanceof Window
  }

  set live(live: boolean) {
    this.#live = live
    this.#remember()
  }

  get session(): Session {
    return this.#session
  }

  set session(session: Session) {
    this.#session = session
    this.#remember()
  }

  greet(at: Position): void {
    const window = this.acks ? WINDOW_BYTES : null
    this.send(new Frame(helloFrame(at, window, expiresInMs(this.#session, Date.now()))), at)
  }

  /**
   * @param position where the subscriber stands after it
   * @throws when the socket has gone without a close event
   */
  send(frame: Frame, position: Position): void {
    const { data, bytes } = frame.message(this.#deflate)
    this.socket.send(data)
    this.#pace.sent(position, bytes, Date.now())
  }

  room(limits: Limits): Room {
    return this.#pace.room(limits, Date.now())
  }

  /** What the socket said. @returns why it must not say that; null if it may */
  heard(message: string | ArrayBuffer): string | null {
    if (!(this.#pace instanceof Window))
      return 'only the texts "ping" and "refresh <token>" are read here'
    const position = typeof message === 'string' ? parseAck(message) : null
    if (position === null)
      return 'only "ping", "ack <epoch>:<offset>" and "refresh <token>" are read here'
    if (!this.#pace.acknowledge(position))
      return `nothing was sent as far as ${formatPosition(position)}`
    this.stir()
    return null
  }

  /** Until there may be room, or the socket has closed, or for so many milliseconds. */
  stirred(ms: number): Promise<void> {
    return new Promise((resolve) => {
      // While it runs the object does not hibernate, and so does not forget who waits.
      const timer = setTimeout(() => this.stir(), ms)
      this.#stir = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  stir(): void {
    this.#stir()
  }

  /** In the socket's attachment, which outlives the object's memory. */
  #remember(): void {
    const { subscription, session, acks } = this
    const state = { subscription, session, acks, deflate: this.#deflate, live: this.#live }
    this.socket.setState(state)
  }
}
