import pg from 'pg'
import { WebSocket, WebSocketServer } from 'ws'

/** Row trigger → pg_notify(row) → this process → every socket of ws. */
const server = new WebSocketServer({
  host: '127.0.0.1',
  port: Number(process.env.PORT),
  perMessageDeflate: false,
})
const database = new pg.Client({ connectionString: process.env.DATABASE_URL })
await database.connect()
database.on('notification', ({ payload = '' }) => {
  for (const client of server.clients)
    if (client.readyState === WebSocket.OPEN) client.send(payload)
})
await database.query('LISTEN order_changes')
console.log('ready')
