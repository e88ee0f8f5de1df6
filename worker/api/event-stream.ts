import { ACK_WITHIN, formatAck } from '../../protocol/acknowledgement.ts'
import { formatPosition, type Position } from '../../protocol/position.ts'
import { bytesOf, framePosition } from '../shard/frame.ts'
import { WINDOW_BYTES } from '../shard/limits.ts'

const RETRY_MS = 2_000

/** `pull` is to be called once nothing waits in the stream, and not before. */
const BYTES = new ByteLengthQueuingStrategy({ highWaterMark: 1 })

/**
 * A subscription's frames as server-sent events. Each event's id is the position after it, so
 * that the browser's own `Last-Event-ID` resumes. The shard's heartbeats keep it open. What the
 * reader has taken is acknowledged to the shard, so that one who reads slowly is waited for there.
 * @param subscription a socket that was asked for with `acks=1` and without `deflate`
 */
export function streamEvents(subscription: WebSocket): Response {
  const encoder = new TextEncoder()
  let open = true
  let position: Position | null = null
  let unacknowledgedBytes = 0
  const events = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const say = (text: string) => {
          if (open) controller.enqueue(encoder.encode(text))
        }
        say(`retry: ${RETRY_MS}\n\n`)
        subscription.addEventListener('message', ({ data }) => {
          const frame = String(data)
          position = framePosition(frame)
          unacknowledgedBytes += bytesOf(frame)
          const id = position ? `id: ${formatPosition(position)}\n` : ''
          say(`${id}data: ${frame}\n\n`)
        })
        subscription.addEventListener('close', ({ code, reason }) => {
          say(`: closed with ${code} ${reason.replaceAll('\n', ' ')}\n\n`)
          if (open) controller.close()
          open = false
        })
        subscription.accept()
      },
      pull() {
        if (!open || position === null || unacknowledgedBytes < WINDOW_BYTES * ACK_WITHIN) return
        unacknowledgedBytes = 0
        subscription.send(formatAck(position))
      },
      cancel() {
        open = false
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
