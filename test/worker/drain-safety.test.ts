import { runInDurableObject } from 'cloudflare:test'
import { describe, expect, it, vi } from 'vitest'
import type { Change } from '../../protocol/change.ts'
import { PRESENCE_MS } from '../../protocol/link.ts'
import { close, DrainWorld, feed, later, log, status, withoutListener } from './drain-world.ts'
import { openLink, orderChange, orderChanges } from './link.ts'
import { sqlError } from './outbox-stand-in.ts'

const world = DrainWorld.begin()

describe('what must hold whatever happens', () => {
  it('P10 a row is deleted only once it is in the log', async () => {
    await world.afterListener()
    world.outbox.changes.push(...orderChanges(3))
    const heads: number[] = []
    world.outbox.before = async (statement) => {
      if (statement === 'forget') heads.push((await status()).head)
      return undefined
    }
    await later(PRESENCE_MS)
    expect(heads).toEqual([4])
  })

  it('P20 P24 a delete that fails leaves the rows, and they are dropped when they come again', async () => {
    await world.afterListener()
    const changes = orderChanges(3)
    world.outbox.changes.push(...changes)
    world.outbox.before = async (statement) =>
      statement === 'forget' ? sqlError('57P01') : undefined
    await later(PRESENCE_MS)
    expect((await status()).drain).toMatchObject({ by: 'nobody' })
    world.outbox.changes.push(...changes)
    world.outbox.before = async () => undefined
    await later(5_000)
    expect(world.outbox.changes).toEqual([])
    expect((await status()).head).toBe(4)
  })

  it('P2 P24 what was read in one life of the feed is not appended in the next', async () => {
    await world.afterListener()
    const [early, late] = orderChanges(2) as [Change, Change]
    world.outbox.changes.push(early)
    world.outbox.before = async (statement) => {
      if (statement !== 'look' || world.outbox.asked.length > 1) return undefined
      await feed().beginLife()
      const link = await openLink(4)
      await link.deliver([late])
      return undefined
    }
    await later(PRESENCE_MS)
    expect((await log()).map(({ id }) => id)).toEqual([late.id])
    expect(world.outbox.asked).toEqual(['look'])
  })

  it('P13 P24 a reset in the midst of a drain ends it, and the next puts out the old terms again', async () => {
    await world.afterListener(3)
    world.outbox.batch = 1
    world.outbox.changes.push(...orderChanges(3))
    world.outbox.before = async (statement) => {
      if (statement === 'look' && world.outbox.asked.length === 3) await feed().beginLife()
      return undefined
    }
    await later(PRESENCE_MS)
    await later(PRESENCE_MS - 1_000)
    expect(world.outbox.asked).toEqual(['look', 'forget', 'look'])
    await later(1_000)
    expect(world.outbox.changes).toEqual([])
    await expect(openLink(3)).rejects.toThrow(/fenced/)
    await openLink(4)
  })

  it('P24 after a reset the listener comes first, and without one the feed knows its database', async () => {
    await world.afterListener()
    await feed().beginLife()
    world.outbox.changes.push(orderChange())
    await later(PRESENCE_MS - 1_000)
    expect(world.outbox.asked).toEqual([])
    await later(1_000)
    expect(await log()).toHaveLength(1)
  })

  it('P22 P24 another database’s changes are left alone, and the status says what to do', async () => {
    await world.afterListener()
    world.outbox.source = '11111111-1111-4111-8111-111111111111'
    world.outbox.changes.push(orderChange())
    await later(PRESENCE_MS)
    expect(world.outbox.asked).toEqual(['look'])
    const { drain, head } = await status()
    expect({ head, by: drain.by }).toEqual({ head: 1, by: 'nobody' })
    expect(drain.error).toMatch(/DATABASE_URL leads to another database/)
  })

  it('P24 another feed’s changes are left alone, from the same database too', async () => {
    await world.afterListener()
    world.outbox.feed = 'another'
    world.outbox.changes.push(orderChange())
    await later(PRESENCE_MS)
    expect(world.outbox.asked).toEqual(['look'])
    expect((await status()).drain.error).toMatch(/linked to another feed/)
  })

  it('P24 of two new feeds that claim one database the first has it', async () => {
    await withoutListener()
    world.outbox.changes.push(orderChange())
    world.outbox.before = async (statement) => {
      if (statement === 'look') world.outbox.feed ??= 'another'
      return undefined
    }
    await later(PRESENCE_MS)
    expect(world.outbox.asked).toEqual(['look', 'claim', 'look'])
    expect((await status()).drain.error).toMatch(/linked to another feed/)
  })
})

describe('a database that cannot be had', () => {
  const failures: [string, () => Promise<Response>, RegExp][] = [
    ['does not answer', () => Promise.reject(new TypeError('fetch failed')), /does not answer/],
    ['lets nobody in', async () => sqlError('28P01'), /DATABASE_URL: user, password/],
    ['is not migrated', async () => sqlError('42883'), /npm run migrate/],
    ['gives the role no right', async () => sqlError('42501'), /lacks a right.*grant_rights/],
  ]
  it.each(failures)(
    'P24 that %s is said in a sentence, and harms nothing else',
    async (_, fail, says) => {
      await world.afterListener()
      world.outbox.before = fail
      await later(PRESENCE_MS)
      expect((await status()).drain).toMatchObject({
        by: 'nobody',
        error: expect.stringMatching(says),
      })
      const link = await openLink(4)
      expect(await link.deliver([orderChange()])).toMatchObject({ head: 2 })
      await close(link)
      world.outbox.before = async () => undefined
      world.outbox.changes.push(orderChange())
      await later(PRESENCE_MS)
      expect((await status()).drain).toMatchObject({ by: 'feed' })
      expect(await log()).toHaveLength(3)
    },
  )

  it('P24 is tried again with backoff, never more often than its failures allow', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.999)
    await world.afterListener()
    world.outbox.before = () => Promise.reject(new TypeError('fetch failed'))
    await later(PRESENCE_MS)
    for (const waitMs of [4_990, 5, 9_980, 10, 19_970, 10]) await later(waitMs)
    expect(world.outbox.asked).toHaveLength(4)
  })

  it('P24 because none is configured says which secret to set', async () => {
    await world.afterListener()
    await runInDurableObject(feed(), (instance) => {
      Object.assign((instance as unknown as { env: object }).env, { DATABASE_URL: '' })
    })
    await later(PRESENCE_MS)
    expect((await status()).drain.error).toMatch(/wrangler secret put DATABASE_URL/)
    expect(world.outbox.asked).toEqual([])
  })
})
