import { Redis } from 'ioredis'
import { WebSocket, WebSocketServer } from 'ws'

/** Redis → this process → every socket of ws. */
const server = new WebSocketServer({
  host: '127.0.0.1',
  port: Number(process.env.PORT),
  perMessageDeflate: false,
})
const redis = new Redis(Number(process.env.REDIS_PORT))
redis.on('message', (_channel, payload) => {
  for (const client of server.clients)
    if (client.readyState === WebSocket.OPEN) client.send(payload)
})
await redis.subscribe('order_changes')
console.log('ready')
