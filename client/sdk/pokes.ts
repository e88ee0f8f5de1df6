import { z } from 'zod'
import type { ConnectionState } from './connection-state.ts'
import type { Platform } from './platform.ts'
import { quietSocketOn } from './quiet-socket.ts'
import { workerAddress } from './subscribe-address.ts'

/*
 * Law. A poke says that something moved and carries no truth: whoever hears it asks. Pokes may
 * fold, repeat or vanish. So none needs to be resumed: the first one of every socket comes at
 * once, and stands for all that were missed.
 */

export type PokesOptions = {
  /** Base address of the worker. */
  url: string
  /** Of the socket, such as `api/emails/live`. */
  path: string
  /** Also once after every break. */
  onPoke(): void
  /** Called at each change of state, beginning with `connecting`. */
  onState?(state: ConnectionState): void
}

export type Pokes = {
  reconnect(): void
  /** For good: no callback is called after the last `onState`. */
  close(): void
}

const poke = z.object({ type: z.literal('moved') })

export function pokesOn(world: Platform, { url, path, onPoke, onState }: PokesOptions): Pokes {
  const address = workerAddress(url, path)
  address.protocol = address.protocol.replace('http', 'ws')
  const socket = quietSocketOn(world, {
    address: address.href,
    ...(onState && { onState }),
    hear(data) {
      if (!isPoke(data)) {
        socket.lose({ kind: 'malformed', detail: 'it is not a poke' })
        return
      }
      socket.greeted()
      if (socket.state.state === 'closed') return
      try {
        onPoke()
      } catch (error) {
        world.report(error)
      }
    },
  })
  return { reconnect: socket.reconnect, close: socket.close }
}

function isPoke(data: unknown): boolean {
  if (typeof data !== 'string') return false
  try {
    return poke.safeParse(JSON.parse(data)).success
  } catch {
    return false
  }
}
