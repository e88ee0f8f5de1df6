import type { Platform, Socket } from './platform.ts'

const LOOK_MS = 1_000
/** So long the event, which has the code, is waited for. */
const GRACE_MS = 2_000
const CLOSING = 2

/**
 * Says when the other end has closed a socket and its `close` event does not come: a runtime tells
 * that only when the connection below has ended, and workerd leaves it open until the object that
 * closed it rests, 10 to 20 s later (measured).
 * @param closed called once, if at all
 * @returns ends it
 */
export function watchClosing(
  { now, timer }: Pick<Platform, 'now' | 'timer'>,
  socket: Socket,
  closed: () => void,
): () => void {
  let seenAt: number | null = null
  let cancel = timer(LOOK_MS, look)
  return () => cancel()

  function look() {
    if (socket.readyState === CLOSING) seenAt ??= now()
    if (seenAt !== null && now() - seenAt >= GRACE_MS) closed()
    else cancel = timer(LOOK_MS, look)
  }
}
