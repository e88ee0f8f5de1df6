import type { Session } from './session.ts'
import { closeSocket, type SessionParts, Sessions } from './sessions.ts'

/**
 * The sessions of an object's plain sockets, each kept in its socket's attachment.
 * @param ctx of the object, all of whose sockets have one
 */
export class AttachedSessions extends Sessions<WebSocket> {
  readonly #kept = new WeakMap<WebSocket, Session>()

  constructor(
    ctx: DurableObjectState,
    parts: Pick<SessionParts<WebSocket>, 'env' | 'mayStay' | 'moved'>,
  ) {
    super({
      ...parts,
      all: () => ctx.getWebSockets().filter(isOpen),
      isOpen,
      session: (socket) => this.#sessionOf(socket),
      keep: (socket, session) => this.attach(socket, session),
      say: (socket, text) => socket.send(text),
      end: (sockets, name, why) => {
        for (const socket of sockets) closeSocket(socket, name, why)
      },
    })
  }

  /** @param socket one that was accepted */
  attach(socket: WebSocket, session: Session): void {
    this.#kept.set(socket, session)
    socket.serializeAttachment(session)
  }

  #sessionOf(socket: WebSocket): Session {
    const session = this.#kept.get(socket) ?? (socket.deserializeAttachment() as Session)
    this.#kept.set(socket, session)
    return session
  }
}

function isOpen({ readyState }: WebSocket): boolean {
  return readyState === WebSocket.OPEN
}
