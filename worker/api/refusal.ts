import { type CloseName, closeCodes, closeReason } from '../../protocol/close-codes.ts'

/** Refuses a WebSocket so that a browser can see why: it cannot see the status of an upgrade. */
export function acceptAndClose(name: CloseName, reason: string): Response {
  const { 0: theirs, 1: ours } = new WebSocketPair()
  ours.accept()
  ours.close(closeCodes[name].code, closeReason(reason))
  return new Response(null, { status: 101, webSocket: theirs })
}

export function isUpgrade(request: Request): boolean {
  return request.headers.get('upgrade')?.toLowerCase() === 'websocket'
}
