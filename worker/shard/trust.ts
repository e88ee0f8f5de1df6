import type { Position } from '../../protocol/position.ts'
import type { Limits } from './limits.ts'
import { type Pace, ROOM, type Room } from './pace.ts'

/** What one who says nothing is assumed to read. */
const READS_BYTES_A_MS = (1024 * 1024) / 1000
/** So long in a row it is sent as much as it is trusted with, without any sign of life. */
export const PATIENCE_MS = 60_000

/**
 * What a subscriber that does not acknowledge is assumed not to have read: what it was sent, less
 * 1 MB a second. The runtime does not say what waits in a socket, so this is a guess, and nothing
 * here is exact: it keeps a log of many megabytes from being poured at once into a socket that
 * takes none of it, and leaves everyone else alone.
 */
export class Trust implements Pace {
  readonly #pingedAt: () => number
  #bytes = 0
  #at = 0
  #overSince: number | null = null

  /** @param pingedAt when it last said `ping`, in milliseconds since 1970; 0 for never */
  constructor(pingedAt: () => number) {
    this.#pingedAt = pingedAt
  }

  sent(_position: Position, bytes: number, now: number): void {
    this.#read(now)
    this.#bytes += bytes
  }

  room({ trustBytes }: Limits, now: number): Room {
    this.#read(now)
    if (this.#bytes <= trustBytes / 2) this.#overSince = null
    if (this.#bytes <= trustBytes) return ROOM
    this.#overSince ??= now
    const silentMs = now - Math.max(this.#overSince, this.#pingedAt())
    if (silentMs >= PATIENCE_MS)
      return { kind: 'too_slow', why: 'too far behind; ask with acks=1 to be waited for' }
    const untilReadMs = Math.ceil((this.#bytes - trustBytes) / READS_BYTES_A_MS)
    return { kind: 'none', ms: Math.min(untilReadMs, PATIENCE_MS - silentMs) }
  }

  #read(now: number): void {
    this.#bytes = Math.max(0, this.#bytes - Math.max(0, now - this.#at) * READS_BYTES_A_MS)
    this.#at = now
  }
}
