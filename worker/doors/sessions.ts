import { type CloseName, closeCodes, closeReason } from '../../protocol/close-codes.ts'
import type { RefreshedFrame } from '../../protocol/frames.ts'
import { parseRefresh } from '../../protocol/session.ts'
import type { Env } from '../env.ts'
import { verifyCredential } from './credential.ts'
import { bookOf, isRevocable, isRevoked } from './keyring-book.ts'
import type { Principal } from './principal.ts'
import { type Cut, expiresInMs, isCut, isOver, type Session, sessionOf } from './session.ts'

/**
 * The sessions of the sockets that one object holds (P96).
 *
 * Each socket's session is authoritative on when it ends; Postgres is on what was revoked. Must
 * hold: a socket is closed when its session is over, and when its principal is revoked, whichever
 * way the object hears of that: it is told (`cut`), or reads it in the feed. A revocation that went
 * by while a socket was on its way in was told to nobody here: so a little after one has come in,
 * it is looked up whether it is good still.
 * On failure of that it is looked up again until it can be. What is refreshed is verified as at the
 * door, and can only last longer.
 */
export class Sessions<Peer extends object> {
  readonly #parts: SessionParts<Peer>
  #looking: ReturnType<typeof setTimeout> | null = null
  #isWanted = false
  readonly #refreshing = new WeakMap<Peer, number>()
  /** None is over sooner; null while that is not known. */
  #nextEnd: number | null = null

  constructor(parts: SessionParts<Peer>) {
    this.#parts = parts
  }

  /**
   * When the next one may be over, in milliseconds since 1970; infinity if none ends by itself. One
   * that was closed or refreshed may still count, until `expire` has looked at them all.
   */
  get nextEnd(): number {
    if (this.#nextEnd !== null) return this.#nextEnd
    let next = Number.POSITIVE_INFINITY
    for (const peer of this.#parts.all()) next = Math.min(next, endOf(this.#parts.session(peer)))
    this.#nextEnd = next
    return next
  }

  /** The same, for an alarm, which is set no further ahead than it has to be. */
  wakeAt(now: number): number {
    const at = this.nextEnd
    return at < Number.POSITIVE_INFINITY ? Math.min(at, now + MOST_AHEAD_MS) : at
  }

  /** Closes those that are over. */
  expire(now: number): void {
    if (this.nextEnd > now) return
    this.#endAll((session) => isOver(session, now), ENDED)
    this.#nextEnd = null
  }

  cut(cut: Cut): void {
    this.#endAll((session) => isCut(session, cut), REVOKED)
  }

  /** Somebody came in, or something may have been missed. */
  lookUp(): void {
    this.#isWanted = true
    // While it runs the object does not hibernate, and so does not forget.
    this.#looking ??= setTimeout(() => this.#look(), LOOK_UP_MS)
  }

  entered(session: Session): void {
    if (this.#nextEnd !== null) this.#nextEnd = Math.min(this.#nextEnd, endOf(session))
    if (isRevocable(session.name)) this.lookUp()
  }

  /** @returns whether it was a frame of the session; what comes of it, comes later. Never throws */
  heard(peer: Peer, message: string | ArrayBuffer): Promise<void> | null {
    const token = typeof message === 'string' ? parseRefresh(message) : null
    if (token === null) return null
    const underWay = this.#refreshing.get(peer) ?? 0
    if (underWay >= MOST_REFRESHES) {
      this.#parts.end([peer], 'bad_frame', 'wait for the answer to "refresh" before the next one')
      return Promise.resolve()
    }
    this.#refreshing.set(peer, underWay + 1)
    return this.#refresh(peer, token).finally(() => {
      this.#refreshing.set(peer, (this.#refreshing.get(peer) ?? 1) - 1)
    })
  }

  async #refresh(peer: Peer, token: string): Promise<void> {
    const { env, session, mayStay, keep, say, end, isOpen } = this.#parts
    const asking = await verifyCredential(env, token).catch(() => null)
    // It may have been closed meanwhile, or refreshed by another.
    if (!isOpen(peer)) return
    if (asking === null)
      return end([peer], 'failed', 'the token could not be looked at; connect again')
    if ('denied' in asking)
      return asking.denied === 'unauthorized'
        ? end([peer], 'unauthorized', asking.why)
        : end([peer], 'failed', asking.why)
    const before = session(peer)
    if (isOver(before, Date.now())) return end([peer], 'unauthorized', ENDED)
    if (asking.name !== before.name) return end([peer], 'unauthorized', ANOTHER)
    if (!mayStay(peer, asking)) return end([peer], 'unauthorized', NARROWER)
    if (isLonger(asking, before)) keep(peer, sessionOf(asking))
    this.entered(session(peer))
    const frame: RefreshedFrame = {
      type: 'refreshed',
      expires_in_ms: expiresInMs(session(peer), Date.now()),
    }
    say(peer, JSON.stringify(frame))
    await this.#parts.moved()
  }

  async #look(): Promise<void> {
    this.#isWanted = false
    try {
      const book = await bookOf(this.#parts.env, LOOK_UP_MS / 2)
      this.#endAll((session) => isRevoked(book, session), REVOKED)
    } catch (error) {
      this.#isWanted = true
      console.warn(
        JSON.stringify({ message: 'sessions could not be looked up', error: String(error) }),
      )
    }
    this.#looking = null
    if (this.#isWanted) this.lookUp()
  }

  #endAll(isAtEnd: (session: Session) => boolean, why: string): void {
    const { all, session, end } = this.#parts
    const ending = [...all()].filter((peer) => isAtEnd(session(peer)))
    if (ending.length > 0) end(ending, 'unauthorized', why)
  }
}

/** What the object that holds the sockets does for their sessions. */
export type SessionParts<Peer> = {
  env: Env
  /** All whose sockets are open. */
  all: () => Iterable<Peer>
  isOpen: (peer: Peer) => boolean
  session: (peer: Peer) => Session
  /** Keeps it with the socket, through hibernation. */
  keep: (peer: Peer, session: Session) => void
  /** Whether that principal may go on with what the socket was opened for. */
  mayStay: (peer: Peer, asking: Principal) => boolean
  say: (peer: Peer, text: string) => void
  /** Closes them. */
  end: (peers: readonly Peer[], name: CloseName, why: string) => void
  /** When the next session is over may have moved. */
  moved: () => Promise<void>
}

/** Longer than a copy of the keyring may lie on its way here. */
const LOOK_UP_MS = 2_000
const MOST_REFRESHES = 4
const MOST_AHEAD_MS = 30 * 86_400_000

const ENDED = 'the session is over: connect again with a new token'
const REVOKED = 'this was revoked: sign in again'
const ANOTHER = 'the new token is of somebody else: open a socket with it'
const NARROWER = 'the new token opens less than this socket reads: open another one with it'

function endOf({ expiresAt }: Session): number {
  return expiresAt ?? Number.POSITIVE_INFINITY
}

/** A token that ends sooner is as good, and takes nothing away. */
function isLonger(next: Session, now: Session): boolean {
  if (now.expiresAt === null) return false
  return next.expiresAt === null || next.expiresAt >= now.expiresAt
}

export function closeSocket(socket: WebSocket, name: CloseName, why: string): void {
  try {
    socket.close(closeCodes[name].code, closeReason(why))
  } catch {
    // Gone already.
  }
}
