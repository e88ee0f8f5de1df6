import pg from 'pg'
import { Server } from 'socket.io'

/** Row trigger → pg_notify(row) → this process → io.emit. */
const io = new Server(Number(process.env.PORT), {
  perMessageDeflate: false,
  transports: ['websocket'],
})
const database = new pg.Client({ connectionString: process.env.DATABASE_URL })
await database.connect()
database.on('notification', ({ payload = '{}' }) => {
  io.emit('change', JSON.parse(payload))
})
await database.query('LISTEN order_changes')
console.log('ready')
