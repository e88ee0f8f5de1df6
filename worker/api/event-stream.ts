import { formatPosition } from '../../protocol/position.ts'
import { framePosition } from '../shard/frame.ts'

const RETRY_MS = 2_000

/**
 * A subscription's frames as server-sent events. Each event's id is the position after it, so
 * that the browser's own `Last-Event-ID` resumes. The shard's heartbeats keep it open.
 */
export function streamEvents(subscription: WebSocket): Response {
  const encoder = new TextEncoder()
  let open = true
  const events = new ReadableStream<Uint8Array>({
    start(controller) {
      const say = (text: string) => {
        if (open) controller.enqueue(encoder.encode(text))
      }
      say(`retry: ${RETRY_MS}\n\n`)
      subscription.addEventListener('message', ({ data }) => {
        const frame = String(data)
        const position = framePosition(frame)
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
    cancel() {
      open = false
      subscription.close(1000, 'the reader left')
    },
  })
  return new Response(events, {
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    },
  })
}
