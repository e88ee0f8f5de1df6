import { Redis } from 'ioredis'
import pg from 'pg'

/** Row trigger → pg_notify(row) → this process → Redis. The sockets are redis-ws.ts's. */
const redis = new Redis(Number(process.env.REDIS_PORT))
const database = new pg.Client({ connectionString: process.env.DATABASE_URL })
await database.connect()
database.on('notification', ({ payload = '' }) => {
  void redis.publish('order_changes', payload)
})
await database.query('LISTEN order_changes')
console.log('ready')
