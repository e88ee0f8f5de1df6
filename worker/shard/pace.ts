import type { Position } from '../../protocol/position.ts'
import type { Limits } from './limits.ts'

/** How fast a subscriber may be sent to: by its own word (window.ts) or by assumption (trust.ts). */
export interface Pace {
  /** A frame went out; after it the subscriber stands at `position`. */
  sent(position: Position, bytes: number, now: number): void
  /** Whether it may be sent one frame more. */
  room(limits: Limits, now: number): Room
}

export type Room =
  | { kind: 'room' }
  /** Ask again after so many milliseconds, or when it has acknowledged something. */
  | { kind: 'none'; ms: number }
  /** It is to be closed, for this reason. */
  | { kind: 'too_slow'; why: string }

export const ROOM: Room = { kind: 'room' }
