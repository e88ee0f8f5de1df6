import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import { CANARY_TABLE } from '../../protocol/canary.ts'
import { PRESENCE_MS } from '../../protocol/link.ts'
import { close, DrainWorld, feed, later, log, status, withoutListener } from './drain-world.ts'
import { openLink, orderChange, orderChanges } from './link.ts'
import { subscribe } from './subscriber.ts'

const world = DrainWorld.begin()

describe('without a listener', () => {
  it('P24 nothing is asked for 15 s; then the feed takes what there is, and says so', async () => {
    await world.afterListener()
    world.outbox.changes.push(...orderChanges(3))
    expect((await status()).drain).toMatchObject({ by: 'nobody', error: null })
    await later(PRESENCE_MS - 1_000)
    expect(world.outbox.asked).toEqual([])
    const ids = world.outbox.changes.map(({ id }) => id)
    await later(1_000)
    expect(world.outbox.asked).toEqual(['look', 'forget'])
    expect(world.outbox.changes).toEqual([])
    expect((await log()).slice(1).map(({ id, offset }) => ({ id, offset }))).toEqual(
      ids.map((id, index) => ({ id, offset: 2 + index })),
    )
    expect((await status()).drain).toEqual({
      by: 'feed',
      since: new Date().toISOString(),
      last_at: new Date().toISOString(),
    })
  })

  it('P24 that there ever was, a new feed takes a database that no feed has had', async () => {
    await withoutListener()
    const changes = [orderChange(), orderChange()]
    world.outbox.changes.push(...changes)
    await later(PRESENCE_MS)
    expect(world.outbox.asked).toEqual(['look', 'claim', 'look', 'forget'])
    expect(await log()).toEqual(changes.map((change, index) => ({ ...change, offset: 1 + index })))
    const { epoch } = await feed().attend('enam-0', 0)
    expect(world.outbox.feed).toBe(epoch)
  })

  it('P24 a new feed counts on through evictions', async () => {
    await withoutListener()
    for (let waits = 0; waits < 3; waits++) {
      await evictDurableObject(feed())
      await later(PRESENCE_MS / 3)
    }
    expect(world.outbox.asked).toEqual(['look'])
  })

  it('P24 an empty outbox is looked at every 5 s, then less often, and claimed by nobody', async () => {
    await withoutListener()
    await later(PRESENCE_MS)
    await later(4_000)
    expect(world.outbox.asked).toEqual(['look'])
    for (const waitMs of [1_000, 10_000, 15_000, 15_000]) await later(waitMs)
    expect(world.outbox.asked).toEqual(Array(5).fill('look'))
    expect(world.outbox.feed).toBe(null)
  })

  it('P24 subscribers and consumers have it as from a listener', async () => {
    await world.afterListener()
    const subscriber = await subscribe('?table=orders')
    const { after: position } = await subscriber.frame('hello')
    world.outbox.changes.push(...orderChanges(3))
    await later(PRESENCE_MS)
    expect(await subscriber.readTo(position, 4)).toHaveLength(3)
    await expect
      .poll(async () => (await status()).consumers.map(({ behind }) => behind))
      .toEqual([0, 0, 0, 0])
  })

  it('P24 more than one batch is taken, a part at each alarm, and the next comes at once', async () => {
    await world.afterListener()
    world.outbox.batch = 2
    world.outbox.changes.push(...orderChanges(25))
    await later(PRESENCE_MS)
    expect(world.outbox.changes).toHaveLength(5)
    await later(0)
    expect(world.outbox.changes).toEqual([])
    expect((await status()).head).toBe(26)
  })

  it('P24 silence is counted from the last word, not from the end of the link', async () => {
    const link = await openLink(3)
    await later(10_000)
    link.say({ type: 'pulse', state: 'asleep', lagMs: 0 })
    await link.deliver([orderChange()])
    // The alarm that has stood since the link opened finds a listener.
    await later(5_001)
    await close(link)
    await later(9_998)
    expect(world.outbox.asked).toEqual([])
    await later(1)
    expect(world.outbox.asked).toEqual(['look'])
  })

  it('P24 the next look is on time, however long the last one took', async () => {
    const alarm = () => runInDurableObject(feed(), (_, { storage }) => storage.getAlarm())
    await world.afterListener()
    // Long enough that all else the alarm does is over, and has set the next one.
    world.outbox.before = async () => {
      await expect.poll(alarm).toBe(Date.now() + 60_000)
      return undefined
    }
    await later(PRESENCE_MS)
    expect(await alarm()).toBe(Date.now() + 5_000)
  })

  it('P24 an evicted feed goes on where it was', async () => {
    await world.afterListener()
    await evictDurableObject(feed())
    expect((await status()).drain).toMatchObject({ by: 'nobody', error: null })
    await later(PRESENCE_MS)
    expect(world.outbox.asked).toEqual(['look'])
    const { drain } = await status()
    await evictDurableObject(feed())
    expect((await status()).drain).toEqual(drain)
    await later(4_000)
    expect(world.outbox.asked).toEqual(['look'])
    await later(1_000)
    expect(world.outbox.asked).toEqual(['look', 'look'])
  })

  it('P70 leaves a beat of the canary out of the log', async () => {
    await world.afterListener()
    const row = { only_one: true, beat: 1 }
    world.outbox.changes.push(
      orderChange({ table: CANARY_TABLE, key: { only_one: true }, new: row }),
    )
    await later(PRESENCE_MS)
    expect(world.outbox.changes).toEqual([])
    expect((await status()).head).toBe(1)
  })
})

