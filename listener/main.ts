import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { directAddress } from './address.ts'
import { PoolerError } from './database.ts'
import { serveHealth } from './health.ts'
import { Listener } from './listener.ts'
import { Metrics } from './metrics.ts'

/** How long a batch in flight may take after SIGTERM. */
const GRACE_MS = 8_000

async function main(): Promise<number> {
  const { DATABASE_URL, FEED_URL, LINK_SECRET, PORT } = process.env
  const address = directAddress(DATABASE_URL)
  if (!address.ok) return refuse(address.sentence)
  if (!FEED_URL || !URL.canParse(FEED_URL))
    return refuse('Set FEED_URL to the address of the worker, such as https://belfry.example.com.')
  if (!LINK_SECRET) return refuse('Set LINK_SECRET to the same secret as the worker has.')
  if (address.note) console.log(address.note)

  const options = {
    databaseUrl: address.url,
    feedUrl: FEED_URL,
    secret: LINK_SECRET,
    name: `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`,
  }
  const metrics = new Metrics()
  const listener = new Listener(options, metrics, (line) => console.log(line))
  const port = Number(PORT ?? 8080)
  const health = await serveHealth(listener, metrics, port).catch((error) => error as Error)
  if (health instanceof Error)
    return refuse(
      `Cannot serve health on port ${port} (${health.message}). Set PORT to a free one.`,
    )

  const stop = new AbortController()
  const giveUp = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      stop.abort(new Error('stopping'))
      setTimeout(() => giveUp.abort(new Error('stopping')), GRACE_MS).unref()
    })
  try {
    await listener.run(stop.signal, giveUp.signal)
    console.log('stopped')
    return 0
  } catch (error) {
    if (error instanceof PoolerError) return refuse(error.message)
    throw error
  } finally {
    health.close()
    health.closeAllConnections()
  }
}

function refuse(sentence: string): number {
  console.error(sentence)
  return 1
}

// A connection that has gone silent cannot be closed and would keep the process. All is done here.
process.exit(await main())
