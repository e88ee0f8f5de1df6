import { afterAll, beforeAll, describe, expect, type TestContext, test, vi } from 'vitest'
import { serveSockets } from '../sdk/small-socket-server.ts'
import { once } from '../support/database.ts'
import { FeedWorker } from '../support/feed-worker.ts'
import { ORDER, type Way, wayTo } from '../support/way.ts'

/** P71, and a machine that is busy with other tests may take a moment longer to say so. */
const SAID_WITHIN_MS = 20_000 + 2_000
/** Far from the 5 s in which a sweep would have found it. */
const RUNG_WITHIN_S = 2

type Status = {
  head: number
  delivering: boolean
  why: string | null
  canary: { beat: number; to_feed_ms: number } | null
}

// What these wait for takes its time; they wait all together.
describe.concurrent('the canary', { timeout: 60_000 }, () => {
  const feeds: FeedWorker[] = []
  const unused: FeedWorker[] = []
  beforeAll(async () => {
    feeds.push(...(await Promise.all([1, 2, 3].map(() => FeedWorker.start()))))
    unused.push(...feeds)
  })
  afterAll(async () => {
    await Promise.all(feeds.map((feed) => feed.stop()))
  })

  async function begin({ onTestFinished }: TestContext): Promise<Way> {
    const feed = unused.pop()
    if (!feed) throw new Error('each of these tests needs a feed of its own: start one more')
    return wayTo(feed, onTestFinished)
  }

  async function status({ feed }: Way): Promise<Status> {
    return (await (await fetch(`${feed.url}/api/status`)).json()) as Status
  }

  function until(way: Way, wanted: object, ms: number): Promise<void> {
    const look = async () => expect(await status(way)).toMatchObject(wanted)
    return vi.waitFor(look, { timeout: ms, interval: 100 })
  }

  const beatsOwed = async ({ database }: Way) =>
    (
      await once<{ n: number }>(
        database.url,
        `SELECT count(*)::int AS n FROM belfry.outbox WHERE "table" = 'belfry.canary'`,
      )
    )[0]?.n

  test('P70 P71 goes the whole way once the link is open, and again, woken by a ring', async (context) => {
    const way = await begin(context)
    await way.sql.query(ORDER)
    context.expect(await status(way)).toMatchObject({ delivering: false, canary: null })
    const listener = await way.listen()
    await until(way, { delivering: true, canary: { beat: 1 }, head: 1 }, 15_000)
    await listener.reaches('belfry_asleep', 1)
    const { canary } = await status(way)
    const before = canary?.beat ?? 0
    // Without a ring it would be the sweep that finds them, and each would take 5 s.
    await until(way, { delivering: true, why: null, canary: { beat: before + 3 } }, 25_000)
    const latency = await listener.metric('belfry_canary_latency_seconds')
    context.expect(latency).toBeGreaterThan(0)
    context.expect(latency).toBeLessThan(RUNG_WITHIN_S)
    context.expect(await listener.metric('belfry_canary_age_seconds')).toBeLessThan(15)
    // A listener's own counts are of people's changes and of writers who rang.
    context.expect(await listener.metric('belfry_changes_total')).toBe(1)
    context.expect(await listener.metric('belfry_batches_total')).toBe(1)
    context.expect(await listener.metric('belfry_rings_total')).toBe(0)
    context.expect(await listener.metric('belfry_sweep_found_total')).toBe(0)
    context.expect(await way.feedHas(1)).toHaveLength(1)
    context.expect((await way.feed.changes()).map(({ table }) => table)).toEqual(['orders'])
    await vi.waitFor(async () => context.expect(await beatsOwed(way)).toBe(0), 5_000)
  })

  test('P71 a listener that is frozen is told within 20 s, and so is its return', async (context) => {
    const way = await begin(context)
    const listener = await way.listen()
    await until(way, { delivering: true }, 15_000)
    listener.signal('SIGSTOP')
    await until(way, { delivering: false }, SAID_WITHIN_MS)
    listener.signal('SIGCONT')
    await until(way, { delivering: true, why: null }, 20_000)
  })

  test('P71 a trigger that was taken away is told within 20 s, by name of what to do', async (context) => {
    const way = await begin(context)
    await way.listen()
    await until(way, { delivering: true }, 15_000)
    await once(way.database.adminUrl, 'ALTER TABLE belfry.canary DISABLE TRIGGER "!belfry_capture"')
    const why = context.expect.stringMatching(/no canary has come for .*belfry doctor/)
    await until(way, { delivering: false, why }, SAID_WITHIN_MS)
    // The beat that was not captured is not waited for.
    await once(way.database.adminUrl, 'ALTER TABLE belfry.canary ENABLE TRIGGER "!belfry_capture"')
    await until(way, { delivering: true, why: null }, 15_000)
  })

  test('P70 while nothing is acknowledged one beat waits, not a pile of them', async (context) => {
    const way = await wayTo(feeds[0] as FeedWorker, context.onTestFinished)
    const welcome = JSON.stringify({ type: 'welcome', epoch: 'k3v', head: 0, canary: true })
    await using silent = await serveSockets(({ say }) => say(welcome))
    const listener = await way.listen({ feedUrl: silent.url })
    // As long as three beats would take.
    await listener.said(/the batch was not answered \(no answer within 15 s\)/, 25_000)
    context.expect(await beatsOwed(way)).toBe(1)
    context.expect(await listener.metric('belfry_canary_age_seconds')).toBeGreaterThan(14)
  })

  test('P70 a feed that does not know it is sent none', async (context) => {
    const way = await wayTo(feeds[0] as FeedWorker, context.onTestFinished)
    const welcome = JSON.stringify({ type: 'welcome', epoch: 'k3v', head: 0 })
    await using old = await serveSockets(({ say }) => say(welcome))
    const listener = await way.listen({ feedUrl: old.url })
    await listener.said(/linked to the feed/)
    // Half a second later, when a first beat would long have been written.
    await listener.reaches('belfry_asleep', 1)
    context.expect((await way.sql.query('SELECT FROM belfry.canary')).rowCount).toBe(0)
  })
})
