import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Change } from '../../protocol/change.ts'
import type { Env } from '../../worker/env.ts'
import type { Feed } from '../../worker/feed/feed.ts'
import { InboxSweep } from '../../worker/feed/inbox-sweep.ts'
import { MissedInboxes } from '../../worker/feed/missed-inboxes.ts'
import { bindings, startAfresh } from './link.ts'

const MINUTE_MS = 60_000

/** A database in which some users have something overdue. */
let overdue: string[]
let asked: number
let isAway: boolean
let warned: ReturnType<typeof vi.spyOn>

beforeEach(() => {
  overdue = []
  asked = 0
  isAway = false
  warned = vi.spyOn(console, 'warn').mockReturnValue()
  vi.spyOn(globalThis, 'fetch').mockImplementation(async () => {
    asked++
    if (isAway) throw new TypeError('fetch failed')
    return Response.json({
      fields: [{ name: 'id', dataTypeID: 20 }],
      rows: overdue.map((id) => [id]),
      ...{ command: 'SELECT', rowCount: overdue.length, rowAsArray: true },
    })
  })
})
afterEach(async () => {
  vi.restoreAllMocks()
  await startAfresh()
})

const feed = () => bindings.FEED.getByName('main')

/** A sweep over inboxes that note who was woken, and of which some cannot be. */
function swept(
  times: readonly number[],
  broken: readonly string[] = [],
  missed: readonly string[] = [],
): Promise<{
  woken: string[]
  heard: string[]
  missed: string[]
  askedAt: number[]
  most: number
}> {
  return runInDurableObject(feed(), async (_: Feed, { storage }) => {
    storage.sql.exec('DELETE FROM inbox_sweep')
    for (const user of missed) new MissedInboxes(storage.sql).note(user, 'it was not there')
    const woken: string[] = []
    const heard: string[] = []
    let [atOnce, most] = [0, 0]
    const getByName = (user: string) => ({
      hear: async ([change]: Change[], epoch: string) => {
        if (broken.includes(user)) throw new Error('the object was reset')
        heard.push(`${user} ${change?.op} ${epoch}`)
      },
      wake: async () => {
        most = Math.max(most, ++atOnce)
        await Promise.resolve()
        atOnce--
        if (broken.includes(user)) throw new Error('the object was reset')
        woken.push(user)
      },
    })
    const env = { ...bindings, INBOX: { getByName } } as unknown as Env
    const askedAt: number[] = []
    for (const at of times) {
      const before = asked
      // A new one each time, as if the feed had slept in between.
      await new InboxSweep(env, storage.sql).run(at, 'epoch')
      if (asked > before) askedAt.push(at)
    }
    const left = [...new MissedInboxes(storage.sql).users]
    return { woken, heard, missed: left, askedAt, most }
  })
}

describe('P81 the sweep', () => {
  it('wakes whoever has something overdue, every few minutes, though the feed sleeps in between', async () => {
    overdue = ['7', '9007199254740993']
    const { woken, askedAt } = await swept([0, 1, 3.4, 3.5, 4, 7].map((at) => at * MINUTE_MS))
    expect(askedAt).toEqual([0, 3.5, 7].map((at) => at * MINUTE_MS))
    expect(woken).toEqual([...overdue, ...overdue, ...overdue])
  })

  it('goes on after a minute while there are more than it takes at once', async () => {
    overdue = Array.from({ length: 1_000 }, (_, index) => String(index + 1))
    const { woken, askedAt, most } = await swept([0, 0.9 * MINUTE_MS, MINUTE_MS])
    expect(askedAt).toEqual([0, MINUTE_MS])
    expect(woken).toHaveLength(2_000)
    expect(most).toBe(32)
  })

  it('one inbox that cannot be woken keeps no other asleep, and is warned of', async () => {
    overdue = ['1', '2', '3']
    expect((await swept([0], ['2'])).woken).toEqual(['1', '3'])
    expect(String(warned.mock.calls[0])).toMatch(/1 of 3 inboxes could not be woken.*reset/)
  })

  it('looks again after a minute while the database is away, and says so', async () => {
    isAway = true
    const { askedAt } = await swept([0, MINUTE_MS / 2, MINUTE_MS])
    expect(askedAt).toEqual([0, MINUTE_MS])
    expect(String(warned.mock.calls[0])).toMatch(/overdue could not be read.*did not answer/)
  })

  it('P41 tells who missed something that they did, each minute until they hear it', async () => {
    const { heard, missed, woken, askedAt } = await swept([0, MINUTE_MS], ['2'], ['1', '2'])
    expect(heard).toEqual(['1 truncate epoch'])
    expect(woken).toEqual(['1'])
    expect(missed).toEqual(['2'])
    expect(askedAt).toEqual([0])
  })

  it('comes with the feed’s own alarm', async () => {
    await feed().oldest()
    await runInDurableObject(feed(), (_: Feed, { storage }) =>
      storage.sql.exec('DELETE FROM inbox_sweep'),
    )
    await runDurableObjectAlarm(feed())
    await expect.poll(() => asked).toBeGreaterThan(0)
  })
})
