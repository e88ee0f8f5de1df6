import type { Position } from '../../protocol/position.ts'
import { type Limits, WINDOW_BYTES } from './limits.ts'
import { type Pace, ROOM, type Room } from './pace.ts'

/** A subscriber that waits for room and acknowledges nothing for so long is closed. */
export const PATIENCE_MS = 30_000

/** Frames are counted together up to this size, so that a window holds few counts. */
const GRAIN_BYTES = WINDOW_BYTES / 16

/**
 * What a subscriber was sent and has not acknowledged, in bytes of UTF-8.
 *
 * Authoritative on whether it is sent more: nothing while more than the window is outstanding. So
 * there is never more between it and us than a window and one frame. Must hold: one that reads
 * is never left waiting. It acknowledges within half of the least window, and what it has then not
 * acknowledged, with a grain or two that are counted with what came after, is less than a window.
 * Not durable: after hibernation nothing counts as sent. Nobody waited for room then, so what is
 * forgotten is at most a window.
 */
export class Window implements Pace {
  /** Oldest first: so many bytes, of which the last frame ended at `through`. */
  #counts: { through: number; bytes: number }[] = []
  #bytes = 0
  /** The epoch of the last frame, and the highest offset in it that was ever sent. */
  #sent: Position | null
  #waitingSince: number | null = null

  /** @param standsAt the position of one that was sent frames before; null for a new one */
  constructor(standsAt: Position | null) {
    this.#sent = standsAt
  }

  get outstandingBytes(): number {
    return this.#bytes
  }

  sent(position: Position, bytes: number): void {
    this.#bytes += bytes
    const last = this.#counts.at(-1)
    if (position.epoch !== this.#sent?.epoch) this.#begin(position)
    // After a reset it stands elsewhere: one acknowledgement from there on is for all before, too.
    else if (last && position.offset < last.through) this.#begin(position)
    else if (last && last.bytes < GRAIN_BYTES) {
      last.through = position.offset
      last.bytes += bytes
    } else this.#counts.push({ through: position.offset, bytes })
    const { epoch, offset } = position
    const highest = this.#sent?.epoch === epoch ? Math.max(this.#sent.offset, offset) : offset
    this.#sent = { epoch, offset: highest }
  }

  /** @returns false if it was never sent that far */
  acknowledge({ epoch, offset }: Position): boolean {
    if (this.#sent === null) return false
    // Said before it heard of the reset.
    if (epoch !== this.#sent.epoch) return true
    if (offset > this.#sent.offset) return false
    for (let [count] = this.#counts; count && count.through <= offset; [count] = this.#counts) {
      this.#counts.shift()
      this.#bytes -= count.bytes
      this.#waitingSince = null
    }
    return true
  }

  room({ windowBytes }: Limits, now: number): Room {
    if (this.#bytes <= windowBytes) {
      this.#waitingSince = null
      return ROOM
    }
    this.#waitingSince ??= now
    const ms = this.#waitingSince + PATIENCE_MS - now
    if (ms > 0) return { kind: 'none', ms }
    return { kind: 'too_slow', why: `nothing acknowledged for ${PATIENCE_MS / 1000} s` }
  }

  #begin({ offset }: Position): void {
    this.#counts = [{ through: offset, bytes: this.#bytes }]
  }
}
