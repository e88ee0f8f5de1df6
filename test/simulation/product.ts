import { registerHooks } from 'node:module'
import type { ObjectContext, ServerLike } from './objects.ts'
import type { RealLog } from './stand-ins/log.ts'

/**
 * The product's own modules, loaded so that what they import from the world outside (Postgres,
 * partyserver, timers, SQL) is a stand-in. Everything that decides is the real thing: the
 * listener, its leader, bell and link; the feed with its links, life and fan-out; the shard with
 * its audience; the SDK.
 */
const root = new URL('../../', import.meta.url).href

const standIns: { [imported: string]: string } = {
  'partyserver from worker/feed/feed.ts': 'partyserver.ts',
  'partyserver from worker/shard/shard.ts': 'partyserver.ts',
  './log.ts from worker/feed/feed.ts': 'log.ts',
  './records.ts from worker/feed/feed.ts': 'records.ts',
  './consumers.ts from worker/feed/feed.ts': 'consumers.ts',
  './durable-consumers.ts from worker/feed/feed.ts': 'durable-consumers.ts',
  './inbox-readers.ts from worker/feed/feed.ts': 'inbox-readers.ts',
  './inbox-sweep.ts from worker/feed/feed.ts': 'inbox-sweep.ts',
  './outbox.ts from worker/feed/feed.ts': 'outbox.ts',
  './canary.ts from worker/feed/intake.ts': 'canary.ts',
  './life.ts from worker/feed/links.ts': 'life.ts',
  './life.ts from worker/feed/drainer.ts': 'life.ts',
  './audience.ts from worker/shard/shard.ts': 'audience.ts',
  './limits.ts from worker/shard/shard.ts': 'limits.ts',
  './limits.ts from worker/shard/subscriber.ts': 'limits.ts',
  './limits.ts from worker/shard/subscribers.ts': 'limits.ts',
  './limits.ts from worker/shard/window.ts': 'limits.ts',
  './window.ts from worker/shard/shard.ts': 'window.ts',
  './database.ts from listener/listener.ts': 'database.ts',
  'node:timers/promises from listener/listener.ts': 'timers.ts',
  'node:timers/promises from listener/link.ts': 'timers.ts',
  'node:timers/promises from listener/canary.ts': 'timers.ts',
  '../protocol/signature.ts from listener/link.ts': 'signature.ts',
}

registerHooks({
  resolve(specifier, context, next) {
    const importer = context.parentURL?.startsWith(root) ? context.parentURL.slice(root.length) : ''
    const standIn = standIns[`${specifier} from ${importer}`]
    return standIn
      ? { url: new URL(`./stand-ins/${standIn}`, import.meta.url).href, shortCircuit: true }
      : next(specifier, context)
  },
})

/** By address and not by name: they are typed for Workers, and come after the hook. */
async function load<T>(path: string): Promise<T> {
  return (await import(root + path)) as T
}

/** As much of the listener as is asked of it here. */
export type Listener = {
  readonly role: { role: string; term?: number; bell?(): string }
  run(stop: AbortSignal, giveUp: AbortSignal): Promise<void>
}

export const { Listener } = await load<{
  Listener: new (
    options: { databaseUrl: string; feedUrl: string; secret: string; name: string },
    metrics: object,
    log: (line: string) => void,
  ) => Listener
}>('listener/listener.ts')

export type FeedObject = ServerLike & {
  read(epoch: string | null, after: number): Promise<unknown>
  beginLife(): Promise<{ epoch: string }>
}
export const { Feed } = await load<{
  Feed: new (context: ObjectContext, env: object) => FeedObject
}>('worker/feed/feed.ts')

export const { Shard } = await load<{
  Shard: new (context: ObjectContext, env: object) => ServerLike
}>('worker/shard/shard.ts')

/** The real log, for the schedules that have a SQLite. */
export const { Log } = await load<{ Log: new (storage: object) => RealLog }>('worker/feed/log.ts')
