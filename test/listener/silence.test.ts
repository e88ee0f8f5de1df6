import { afterAll, beforeAll, describe, type TestContext, test } from 'vitest'
import { within } from '../support/deadline.ts'
import { FeedWorker } from '../support/feed-worker.ts'
import { expectWhole, ORDER, OWED, type Way, wayTo } from '../support/way.ts'

/**
 * A connection over which nothing comes any more is found, and a frozen leader ended, within 15 s;
 * and a machine that is busy with other tests may take a moment longer to say so.
 */
const FOUND_WITHIN_MS = 15_000 + 1_500
const NO_FEED = 'http://127.0.0.1:9'

// What these wait for is silence, so they take their time; they wait all together.
describe.concurrent('silence', { timeout: 45_000 }, () => {
  const feeds: FeedWorker[] = []
  const unused: FeedWorker[] = []
  beforeAll(async () => {
    feeds.push(...(await Promise.all([1, 2, 3, 4].map(() => FeedWorker.start()))))
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

  test('a half-open connection to Postgres is found, and what was written meanwhile arrives', async (context) => {
    const way = await begin(context)
    const { proxy, url } = await way.proxied(way.database.listenerUrl)
    const listener = await way.listen({ databaseUrl: url })
    await listener.reaches('belfry_asleep', 1)
    proxy.blackhole()
    await way.sql.query(ORDER)
    await listener.said(/beginning again in/, FOUND_WITHIN_MS)
    proxy.heal()
    await listener.said(/leading with term 2/)
    expectWhole(await way.feedHas(1))
  })

  test('a half-open link is found, and the batch in flight arrives over the next', async (context) => {
    const way = await begin(context)
    const { proxy, url } = await way.proxied(way.feed.url)
    const listener = await way.listen({ feedUrl: url })
    await listener.said(/linked/)
    // The feed has nothing to say of itself, so what it says is the answer to a ping.
    const pong = new Promise<void>((resolve) => {
      proxy.onData = (chunk, direction) => {
        if (direction === 'from target') resolve()
        return chunk
      }
    })
    await within(FOUND_WITHIN_MS, 'a pong', pong)
    proxy.blackhole()
    await way.sql.query(ORDER)
    await listener.said(/the batch was not answered \(no pong\)/, FOUND_WITHIN_MS)
    proxy.heal()
    expectWhole(await way.feedHas(1))
    context.expect(listener.lines.filter((line) => /leading/.test(line))).toHaveLength(1)
  })

  test('P13 a leader that freezes is ended when its lease is over', async (context) => {
    const way = await begin(context)
    const leader = await way.listen()
    await leader.said(/linked/)
    const standby = await way.listen()
    await standby.said(/standing by/)
    leader.signal('SIGSTOP')
    await way.sql.query(ORDER)
    const lookedAfterMs = 1_000
    await standby.said(/ended the session of \S+, whose lease/, FOUND_WITHIN_MS + lookedAfterMs)
    await standby.said(/leading with term 2/)
    leader.signal('SIGCONT')
    await leader.said(/standing by/)
    expectWhole(await way.feedHas(1))
  })

  test('P10 SIGTERM beside a feed that never answers gives up in time, and keeps the rows', async (context) => {
    const way = await begin(context)
    const { proxy, url } = await way.proxied(way.feed.url)
    const listener = await way.listen({ feedUrl: url })
    await listener.said(/linked/)
    proxy.blackhole()
    const looks = await listener.metric('belfry_looks_total')
    await way.sql.query(ORDER)
    await listener.reaches('belfry_looks_total', looks + 1)
    context.expect(await listener.stop()).toBe(0)
    context.expect((await way.sql.query(OWED)).rowCount).toBe(1)
  })

  test('SIGTERM beside a Postgres that never answers ends all the same', async (context) => {
    const way = await wayTo(feeds[0] as FeedWorker, context.onTestFinished)
    const { proxy, url } = await way.proxied(way.database.listenerUrl)
    const listener = await way.listen({ databaseUrl: url, feedUrl: NO_FEED })
    await listener.said(/no link to the feed/)
    proxy.blackhole()
    context.expect(await listener.stop()).toBe(0)
  })
})
