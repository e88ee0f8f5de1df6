import { deflateRawSync } from 'node:zlib'
import { DEFLATE_FROM_CHARACTERS } from '../../protocol/deflated.ts'
import {
  type HelloFrame,
  PROTOCOL,
  type ResetFrame,
  type ResetReason,
} from '../../protocol/frames.ts'
import type { Position } from '../../protocol/position.ts'

/** A higher level costs twice the time for a tenth less. */
const LEVEL = 1

/** A frame in each form that a reader takes, made once for all of them. */
export class Frame {
  readonly #text: string
  #plain: Message | null = null
  #deflated: Message | null = null

  constructor(text: string) {
    this.#text = text
  }

  /** @param deflate whether the reader takes large frames deflated */
  message(deflate: boolean): Message {
    if (!deflate || this.#text.length < DEFLATE_FROM_CHARACTERS) {
      this.#plain ??= { data: this.#text, bytes: bytesOf(this.#text) }
      return this.#plain
    }
    this.#deflated ??= deflated(this.#text)
    return this.#deflated
  }
}

/** `bytes` on the wire. */
export type Message = { data: string | Uint8Array; bytes: number }

function deflated(text: string): Message {
  const data = deflateRawSync(text, { level: LEVEL })
  return { data, bytes: data.byteLength }
}

export type Range = { epoch: string; after: number; through: number }

/**
 * A `changes` frame around changes that are already text, so that a page read from the log is
 * not parsed and printed again for everyone who wants all of it. The position stands first:
 * framePosition below depends on it.
 */
export function changesFrame({ epoch, after, through }: Range, changes: string): string {
  return `{"type":"changes","epoch":"${epoch}","after":${after},"through":${through},"changes":${changes}}`
}

/**
 * @param window null for a subscriber that does not acknowledge
 * @param expires_in_ms null for a session that does not end by itself
 */
export function helloFrame(
  { epoch, offset: after }: Position,
  window: number | null,
  expires_in_ms: number | null = null,
): string {
  const hello: HelloFrame = { type: 'hello', protocol: PROTOCOL, epoch, after }
  return JSON.stringify({
    ...hello,
    ...(window !== null && { window }),
    ...(expires_in_ms !== null && { expires_in_ms }),
  })
}

export function resetFrame(reason: ResetReason, { epoch, offset: head }: Position): string {
  return JSON.stringify({ type: 'reset', reason, epoch, head } satisfies ResetFrame)
}

/** On the wire, in UTF-8. */
export function bytesOf(frame: string): number {
  return encoder.encode(frame).length
}

const encoder = new TextEncoder()

/** The position a reader has after a frame of ours, without parsing the whole of it. */
export function framePosition(frame: string): Position | null {
  const match =
    /^\{"type":"\w+",.*?"epoch":"([0-9a-z]+)",(?:"after":\d+,"through":|"after":|"head":)(\d+)/.exec(
      frame.slice(0, 200),
    )
  return match ? { epoch: match[1] as string, offset: Number(match[2]) } : null
}
