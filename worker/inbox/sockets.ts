import { type CloseName, closeCodes, closeReason } from '../../protocol/close-codes.ts'
import type { InboxFrame } from '../../protocol/inbox-frames.ts'
import { type Position, parsePosition } from '../../protocol/position.ts'
import { acceptAndClose } from '../api/refusal.ts'
import type { AttachedSessions } from '../doors/attached-sessions.ts'
import { expiresInMs, type Session } from '../doors/session.ts'
import { Trust } from '../shard/trust.ts'
import type { Copy } from './copy.ts'
import { framesSince, hello } from './moves.ts'

/** Of one user at once. */
export const MAX_SOCKETS = 100
/** What may lie unread between the object and its sockets, and what each may have of it at least. */
const UNREAD_BYTES = 64 * 1024 * 1024
const LEAST_UNREAD_BYTES = 1024 * 1024

/**
 * The sockets of one inbox: every tab and device of its user.
 *
 * Must hold: all of them stand where the copy stands. Who comes in is brought there in the same
 * step, and what moves is told to all in the step in which it moves; so a position need not be kept
 * for each, and the object may hibernate at any time. Who is assumed not to read is closed, and
 * resumes; whose session ends is closed too (sessions.ts).
 */
export class Sockets {
  readonly #ctx: DurableObjectState
  readonly #sessions: AttachedSessions
  readonly #trusts = new WeakMap<WebSocket, Trust>()

  constructor(ctx: DurableObjectState, sessions: AttachedSessions) {
    this.#ctx = ctx
    this.#sessions = sessions
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'))
  }

  get isEmpty(): boolean {
    return this.#open.length === 0
  }

  /** @param query `epoch` and `after`, or neither */
  open(copy: Copy, query: URLSearchParams, session: Session, now: number): Response {
    const [epoch, after] = [query.get('epoch'), query.get('after')]
    const from = after === null ? null : parsePosition(`${epoch ?? copy.epoch}:${after}`)
    if (after === null ? epoch !== null : from === null)
      return acceptAndClose('bad_request', 'epoch and after are a position that was told before')
    if (this.#open.length >= MAX_SOCKETS)
      return acceptAndClose('bad_request', `${MAX_SOCKETS} sockets are open already; close some`)
    const { 0: theirs, 1: ours } = new WebSocketPair()
    this.#ctx.acceptWebSocket(ours)
    this.#sessions.attach(ours, session)
    this.#sessions.entered(session)
    const frames = from ? framesSince(copy, from, now) : []
    const standsAt = from && frames[0]?.type !== 'reset' ? from.offset : copy.offset
    const begins = hello(copy, standsAt, expiresInMs(session, now), now)
    for (const frame of [begins, ...frames]) ours.send(JSON.stringify(frame))
    return new Response(null, { status: 101, webSocket: theirs })
  }

  /** @param before where all of them stand */
  tell(copy: Copy, before: Position, now: number): void {
    const open = this.#open
    if (open.length === 0) return
    const frames = framesSince(copy, before, now).map((frame: InboxFrame) => JSON.stringify(frame))
    const trustBytes = Math.max(LEAST_UNREAD_BYTES, UNREAD_BYTES / open.length)
    for (const socket of open) for (const text of frames) this.#send(socket, text, trustBytes, now)
  }

  close(socket: WebSocket, name: CloseName, reason: string): void {
    socket.close(closeCodes[name].code, closeReason(reason))
  }

  closeAll(name: CloseName, reason: string): void {
    for (const socket of this.#open) this.close(socket, name, reason)
  }

  #send(socket: WebSocket, text: string, trustBytes: number, now: number): void {
    const trust = this.#trustIn(socket)
    const room = trust.room({ trustBytes, windowBytes: 0, pageCharacters: 0 }, now)
    if (room.kind !== 'room')
      return this.close(socket, 'too_slow', 'too far behind; connect again from your position')
    // Three bytes a character at most, in UTF-8.
    trust.sent(NOWHERE, text.length * 3, now)
    try {
      socket.send(text)
    } catch {
      // Gone without a close event.
    }
  }

  #trustIn(socket: WebSocket): Trust {
    const known = this.#trusts.get(socket)
    if (known) return known
    const trust = new Trust(() => 0)
    this.#trusts.set(socket, trust)
    return trust
  }

  get #open(): WebSocket[] {
    return this.#ctx.getWebSockets().filter(({ readyState }) => readyState === WebSocket.OPEN)
  }
}

const NOWHERE: Position = { epoch: '', offset: 0 }
