import { reset } from 'cloudflare:test'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Random } from '../simulation/random.ts'
import { ScheduleWorld } from './schedule-world.ts'

/**
 * Thousands of notifications become due within a minute, over objects whose clocks are seconds
 * off. They are evicted, hear of changes late and twice, ring late and in any order; schedules are
 * cancelled and put off; for a while the database cannot be asked. No sweep comes by.
 */
const SEEDS = [1, 2, 3]
const USERS = 8
const EACH = 90
const ALL = USERS * EACH
/** These have read their inboxes before; of the others the objects keep no copy. */
const READERS = 3
/** They are due by tens of seconds: in between nothing is, and who asks too early is told so. */
const DUE_EVERY_MS = 10_000
const DUE_TIMES = 6
const DUE_WITHIN_MS = DUE_EVERY_MS * (DUE_TIMES + 1)
const CHANGED_AT_ONCE = 4
const PUT_OFF_MS = 20_000
const DOWN = { fromMs: 20_000, throughMs: 26_000 }
/** Long after the last is due: an object that could not ask waits before it asks again. */
const OVER_MS = 180_000
const STEP_MS = 2_500
/** An object asks for each of these times a few times at most. */
const ASKED_MAX = USERS * 20

beforeEach(() => {
  // Only the date: what the runtime waits for goes on as it is.
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.spyOn(console, 'warn').mockReturnValue()
})
afterEach(async () => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  await reset()
})

test.each(SEEDS)(
  'P81 schedules over objects that are evicted and whose clocks are off are all delivered once, none early (seed %i)',
  async (seed) => {
    const random = new Random(seed)
    const world = new ScheduleWorld(random)
    const { database } = world
    const users = Array.from({ length: USERS }, (_, index) => index + 1)
    for (const user of users) database.addUser(user)
    for (const user of users.slice(0, READERS)) await world.read(user)
    const began = database.now
    for (let id = 1; id <= ALL; id++)
      database.schedule(id, 1 + (id % USERS), began + DUE_EVERY_MS * (1 + random.below(DUE_TIMES)))

    for (let ms = 0; ms <= OVER_MS; ms += STEP_MS) {
      database.now = began + ms
      database.isDown = ms >= DOWN.fromMs && ms < DOWN.throughMs
      for (const user of [...database.owed.keys()]) if (random.chance(0.25)) await world.hear(user)
      await world.ring()
      if (ms > DUE_WITHIN_MS) continue
      for (let n = 0; n < CHANGED_AT_ONCE; n++) {
        const at = random.chance(0.2) ? null : database.now + random.below(PUT_OFF_MS)
        database.change(1 + random.below(ALL), at)
      }
      await world.evict(random.one(users))
      await expectWhatPostgresHas(world, 1 + random.below(READERS))
    }

    const states = [...database.notifications.values()].map(({ state }) => state)
    expect(states.filter((state) => state !== 'delivered' && state !== 'cancelled')).toEqual([])
    expect(states.filter((state) => state === 'delivered').length).toBeGreaterThan(ALL * 0.9)
    expect(database.asked.get('deliver_due')).toBeLessThan(ASKED_MAX)
    for (const user of users) await expectWhatPostgresHas(world, user)
  },
)

/** Each that is delivered, once; and none that is not, as one would be that came too early. */
async function expectWhatPostgresHas(world: ScheduleWorld, user: number): Promise<void> {
  const shown = (await world.read(user)).map(({ id }) => id)
  const delivered = world.database.of(user, 'delivered').map(({ id }) => Number(id))
  expect(ascending(shown), `the inbox of user ${user}`).toEqual(ascending(delivered))
}

function ascending(ids: readonly number[]): number[] {
  return ids.toSorted((a, b) => a - b)
}
