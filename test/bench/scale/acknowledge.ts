import { formatAck } from '../../../protocol/acknowledgement.ts'
import type { Position } from '../../../protocol/position.ts'
import { within } from '../../support/deadline.ts'
import { dialects, type Said } from '../load/dialects.ts'
import { WebSocketClient } from '../load/web-socket.ts'
import type { Subject } from './subject.ts'

/** What a shard takes to hear one acknowledgement, from subscribers that say nothing else. */
const SOCKETS = 20
const EACH = 100
const READY_MS = 20_000

export async function measureAck(subject: Subject): Promise<number> {
  const subscribers = await Promise.all(
    Array.from({ length: SOCKETS }, () => within(READY_MS, 'a hello', open(subject.port))),
  )
  try {
    const us = await subject.cpuUs(async () => {
      for (let time = 0; time < EACH; time++)
        for (const { client, at } of subscribers) client.send(formatAck(at))
      await Promise.all(
        subscribers.map(({ client, pong }) => {
          client.send('ping')
          return within(READY_MS, 'a pong', pong)
        }),
      )
    })
    return us / (SOCKETS * EACH)
  } finally {
    for (const { client } of subscribers) client.destroy()
  }
}

type Open = { client: WebSocketClient<void>; at: Position; pong: Promise<void> }

function open(port: number): Promise<Open> {
  const pong = Promise.withResolvers<void>()
  return new Promise((resolve) => {
    const client: WebSocketClient<void> = new WebSocketClient<void>(
      { port, path: '/api/changes/ws?acks=1' },
      {
        opened: () => {},
        known: () => undefined,
        read: (text) => {
          if (text.toString() === 'pong') return pong.resolve()
          const said: Said = dialects['belfry, as text'].understand(text.toString())
          if (said.kind === 'ready' && said.position)
            resolve({ client, at: said.position, pong: pong.promise })
        },
        heard: () => {},
        closed: () => pong.resolve(),
      },
    )
  })
}
