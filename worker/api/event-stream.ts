import { ACK_WITHIN, formatAck } from '../../protocol/acknowledgement.ts'
import { formatPosition, type Position } from '../../protocol/position.ts'
import { bytesOf, framePosition } from '../shard/frame.ts'
import { WINDOW_BYTES } from '../shard/limits.ts'

const RETRY_MS = 2_000

/** `pull` is to be called once nothing waits in the stream, and not before. */
const BYTES = new ByteLengthQueuingStrategy({ highWaterMark: 1 })

/** Proxies end what is silent for longer; a comment is no event. */
const COMMENT_MS = 15_000
/** Who lets so much wait in the worker is sent no more, and resumes. */
const MOST_WAITING_BYTES = 4 * 1024 * 1024

/**
 * - `acknowledges`: a shard's, asked for with `acks=1` and without `deflate`. Its heartbeats keep
 *   the stream open, and one who reads slowly is waited for there.
 * - `listens`: an inbox's, which is silent while nothing moves, and waits for nobody.
 */
export type Manner = 'acknowledges' | 'listens'

/**
 * A subscription's frames as server-sent events. Each event's id is the position after it, so
 * that the browser's own `Last-Event-ID` resumes.
 */
export function streamEvents(subscription: WebSocket, manner: Manner): Response {
  const encoder = new TextEncoder()
  let open = true
  let position: Position | null = null
  let unacknowledgedBytes = 0
  let comments: ReturnType<typeof setInterval> | null = null
  const events = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const say = (text: string) => {
          if (open) controller.enqueue(encoder.encode(text))
        }
        const end = () => {
          if (open) controller.close()
          open = false
          if (comments) clearInterval(comments)
        }
        if (manner === 'listens') comments = setInterval(() => say(': all is well\n\n'), COMMENT_MS)
        say(`retry: ${RETRY_MS}\n\n`)
        subscription.addEventListener('message', ({ data }) => {
          const frame = String(data)
          position = framePosition(frame)
          unacknowledgedBytes += bytesOf(frame)
          const id = position ? `id: ${formatPosition(position)}\n` : ''
          say(`${id}data: ${frame}\n\n`)
          if (manner === 'acknowledges' || (controller.desiredSize ?? 0) > -MOST_WAITING_BYTES)
            return
          subscription.close(1000, 'the reader is too slow')
          end()
        })
        subscription.addEventListener('close', ({ code, reason }) => {
          say(`: closed with ${code} ${reason.replaceAll('\n', ' ')}\n\n`)
          end()
        })
        subscription.accept()
      },
      pull() {
        if (
          manner === 'listens' ||
          !open ||
          position === null ||
          unacknowledgedBytes < WINDOW_BYTES * ACK_WITHIN
        )
          return
        unacknowledgedBytes = 0
        subscription.send(formatAck(position))
      },
      cancel() {
        open = false
        if (comments) clearInterval(comments)
        subscription.close(1000, 'the reader left')
      },
    },
    BYTES,
  )
  return new Response(events, {
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    },
  })
}
