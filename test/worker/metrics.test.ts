import { evictDurableObject } from 'cloudflare:test'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type DeliveryState, deliveryStates } from '../../protocol/delivery-states.ts'
import { signLink } from '../../protocol/signature.ts'
import type { DeliveryCounts } from '../../worker/courier/delivery.ts'
import { Mailer } from '../../worker/mail/mailer.ts'
import { beatOf } from './beats.ts'
import {
  bindings,
  connectLink,
  openLink,
  operator,
  orderChange,
  orderChanges,
  SOURCE,
  startAfresh,
  TestLink,
} from './link.ts'
import { owed } from './mail-post.ts'
import { DEADLINE_MS, openSocket, subscribe, within, worker } from './subscriber.ts'

afterEach(async () => {
  vi.restoreAllMocks()
  await startAfresh()
})

const feed = () => bindings.FEED.getByName('main')

/** Name with labels → value. */
async function scrape(): Promise<Map<string, number>> {
  const response = await worker.fetch('http://belfry.test/metrics', { headers: operator })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const lines = (await response.text()).split('\n').filter((line) => /^[^#]/.test(line))
  return new Map(
    lines.map((line) => {
      const match = /^(\S+) (\S+)$/.exec(line)
      if (!match) throw new Error(`not a sample: ${line}`)
      return [match[1] as string, Number(match[2])]
    }),
  )
}

/** How often a door refused with a code, as soon as it was. */
async function refused(door: string, code: string, times: number): Promise<void> {
  const name = `belfry_refusals_total{door="${door}",code="${code}"}`
  await expect.poll(async () => (await scrape()).get(name), { timeout: DEADLINE_MS }).toBe(times)
}

describe('/metrics', () => {
  it('says what the status says', async () => {
    const link = await openLink()
    const subscriber = await subscribe()
    await subscriber.frame('hello')
    link.say({ type: 'pulse', state: 'asleep', lagMs: 1_500 })
    await link.deliver([...orderChanges(3), beatOf(1)])
    await expect
      .poll(async () => (await scrape()).get('belfry_sockets{shard="enam-0"}'), {
        timeout: DEADLINE_MS,
      })
      .toBe(1)
    await expect
      .poll(async () => Object.fromEntries(await scrape()), { timeout: DEADLINE_MS })
      .toMatchObject({
        belfry_head: 3,
        belfry_tail: 0,
        belfry_listener_present: 1,
        'belfry_drained_by{by="listener"}': 1,
        'belfry_drained_by{by="nobody"}': 0,
        belfry_lag_seconds: 1.5,
        belfry_delivering: 1,
        belfry_canary_age_seconds: expect.any(Number),
        'belfry_canary_latency_seconds{to="feed"}': expect.any(Number),
        'belfry_canary_latency_seconds{to="shards"}': expect.any(Number),
        'belfry_shard_late{shard="enam-0"}': 0,
        'belfry_consumer_behind{consumer="mail"}': 0,
        'belfry_consumer_parked{consumer="mail"}': 0,
        'belfry_mails{state="queued"}': 0,
        'belfry_mails{state="sent"}': 0,
        'belfry_mails{state="parked"}': 0,
        'belfry_mails{state="unknown"}': 0,
      })
  })

  it('has the mails by their states, and the status what these come to', async () => {
    const counts = Object.fromEntries(deliveryStates.map((state, place) => [state, 2 ** place]))
    vi.spyOn(Mailer.prototype, 'counts').mockImplementation(async () => counts as DeliveryCounts)
    const scraped = await scrape()
    for (const state of deliveryStates)
      expect(scraped.get(`belfry_mails{state="${state}"}`)).toBe(counts[state])
    const { mail } = await (await worker.fetch('http://belfry.test/api/status')).json<{
      mail: object
    }>()
    const sum = (...states: DeliveryState[]) =>
      states.reduce((sum, state) => sum + (counts[state] ?? 0), 0)
    expect(mail).toEqual({
      queued: sum('queued', 'sending', 'failed'),
      sent: sum('sent', 'delivered', 'bounced', 'complained'),
      parked: sum('parked', 'unknown'),
      unknown: sum('unknown'),
      waiting_since: null,
    })
    expect(scraped.get('belfry_mail_waiting_seconds')).toBe(0)
  })

  it('has since when the oldest mail waits, which the status says too', async () => {
    const mailer = bindings.MAILER.getByName('main')
    vi.spyOn(Date, 'now').mockReturnValue(Date.parse('2026-11-21T08:00:00Z'))
    await mailer.enqueue([owed(1)])
    vi.mocked(Date.now).mockReturnValue(Date.parse('2026-11-21T08:02:00Z'))
    await mailer.enqueue([owed(2)])
    vi.mocked(Date.now).mockReturnValue(Date.parse('2026-11-21T08:05:00Z'))
    expect((await scrape()).get('belfry_mail_waiting_seconds')).toBe(300)
    const status = await worker.fetch('http://belfry.test/api/status')
    expect(await status.json()).toMatchObject({
      mail: { queued: 2, waiting_since: '2026-11-21T08:00:00.000Z' },
    })
  })

  it('says nothing of what nobody knows', async () => {
    const names = [...(await scrape()).keys()]
    expect(names).toContain('belfry_delivering')
    expect(names.filter((name) => /canary|lag/.test(name))).toEqual([])
  })

  it('P94 is told to whoever has a scope', async () => {
    const ask = (headers = {}) => worker.fetch('http://belfry.test/metrics', { headers })
    for (const authorization of ['Bearer', 'Bearer wrong', `Basic ${bindings.ADMIN_TOKEN}`]) {
      const response = await ask({ authorization })
      expect(response.status, authorization).toBe(401)
      expect(response.headers.get('www-authenticate')).toBe('Bearer')
      expect(await response.json()).toMatchObject({ code: 'unauthorized' })
    }
    const { ANONYMOUS_SCOPES } = bindings
    try {
      expect((await ask()).status).toBe(200)
      Object.assign(bindings, { ANONYMOUS_SCOPES: '' })
      expect((await ask()).status, 'without a scope').toBe(401)
    } finally {
      Object.assign(bindings, { ANONYMOUS_SCOPES })
    }
  })
})

describe('refusals are counted', () => {
  it('P60 at the HTTP doors, by the code of the problem', async () => {
    await worker.fetch('http://belfry.test/api/nothing')
    await worker.fetch('http://belfry.test/api/changes?after=x')
    await worker.fetch('http://belfry.test/api/changes?after=-1')
    await worker.fetch('http://belfry.test/api/orders', { method: 'PUT' })
    await refused('http', 'not_found', 1)
    await refused('http', 'invalid_position', 2)
    await refused('http', 'method_not_allowed', 1)
  })

  it('P60 at the link: signatures, replays, frames, terms, sources, duplicates', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    await within((await openSocket('/link')).closed, 'the close')
    await within((await openSocket('/link', { authorization: 'x' })).closed, 'the close')

    const authorization = await signLink(bindings.LINK_SECRET, Date.now(), crypto.randomUUID())
    const first = new TestLink(await openSocket('/link', { authorization }))
    const replay = await openSocket('/link', { authorization })
    await within(replay.closed, 'the close')

    await first.open(5)
    const twice = orderChange()
    await first.deliver([twice])
    await first.deliver([twice, twice])

    const old = await connectLink()
    old.say({ type: 'open', source: SOURCE, term: 4, listener: 'old' })
    await old.hear('fenced')
    const other = await connectLink()
    other.say({ type: 'open', source: crypto.randomUUID(), term: 9, listener: 'other' })
    await within(other.socket.closed, 'the close')
    const odd = await connectLink()
    odd.socket.send('{"type":"batch"}')
    await within(odd.socket.closed, 'the close')

    await refused('link', 'unauthorized', 2)
    await refused('link', 'replayed', 1)
    await refused('link', 'duplicate', 2)
    await refused('link', 'fenced', 1)
    await refused('link', 'other_source', 1)
    await refused('link', 'bad_frame', 1)
  })

  it('a leader that comes back over a new link is refused nothing', async () => {
    const before = await openLink(5)
    await openLink(5)
    await before.hear('fenced')
    expect([...(await scrape()).keys()].filter((name) => /door="link"/.test(name))).toEqual([])
  })

  it('P60 at the subscribers’ doors, also of a shard that sleeps meanwhile', async () => {
    const [bad, worse] = [await subscribe('?after=x'), await subscribe('?op=upsert')]
    for (const { closed } of [bad, worse]) await within(closed, 'the close')
    const subscriber = await subscribe()
    await subscriber.frame('hello')
    subscriber.send('{"type":"subscribe"}')
    await within(subscriber.closed, 'the close')
    await refused('subscriber', 'bad_request', 2)
    await refused('subscriber', 'bad_frame', 1)
    await evictDurableObject(bindings.SHARD.getByName('enam-0'))
    const next = await subscribe()
    await next.frame('hello')
    next.send(new Uint8Array([1]).buffer)
    await within(next.closed, 'the close')
    await refused('subscriber', 'bad_frame', 2)
  })

  it('what a shard could not hand over it hands over with the next', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const [one, two] = [await subscribe(), await subscribe()]
    for (const subscriber of [one, two]) await subscriber.frame('hello')
    await expect
      .poll(async () => (await feed().status()).shards, { timeout: DEADLINE_MS })
      .toMatchObject([{ sockets: 2 }])
    const { Feed } = await import('../../worker/feed/feed.ts')
    vi.spyOn(Feed.prototype, 'attend').mockRejectedValueOnce(new Error('broken on purpose'))
    one.send('x')
    await within(one.closed, 'the close')
    two.send('x')
    await within(two.closed, 'the close')
    await refused('subscriber', 'bad_frame', 2)
  })

  it('begins anew when the feed does', async () => {
    await worker.fetch('http://belfry.test/api/nothing')
    await refused('http', 'not_found', 1)
    await evictDurableObject(feed())
    await worker.fetch('http://belfry.test/api/nothing')
    await refused('http', 'not_found', 1)
  })

  it('a flood is one call to the feed, not one each', async () => {
    const { Feed } = await import('../../worker/feed/feed.ts')
    const told = vi.spyOn(Feed.prototype, 'countRefused')
    await Promise.all(
      Array.from({ length: 200 }, () => worker.fetch('http://belfry.test/api/nothing')),
    )
    await refused('http', 'not_found', 200)
    expect(told.mock.calls.length).toBeLessThanOrEqual(2)
  })
})
