import { current } from './current.ts'
import { ClientSocket } from './sockets.ts'
import { AbortController, AbortSignal } from './stand-ins/abort.ts'

/**
 * Puts the schedule's clock, dice and network where the product looks for them. For a process
 * that does nothing else: nothing here is ever put back.
 */
export function takeGlobals(): void {
  Date.now = () => current().world.now
  performance.now = () => current().world.now
  Math.random = () => current().world.random.next()
  const say = (...words: unknown[]) => current().world.note(words.join(' '))
  console.warn = say
  console.error = say
  Object.assign(globalThis, {
    setTimeout: (run: () => void, ms: number) => current().world.setTimer(run, ms, null),
    setInterval: (run: () => void, ms: number) => current().world.setTimer(run, ms, ms),
    clearTimeout: (id: number) => current().world.clearTimer(id),
    clearInterval: (id: number) => current().world.clearTimer(id),
    AbortController,
    AbortSignal,
    WebSocket: ClientSocket,
    WebSocketRequestResponsePair: class {},
  })
}
