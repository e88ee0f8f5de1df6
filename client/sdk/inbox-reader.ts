import type { ResetReason } from '../../protocol/frames.ts'
import type { InboxMoved } from '../../protocol/inbox-frames.ts'
import type { Counts } from '../../protocol/notification.ts'
import { formatPosition, type Position } from '../../protocol/position.ts'
import type { HeardOfInbox } from './inbox-wire.ts'
import type { Loss } from './reasons.ts'

/*
 * Law, as in reader.ts: the position says "everything up to here is held". Only a frame that begins
 * at or before it may move it; what lies at or before it is dropped; one that begins after it, or in
 * another epoch, is a gap, and the socket is given up. Whether a position can still be served is the
 * server's to say.
 */

/** Per socket: `greeting` until the first `hello` or `reset`, then `following`. */
export type InboxReader = { state: 'greeting' | 'following'; position: Position }

export type InboxReaderEffect =
  | { do: 'greet'; counts: Counts }
  | { do: 'deliver'; frame: InboxMoved }
  /** What is held may be old: read the list again. */
  | { do: 'reset'; reason: ResetReason; counts: Counts }
  /** Give up this socket and ask again from where the reader stands. */
  | { do: 'lose'; reason: Loss }

export type InboxStep = readonly [InboxReader, readonly InboxReaderEffect[]]

export function readInbox(reader: InboxReader, heard: HeardOfInbox): InboxStep {
  const { position } = reader
  if (heard.type === 'malformed') return lose(position, heard)
  if (heard.type === 'reset') {
    const { epoch, head, reason, counts } = heard
    return [
      { state: 'following', position: { epoch, offset: head } },
      [
        { do: 'greet', counts },
        { do: 'reset', reason, counts },
      ],
    ]
  }
  if (heard.type === 'hello') {
    if (reader.state === 'following')
      return lose(position, { kind: 'malformed', detail: 'a second hello came' })
    // One that stands elsewhere does not move us: the frame after it is a reset, or a gap.
    return [{ state: 'following', position }, [{ do: 'greet', counts: heard.counts }]]
  }
  if (reader.state === 'greeting')
    return lose(position, { kind: 'malformed', detail: 'notifications came before hello' })
  if (heard.epoch !== position.epoch || heard.after > position.offset) {
    const theirs = formatPosition({ epoch: heard.epoch, offset: heard.after })
    return lose(position, { kind: 'gap', mine: formatPosition(position), theirs })
  }
  // What has been heard before is not heard again.
  if (heard.through <= position.offset) return [reader, []]
  const next = { epoch: position.epoch, offset: heard.through }
  return [{ state: 'following', position: next }, [{ do: 'deliver', frame: heard }]]
}

function lose(position: Position, reason: Loss | { type: 'malformed'; detail: string }): InboxStep {
  const loss: Loss = 'kind' in reason ? reason : { kind: 'malformed', detail: reason.detail }
  return [{ state: 'greeting', position }, [{ do: 'lose', reason: loss }]]
}