describe('with a listener', () => {
  it('P24 the feed asks the database nothing, for as long as it is heard', async () => {
    const link = await openLink(3)
    for (let pulses = 0; pulses < 8; pulses++) {
      link.say({ type: 'pulse', state: 'asleep', lagMs: 0 })
      await link.deliver([orderChange()])
      await later(5_000)
      await evictDurableObject(feed())
    }
    expect(world.outbox.asked).toEqual([])
    expect((await status()).drain).toEqual({ by: 'listener' })
  })

  it('P21 P24 one that freezes with its link open is silent too, and must take a higher term', async () => {
    const frozen = await openLink(3)
    await world.recordFeed()
    const [first, second] = [orderChange(), orderChange()]
    world.outbox.changes.push(first)
    await later(PRESENCE_MS)
    expect(world.outbox.asked).toEqual([])
    await later(1)
    expect((await status()).drain).toMatchObject({ by: 'feed' })
    // What it had in hand when it froze.
    frozen.say({ type: 'batch', seq: 1, changes: [first] })
    expect(await frozen.hear('fenced')).toEqual({ type: 'fenced', term: 4 })
    const thawed = await openLink(5)
    expect(await thawed.deliver([second])).toMatchObject({ head: 2, duplicates: 0 })
    expect((await status()).drain).toEqual({ by: 'listener' })
    const asked = world.outbox.asked.length
    await later(10_000)
    expect(world.outbox.asked).toHaveLength(asked)
  })

  it('P24 one that is silent while there is nothing to drain keeps its term', async () => {
    const link = await openLink(3)
    await world.recordFeed()
    await later(PRESENCE_MS + 1)
    expect((await status()).drain).toMatchObject({ by: 'feed' })
    link.say({ type: 'pulse', state: 'asleep', lagMs: 0 })
    expect(await link.deliver([orderChange()])).toMatchObject({ head: 1 })
    expect((await status()).drain).toEqual({ by: 'listener' })
  })

  it('P24 P20 one that returns in the midst of a drain takes over, and nothing is doubled', async () => {
    await world.afterListener(3)
    world.outbox.batch = 2
    // It has its term when the feed looks, and opens its link while the answer is under way.
    world.outbox.term = 4
    const changes = orderChanges(6)
    world.outbox.changes.push(...changes)
    let duplicates = 0
    world.outbox.before = async (statement) => {
      if (statement !== 'look' || duplicates > 0) return
      const link = await openLink(4)
      duplicates = (await link.deliver(changes.slice(0, 4))).duplicates + 1
      return undefined
    }
    await later(PRESENCE_MS)
    expect(duplicates).toBe(1)
    // The batch that was under way, and no other.
    expect(world.outbox.asked).toEqual(['look', 'forget'])
    expect((await log()).map(({ id }) => id).slice(1)).toEqual(
      changes.slice(0, 4).map(({ id }) => id),
    )
    expect((await status()).drain).toEqual({ by: 'listener' })
  })

  it('P13 P24 after a drain every term that there was before it is refused', async () => {
    await world.afterListener(3)
    world.outbox.changes.push(orderChange())
    await later(PRESENCE_MS)
    for (const term of [2, 3]) await expect(openLink(term)).rejects.toThrow(/fenced/)
    await openLink(4)
  })
})
