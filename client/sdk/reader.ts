import type { Change } from '../../protocol/change.ts'
import {
  type Frame,
  frame as frameSchema,
  type RefreshedFrame,
  type ResetReason,
} from '../../protocol/frames.ts'
import { formatPosition, type Position } from '../../protocol/position.ts'
import type { Start } from '../../protocol/subscription.ts'
import type { Loss } from './reasons.ts'
import { refreshedFrom } from './session.ts'

/*
 * Law. The reader alone decides what a frame means for us. Its position says
 * "everything up to here has been handed over"; only a frame that begins at or
 * before it may move it, so a hole cannot be stepped over on any path. What lies
 * at or before it is dropped, so nothing is handed over twice. A frame that
 * begins after it, or in another epoch, is a gap: the socket is given up and the
 * position asked for again; whether it can still be served is the server's to
 * say (`reset`), never ours to guess.
 */

/** Per socket: `greeting` until the first `hello` or `reset`, then `following`. */
export type Reader = { state: 'greeting'; from: Start } | { state: 'following'; position: Position }

export type ReaderEffect =
  /** The subscription stands. */
  | { do: 'greet' }
  /** Changes after the old position, in order; never empty. */
  | { do: 'deliver'; changes: readonly Change[]; position: Position }
  | { do: 'reset'; reason: ResetReason; position: Position }
  /** Give up this socket and ask again from where the reader stands. */
  | { do: 'lose'; reason: Loss }

export type Step = readonly [Reader, readonly ReaderEffect[]]

/** What came over the socket, parsed once. */
export type Heard = Frame | { type: 'malformed'; detail: string }

export function startReader(from: Start): Reader {
  return { state: 'greeting', from }
}

/** What a new socket is to ask for: where the reader stands now. */
export function startOf(reader: Reader): Start {
  return reader.state === 'greeting' ? reader.from : reader.position
}

/** @returns null as long as no epoch is known */
export function positionOf(reader: Reader): Position | null {
  if (reader.state === 'following') return reader.position
  const { from } = reader
  return from === null || from.epoch === null ? null : { epoch: from.epoch, offset: from.offset }
}

export function read(reader: Reader, heard: Heard): Step {
  if (heard.type === 'malformed') return lose(reader, { kind: 'malformed', detail: heard.detail })
  if (heard.type === 'reset') {
    const position = { epoch: heard.epoch, offset: heard.head }
    const reset: ReaderEffect = { do: 'reset', reason: heard.reason, position }
    const effects: ReaderEffect[] = reader.state === 'greeting' ? [{ do: 'greet' }, reset] : [reset]
    return [{ state: 'following', position }, effects]
  }
  if (reader.state === 'greeting') {
    if (heard.type === 'changes') return misread(reader, 'changes came before hello')
    // A hello that stands elsewhere does not move us: the frame after it is a reset, or a gap.
    const epoch = reader.from?.epoch ?? heard.epoch
    const position = { epoch, offset: reader.from?.offset ?? heard.after }
    return [{ state: 'following', position }, [{ do: 'greet' }]]
  }
  if (heard.type === 'hello') return misread(reader, 'a second hello came')

  const { position } = reader
  if (heard.epoch !== position.epoch || heard.after > position.offset) {
    const theirs = formatPosition({ epoch: heard.epoch, offset: heard.after })
    return lose(reader, { kind: 'gap', mine: formatPosition(position), theirs })
  }
  let last = heard.after
  for (const { offset } of heard.changes) {
    if (offset <= last || offset > heard.through)
      return misread(reader, `offset ${offset} is out of its place`)
    last = offset
  }
  // What has been handed over before is not handed over again.
  if (heard.through <= position.offset) return [reader, []]
  const changes = heard.changes.filter(({ offset }) => offset > position.offset)
  const next = { epoch: position.epoch, offset: heard.through }
  return [
    { state: 'following', position: next },
    changes.length === 0 ? [] : [{ do: 'deliver', changes, position: next }],
  ]
}

/** The one place where a frame is parsed. */
export function parseFrame(data: unknown): Heard | RefreshedFrame {
  if (typeof data !== 'string') return { type: 'malformed', detail: 'it is not text' }
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch {
    return { type: 'malformed', detail: `it is not JSON: ${data.slice(0, 60)}` }
  }
  const refreshed = refreshedFrom(value)
  if (refreshed) return refreshed
  const parsed = frameSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  return { type: 'malformed', detail: `${issue?.path.join('.')}: ${issue?.message}` }
}

function lose(reader: Reader, reason: Loss): Step {
  return [{ state: 'greeting', from: startOf(reader) }, [{ do: 'lose', reason }]]
}

function misread(reader: Reader, detail: string): Step {
  return lose(reader, { kind: 'malformed', detail })
}
