import { describe, expect, test } from 'vitest'
import { serveSockets } from '../sdk/small-socket-server.ts'
import { once } from '../support/database.ts'
import { FeedWorker } from '../support/feed-worker.ts'
import { expectWhole, ORDER, OWED, sharedFeed, type Way, wayTo } from '../support/way.ts'

describe('the link', () => {
  const { begin } = sharedFeed()

  async function listenThroughProxy({ feed, listen, proxied }: Way) {
    const { proxy, url } = await proxied(feed.url)
    const listener = await listen({ feedUrl: url })
    await listener.said(/linked to the feed/)
    return { proxy, listener }
  }

  test('P23 a link that is cut comes back, and nothing is lost or doubled', async () => {
    const way = await begin()
    const { proxy, listener } = await listenThroughProxy(way)
    for (let n = 1; n <= 3; n++) {
      proxy.cut()
      await way.sql.query(ORDER)
      await way.feedHas(n)
    }
    expectWhole(await way.feedHas(3))
    // The same leader all the while: the link is not the leadership.
    expect(listener.lines.filter((line) => /leading/.test(line))).toHaveLength(1)
  })

  test('P20 P23 a batch whose acknowledgement is lost is sent again and stored once', async () => {
    const way = await begin()
    // One batch is in flight at a time, and it must be this one: a beat's would be before it.
    await once(way.database.adminUrl, 'ALTER TABLE belfry.canary DISABLE TRIGGER "!belfry_capture"')
    const { proxy, listener } = await listenThroughProxy(way)
    proxy.swallow('from target')
    await way.sql.query(`INSERT INTO orders (customer_name, product_name, amount)
                         SELECT 'Ada', 'Bell', n FROM generate_series(1, 10) AS n`)
    await way.feedHas(10)
    await way.outboxHas(10)
    proxy.heal()
    await listener.said(/the batch was not answered .*sending it again/)
    await way.outboxHas(0)
    expectWhole(await way.feedHas(10))
    expect(await listener.metric('belfry_duplicates_total')).toBe(10)
  })

  test('P23 SIGTERM lets the batch in flight be acknowledged, and exits 0', async () => {
    const way = await begin()
    const { proxy, listener } = await listenThroughProxy(way)
    proxy.delay(1_000)
    await way.sql.query(ORDER)
    await expect.poll(() => way.feed.head(), { timeout: 5_000, interval: 10 }).toBe(1)
    // The feed has it; its acknowledgement is on the way.
    expect((await way.sql.query(OWED)).rowCount).toBe(1)
    expect(await listener.stop()).toBe(0)
    expect((await way.sql.query(OWED)).rowCount).toBe(0)
    expect(listener.lines.at(-1)).toBe('stopped')
    expect(await listener.metric('belfry_leader').catch(() => 'no more')).toBe('no more')
  })

  test('P95 while the secret is rotated, a listener with the one before delivers', async () => {
    const way = await begin()
    const listener = await way.listen({ secret: FeedWorker.previousSecret })
    await listener.said(/linked/)
    await way.sql.query(ORDER)
    await way.feedHas(1)
  })

  test('a wrong secret is said, with what to set', async () => {
    const way = await begin()
    const listener = await way.listen({ secret: 'not the secret' })
    await listener.said(
      /no link to the feed \(the signature is wrong\. Set the same LINK_SECRET here and at the worker.*trying again in \d+ ms/,
    )
    await way.sql.query(ORDER)
    expect(await listener.health()).toMatchObject({
      status: 503,
      body: { role: 'leader', linked: false },
    })
    expect(await way.feed.head()).toBe(0)
  })

  test('P22 another database’s listener is refused, with what to do about it', async () => {
    const way = await begin()
    const first = await way.listen()
    await first.said(/linked/)
    await way.sql.query(ORDER)
    await way.feedHas(1)
    const other = await wayTo(way.feed)
    await other.sql.query(ORDER)
    const listener = await other.listen()
    await listener.said(
      /no link to the feed \(this feed holds the log of [0-9a-f-]{36}\. .*feed reset.*nothing is sent.*trying again in 10000 ms/,
    )
    expect(await listener.health()).toMatchObject({ status: 503 })
    expect(await way.feedHas(1)).toHaveLength(1)
    // The refusal harms no other: the feed's own listener goes on.
    await way.sql.query(ORDER)
    expectWhole(await way.feedHas(2))
  })

  test('P22 after a reset of the feed the other database’s listener is taken, from the start', async () => {
    const way = await begin()
    const first = await way.listen()
    await first.said(/linked/)
    await way.sql.query(ORDER)
    await way.feedHas(1)
    await first.stop()
    await way.feed.beginLife()
    const other = await wayTo(way.feed)
    const listener = await other.listen()
    await listener.said(/linked to the feed: epoch \w+, head 0/)
    await other.sql.query(ORDER)
    expectWhole(await other.feedHas(1))
  })

  test('a feed that is not there is said, and waited for', async () => {
    const way = await begin()
    const listener = await way.listen({ feedUrl: 'http://127.0.0.1:9' })
    await listener.said(
      /no link to the feed \(cannot reach ws:\/\/127\.0\.0\.1:9\); trying again in/,
    )
    expect((await listener.health()).status).toBe(503)
    expect(await listener.stop()).toBe(0)
  })

  test.each(['hello', '{"type":"welcome"}', '{"type":"ack","seq":1,"head":1,"duplicates":0}'])(
    'P60 a feed that says %j instead of a welcome is left, and tried again',
    async (greeting) => {
      const way = await begin()
      await using server = await serveSockets(({ say }) => say(greeting))
      const listener = await way.listen({ feedUrl: server.url })
      await listener.said(
        /no link to the feed \((the feed said something unreadable|expected a welcome, heard ack)\); trying again/,
      )
      await listener.said(/no link to the feed/, 20_000, listener.lines.length)
      expect(await listener.stop()).toBe(0)
    },
  )

  test('the secret is in no line that the listener says', async () => {
    const way = await begin()
    const listener = await way.listen()
    await listener.said(/linked/)
    await listener.stop()
    expect(listener.lines.join('\n')).not.toContain(FeedWorker.secret)
  })
})
