import { evictAllDurableObjects, evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Change } from '../../protocol/change.ts'
import type { Position } from '../../protocol/position.ts'
import { Shard } from '../../worker/shard/shard.ts'
import { beatOf, holdTheClock, letTimePass, live } from './beats.ts'
import { bindings, openLink, orderChange, orderRow, startAfresh } from './link.ts'
import { DEADLINE_MS, subscribe, worker } from './subscriber.ts'

beforeEach(() => {
  holdTheClock()
  vi.spyOn(console, 'warn').mockImplementation(() => undefined)
})
afterEach(async () => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  await startAfresh()
})

const feed = () => bindings.FEED.getByName('main')

type Status = {
  head: number
  delivering: boolean
  why: string | null
  canary: null | {
    beat: number
    age_ms: number
    to_feed_ms: number
    to_shards_ms: number | null
    late_shards: string[]
  }
}

async function status(): Promise<Status> {
  return (await worker.fetch('http://belfry.test/api/status')).json()
}

/** The canary has been answered by every shard. */
async function answered(beat: number): Promise<void> {
  await expect
    .poll(async () => (await status()).canary, { timeout: DEADLINE_MS })
    .toMatchObject({ beat, to_shards_ms: expect.any(Number) })
}

async function subscribed() {
  const subscriber = await subscribe()
  await subscriber.frame('hello')
  await expect
    .poll(async () => (await feed().status()).shards, { timeout: DEADLINE_MS })
    .toHaveLength(1)
  return subscriber
}

describe('a beat', () => {
  it('P70 is acknowledged, and stands in no log, at no subscriber and before no consumer', async () => {
    const link = await openLink()
    const subscriber = await subscribed()
    const [first, second] = [orderChange(), orderChange({ new: orderRow('filled') })]
    expect(await link.deliver([first, beatOf(1), second])).toMatchObject({ head: 2, duplicates: 0 })
    expect(await link.deliver([beatOf(2)])).toMatchObject({ head: 2, duplicates: 0 })
    await evictDurableObject(feed())
    expect(await link.deliver([beatOf(3), orderChange()])).toMatchObject({ head: 3, duplicates: 0 })
    const told = await subscriber.readTo(0, 3)
    const page = await worker.fetch('http://belfry.test/api/changes?after=0')
    const { changes } = await page.json<{ changes: Change[] }>()
    for (const heard of [told, changes]) {
      expect(heard.map(({ offset }) => offset)).toEqual([1, 2, 3])
      expect(new Set(heard.map(({ table }) => table))).toEqual(new Set(['orders']))
    }
    await expect
      .poll(async () => (await feed().status()).consumers, { timeout: DEADLINE_MS })
      .toMatchObject(
        ['inbox', 'mail', 'notices', 'webhooks'].map((name) => ({
          name,
          offset: 3,
          behind: 0,
          parked: 0,
          error: null,
        })),
      )
  })

  it('P70 writes nothing into the feed’s storage', async () => {
    const link = await openLink()
    await link.deliver([orderChange(), beatOf(1)])
    await answered(1)
    const written = () =>
      runInDurableObject(feed(), (_, { storage }) => {
        const { sql } = storage
        const names = sql.exec<{ name: string }>(
          "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
        )
        const tables = names
          .toArray()
          .map(({ name }) => [name, sql.exec(`SELECT * FROM "${name}"`).toArray()])
        return JSON.stringify([tables, [...storage.kv.list()]])
      })
    const before = await written()
    expect(before).toContain('"orders')
    await live(link, 2, 3)
    expect(await written()).toBe(before)
  })

  it('P20 P70 comes again without harm', async () => {
    const link = await openLink()
    const [first, second] = [beatOf(1), beatOf(2, Date.now() + 5_000)]
    await link.deliver([first, second])
    letTimePass(3_000)
    expect(await link.deliver([first, second])).toMatchObject({ head: 0, duplicates: 0 })
    expect((await status()).canary).toMatchObject({ beat: 2, age_ms: 3_000 })
  })

  it('is told by the status: its age, and how long it took', async () => {
    const link = await openLink()
    expect(await status()).toMatchObject({ delivering: false, canary: null })
    await subscribed()
    await link.deliver([beatOf(7, Date.now() - 40)])
    await answered(7)
    letTimePass(2_000)
    expect(await status()).toMatchObject({
      delivering: true,
      why: null,
      canary: { beat: 7, age_ms: 2_000, to_feed_ms: 40, to_shards_ms: 0, late_shards: [] },
    })
  })
})

