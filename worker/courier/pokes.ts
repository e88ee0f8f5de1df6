import { closeCodes } from '../../protocol/close-codes.ts'
import type { DeliveryCounts } from './delivery.ts'

const AT_LEAST_APART_MS = 250

/**
 * Tells whoever watches that something moved, and how many deliveries there are in each state. A
 * poke carries no more: what moved, the list says. So it may fold with others, and it may be lost
 * when the object is evicted in between.
 */
export class Pokes {
  readonly #ctx: DurableObjectState
  readonly #counts: () => DeliveryCounts
  #toldAt = 0
  #timer: ReturnType<typeof setTimeout> | null = null

  constructor(ctx: DurableObjectState, counts: () => DeliveryCounts) {
    this.#ctx = ctx
    this.#counts = counts
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'))
  }

  /** A WebSocket upgrade. It is told at once how things stand. */
  open(): Response {
    const { 0: theirs, 1: ours } = new WebSocketPair()
    this.#ctx.acceptWebSocket(ours)
    ours.send(this.#text())
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

  /** Nothing but `ping` is expected of them. */
  heard(socket: WebSocket): void {
    const { code } = closeCodes.bad_frame
    socket.close(code, 'nothing but the text "ping" is read here')
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

  #text(): string {
    return JSON.stringify({ type: 'moved', counts: this.#counts() })
  }
}
