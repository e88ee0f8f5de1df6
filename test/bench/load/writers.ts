import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { answerCalls } from './calls.ts'
import { nowUs, stamp } from './clock.ts'

/** The writers: one process, as many connections as asked for, single-row transactions. */
const INSERT = {
  name: 'insert order',
  text: 'INSERT INTO orders (customer_name, product_name, amount) VALUES ($1, $2, $3)',
}

let connections: pg.Client[] = []
let written = 0

const methods = {
  async connect({ url, count }: { url: string; count: number }): Promise<void> {
    await Promise.all(connections.map((connection) => connection.end()))
    connections = Array.from({ length: count }, () => new pg.Client({ connectionString: url }))
    await Promise.all(connections.map((connection) => connection.connect()))
    // Each connection prepares its statement and fills its caches before anything is measured.
    written = 0
    await Promise.all(connections.map((connection) => insert(connection)))
  },

  /** All connections, each as fast as it can. */
  async flood({ seconds }: { seconds: number }): Promise<Written> {
    const began = nowUs()
    const until = began + seconds * 1e6
    let commits = 0
    await Promise.all(
      connections.map(async (connection) => {
        while (nowUs() < until) {
          await insert(connection)
          commits++
        }
      }),
    )
    return { commits, seconds: (nowUs() - began) / 1e6 }
  },

  /**
   * At a fixed rate, however long a commit takes, while there are connections. A change counts
   * from the moment at which it was due, so that a stall is not left out of the numbers.
   */
  async pace({ perSecond, seconds }: { perSecond: number; seconds: number }): Promise<Written> {
    const began = nowUs()
    const free = [...connections]
    const count = Math.round(perSecond * seconds)
    const underway: Promise<void>[] = []
    for (let index = 0; index < count; index++) {
      const due = began + (index * 1e6) / perSecond
      while (nowUs() < due || free.length === 0)
        await delay(Math.max(0, Math.ceil((due - nowUs()) / 1000)))
      const connection = free.pop() as pg.Client
      const late = nowUs() - due > 5_000
      underway.push(insert(connection, late ? due : nowUs()).then(() => void free.push(connection)))
    }
    await Promise.all(underway)
    return { commits: count, seconds: (nowUs() - began) / 1e6 }
  },

  /** One statement on the first connection. */
  async run({ sql }: { sql: string }): Promise<{ beganUs: number; seconds: number }> {
    const beganUs = nowUs()
    await connections[0]?.query(sql)
    return { beganUs, seconds: (nowUs() - beganUs) / 1e6 }
  },
}

export type WriterMethods = typeof methods
export type Written = { commits: number; seconds: number }

async function insert(connection: pg.Client, at = nowUs()): Promise<void> {
  const values = [`customer ${++written}`, stamp(at), (written % 1000) / 10]
  await connection.query({ ...INSERT, values })
}

answerCalls(methods)
