import { afterAll, beforeAll, describe, expect, type TestContext, test, vi } from 'vitest'
import { serveNeonEndpoint } from '../../dev/neon-endpoint.ts'
import { freePort } from '../../dev/ports.ts'
import { createDatabase, newestServer } from '../support/database.ts'
import { FeedWorker } from '../support/feed-worker.ts'
import { expectWhole, ORDER, type Way, wayBetween } from '../support/way.ts'

/** 15 s of silence and a sweep, with a moment for a machine that is busy. */
const DRAINED_WITHIN_MS = 15_000 + 5_000 + 5_000

// What these wait for is silence, so they take their time; they wait all together.
describe.concurrent('without a listener', { timeout: 60_000 }, () => {
  const ends: (() => Promise<unknown>)[] = []
  const unused: ((atEnd: TestContext['onTestFinished']) => Promise<Way>)[] = []
  beforeAll(async () => {
    for (let n = 0; n < 3; n++) {
      const database = await createDatabase(newestServer)
      const neon = await serveNeonEndpoint(database.workerUrl, await freePort())
      const feed = await FeedWorker.start({
        DATABASE_URL: database.workerUrl,
        NEON_ENDPOINT: neon.url,
      })
      ends.push(() => feed.stop().then(() => neon.close()))
      unused.push((atEnd) => wayBetween(database, feed, atEnd))
    }
  })
  afterAll(() => Promise.all(ends.map((end) => end())))

  async function begin({ onTestFinished }: TestContext): Promise<Way> {
    const way = unused.pop()
    if (!way) throw new Error('each of these tests needs a database and a feed: start one more')
    return way(onTestFinished)
  }

  const says = (way: Way, by: string, ms = DRAINED_WITHIN_MS) =>
    vi.waitFor(async () => expect(await way.feed.drain()).toMatchObject({ by }), {
      timeout: ms,
      interval: 100,
    })

  test('P24 after kill -9 changes arrive all the same, and the next listener takes over', async (context) => {
    const way = await begin(context)
    const listener = await way.listen()
    await listener.said(/linked/)
    await way.sql.query(ORDER)
    await way.feedHas(1)
    await listener.kill()
    for (let n = 0; n < 1_500; n++) await way.sql.query(ORDER)
    await way.sql.query('UPDATE orders SET amount = amount + 1')
    await says(way, 'feed')
    expectWhole(await way.feedHas(1 + 1_500 + 1_501))
    await way.outboxHas(0)

    const next = await way.listen()
    await next.said(/leading with term 2/)
    await says(way, 'listener', 5_000)
    await way.sql.query('DELETE FROM orders')
    expectWhole(await way.feedHas(1 + 1_500 + 1_501 + 1_501))
  })

  test('P24 P21 a listener that froze leads with a higher term when it thaws, and doubles nothing', async (context) => {
    const way = await begin(context)
    const { proxy, url } = await way.proxied(way.feed.url)
    const listener = await way.listen({ feedUrl: url })
    await listener.reaches('belfry_asleep', 1)
    const { rows } = await way.sql.query('SELECT feed FROM belfry.terms')
    expect(rows).toEqual([{ feed: expect.stringMatching(/^\w{12}$/) }])
    // It has read the change, and says it into a cable that has been pulled out.
    proxy.blackhole()
    const looks = await listener.metric('belfry_looks_total')
    await way.sql.query(ORDER)
    await listener.reaches('belfry_looks_total', looks + 1)
    listener.signal('SIGSTOP')
    await says(way, 'feed')
    expectWhole(await way.feedHas(1))
    await way.outboxHas(0)

    proxy.heal()
    listener.signal('SIGCONT')
    await listener.said(/the feed has seen term 2/)
    await listener.said(/leading with term 3/)
    await says(way, 'listener', 5_000)
    await way.sql.query(ORDER)
    expectWhole(await way.feedHas(2))
  })

  test('P24 a worker that never had a listener delivers', async (context) => {
    const way = await begin(context)
    await way.sql.query(ORDER)
    await says(way, 'feed')
    expectWhole(await way.feedHas(1))
    const { rows } = await way.sql.query('SELECT term, feed IS NOT NULL AS known FROM belfry.terms')
    expect(rows).toEqual([{ term: '0', known: true }])
  })
})