describe('delivering', () => {
  it('P71 is not said after an eviction until the next beat, and then it is', async () => {
    const link = await openLink()
    await subscribed()
    for (let beat = 1; beat <= 3; beat++) {
      await live(link, beat, 1)
      await answered(beat)
      expect(await status()).toMatchObject({ delivering: true, why: null })
      if (beat === 1) await evictDurableObject(feed())
      if (beat === 2) await evictAllDurableObjects()
      if (beat < 3) expect(await status()).toMatchObject({ delivering: false, canary: null })
    }
  })

  it('P71 ends 15 s after the last beat, although the listener still says that it lives', async () => {
    const link = await openLink()
    await link.deliver([beatOf(1)])
    await answered(1)
    letTimePass(15_000)
    link.say({ type: 'pulse', state: 'asleep', lagMs: 0 })
    await link.deliver([orderChange()])
    expect(await status()).toMatchObject({ delivering: true })
    letTimePass(1)
    expect(await status()).toMatchObject({
      delivering: false,
      why: expect.stringMatching(/^A listener is connected, but no canary has come for 15 s/),
    })
  })

  it('P71 ends when the listener goes', async () => {
    const link = await openLink()
    await link.deliver([beatOf(1)])
    await answered(1)
    link.socket.close()
    await expect
      .poll(status, { timeout: DEADLINE_MS })
      .toMatchObject({ delivering: false, why: expect.stringMatching(/^No listener/) })
  })

  it.each<[string, () => Promise<Position | null>]>([
    ['throws', () => Promise.reject(new Error('broken on purpose'))],
    ['hangs', () => new Promise(() => undefined)],
    ['stands still', async () => ({ epoch: 'another', offset: 0 })],
  ])('P71 ends within 20 s when a shard %s, and comes back with it', async (_, harm) => {
    const link = await openLink()
    await subscribed()
    await live(link, 1, 1)
    await answered(1)
    vi.spyOn(Shard.prototype, 'beat').mockImplementation(harm)
    await live(link, 2, 3)
    expect(await status()).toMatchObject({ delivering: true })
    letTimePass(1)
    expect(await status()).toMatchObject({
      delivering: false,
      why: expect.stringMatching(/^The shard enam-0 does not answer/),
      canary: { to_shards_ms: null, late_shards: ['enam-0'] },
    })
    // What hangs is given up after 30 s.
    vi.mocked(Shard.prototype.beat).mockRestore()
    await live(link, 5, 6)
    await answered(10)
    expect(await status()).toMatchObject({ delivering: true, why: null })
  })

  it('P71 a push that is stuck keeps the canary back too', async () => {
    const link = await openLink()
    await subscribed()
    await live(link, 1, 1)
    await answered(1)
    vi.spyOn(Shard.prototype, 'deliver').mockReturnValueOnce(new Promise(() => undefined))
    await link.deliver([orderChange()])
    await live(link, 2, 3)
    letTimePass(1)
    expect(await status()).toMatchObject({ canary: { late_shards: ['enam-0'] } })
  })

  it('P31 P71 the canary mends a push that was lost', async () => {
    const link = await openLink()
    const subscriber = await subscribed()
    vi.spyOn(Shard.prototype, 'deliver').mockRejectedValueOnce(new Error('broken on purpose'))
    await link.deliver([orderChange(), orderChange(), beatOf(1)])
    expect(await subscriber.readTo(0, 2)).toHaveLength(2)
    await answered(1)
  })

  it('P71 ends within 20 s when a consumer does not come on, and says its error', async () => {
    const link = await openLink()
    await live(link, 1, 1)
    await link.deliver([orderChange({ new: null, oversize: true })])
    await expect
      .poll(
        async () => {
          const { consumers } = await feed().status()
          return Object.fromEntries(consumers.map(({ name, error }) => [name, error]))
        },
        { timeout: DEADLINE_MS },
      )
      .toMatchObject({ inbox: null, mail: expect.any(String), webhooks: null })
    await live(link, 2, 4)
    expect(await status()).toMatchObject({
      delivering: false,
      why: expect.stringMatching(/^The consumer mail is 1 change behind\. It says: /),
    })
  })

  it('a new epoch begins with nothing proven', async () => {
    const link = await openLink()
    await live(link, 8, 1)
    await answered(8)
    await feed().beginLife()
    expect(await status()).toMatchObject({ delivering: false, canary: null })
    const next = await openLink()
    await live(next, 1, 1)
    await answered(1)
    expect(await status()).toMatchObject({ delivering: true })
  })
})
