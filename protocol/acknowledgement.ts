import { formatPosition, type Position, parsePosition } from './position.ts'

/**
 * How a subscriber that asked with `acks=1` says how far it has come: the text `ack k3v:57`, where
 * the position is that after the last frame it has taken in. It says so at the latest when it has
 * taken in `ACK_WITHIN` of the window that `hello` gave, in bytes of UTF-8, since it last did.
 */
export const ACK_WITHIN = 1 / 2

const PREFIX = 'ack '

export function formatAck(position: Position): string {
  return PREFIX + formatPosition(position)
}

/** @returns null for any other text */
export function parseAck(text: string): Position | null {
  return text.startsWith(PREFIX) ? parsePosition(text.slice(PREFIX.length)) : null
}
