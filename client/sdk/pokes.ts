import { z } from 'zod'
import type { Topic } from '../../protocol/ticket.ts'
import { doorOf } from './admission.ts'
import type { ConnectionState } from './connection-state.ts'
import type { Platform } from './platform.ts'
import { quietSocketOn } from './quiet-socket.ts'
import { refreshedFrom } from './session.ts'
import { workerAddress } from './subscribe-address.ts'
import type { Token } from './token.ts'

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
  /** Who asks, as for `connect`: each socket is opened with a ticket of the topic. */
  door?: { token: Token; topic: Topic }
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

const poke = z.object({ type: z.literal('moved'), expires_in_ms: z.number().optional() })

export function pokesOn(
  world: Platform,
  { url, path, door, onPoke, onState }: PokesOptions,
  fetchIt?: typeof fetch,
): Pokes {
  const address = workerAddress(url, path)
  address.protocol = address.protocol.replace('http', 'ws')
  const socket = quietSocketOn(world, {
    address: () => new URL(address),
    door: door ? doorOf(url, door.token, door.topic, fetchIt) : null,
    ...(onState && { onState }),
    hear(data) {
      const frame = jsonFrom(data)
      const refreshed = refreshedFrom(frame)
      if (refreshed) return socket.sessionTold(refreshed.expires_in_ms)
      const heard = poke.safeParse(frame)
      if (!heard.success) {
        socket.lose({ kind: 'malformed', detail: 'it is not a poke' })
        return
      }
      socket.greeted()
      const { expires_in_ms: expiresInMs } = heard.data
      if (expiresInMs !== undefined) socket.sessionTold(expiresInMs)
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

function jsonFrom(data: unknown): unknown {
  try {
    return typeof data === 'string' ? JSON.parse(data) : null
  } catch {
    return null
  }
}
