import { AttachedSessions } from '../doors/attached-sessions.ts'
import { isAdmin, type Principal } from '../doors/principal.ts'
import { expiresInMs, sessionOf } from '../doors/session.ts'
import { closeSocket } from '../doors/sessions.ts'
import type { Env } from '../env.ts'
import type { DeliveryCounts } from './delivery.ts'

const AT_LEAST_APART_MS = 250

/**
 * Tells whoever watches that something moved, and how many deliveries there are in each state. A
 * poke carries no more: what moved, the list says. So it may fold with others, and it may be lost
 * when the object is evicted in between. Who watches is an admin, and for no longer than they are.
 */
export class Pokes {
  readonly sessions: AttachedSessions
  readonly #ctx: DurableObjectState
  readonly #counts: () => DeliveryCounts
  #toldAt = 0
  #timer: ReturnType<typeof setTimeout> | null = null

  /** @param armed sets the alarm for the end of the next session */
  constructor(
    ctx: DurableObjectState,
    env: Env,
    counts: () => DeliveryCounts,
    armed: () => Promise<void>,
  ) {
    this.sessions = new AttachedSessions(ctx, {
      env,
      mayStay: (_socket, asking) => isAdmin(asking),
      moved: armed,
    })
    this.#ctx = ctx
    this.#counts = counts
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'))
  }

  /** A WebSocket upgrade. It is told at once how things stand, and when its session ends. */
  open(asking: Principal): Response {
    const { 0: theirs, 1: ours } = new WebSocketPair()
    this.#ctx.acceptWebSocket(ours)
    const session = sessionOf(asking)
    this.sessions.attach(ours, session)
    this.sessions.entered(session)
    const expires_in_ms = expiresInMs(session, Date.now())
    ours.send(this.#text(expires_in_ms === null ? {} : { expires_in_ms }))
    return new Response(null, { status: 101, webSocket: theirs })
  }

  moved(): void {
    if (this.#timer !== null || this.#ctx.getWebSockets().length === 0) return
    const wait = this.#toldAt + AT_LEAST_APART_MS - Date.now()
    if (wait <= 0) this.#tell()
    else
      this.#timer = setTimeout(() => {
        this.#timer = null
        this.#tell()
      }, wait)
  }

  /** Nothing but `ping` and `refresh <token>` is expected of them. */
  async heard(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const refreshing = this.sessions.heard(socket, message)
    if (refreshing) return refreshing
    const why = 'only the texts "ping" and "refresh <token>" are read here'
    closeSocket(socket, 'bad_frame', why)
  }

  #tell(): void {
    this.#toldAt = Date.now()
    const text = this.#text()
    for (const socket of this.#ctx.getWebSockets()) {
      try {
        socket.send(text)
      } catch {
        // Gone without a close event.
      }
    }
  }

  #text(more: { expires_in_ms?: number } = {}): string {
    return JSON.stringify({ type: 'moved', counts: this.#counts(), ...more })
  }
}
