import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { InboxFrame } from '../../protocol/inbox-frames.ts'
import { WINDOW } from '../../worker/inbox/copy.ts'
import { InboxReader, listInPostgres } from '../support/inbox-reader.ts'
import { carryOut, write } from '../support/inbox-writes.ts'
import { InboxWorld, type Tab } from './inbox-world.ts'

beforeEach(() => {
  vi.spyOn(console, 'warn').mockReturnValue()
})
afterEach(() => {
  vi.restoreAllMocks()
})

/**
 * The property of test/unit/inbox-copy.property.test.ts on the object itself, with its storage, its
 * alarm, its sockets and its questions to Postgres, which does not always answer; it is evicted
 * between any two steps.
 */
const kind = <Kind extends string>(name: Kind) => fc.constant(name)
const few = fc.integer({ min: 1, max: 12 })

const step = fc.record({
  happens: fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ kind: kind('write'), write, isToldAtOnce: fc.boolean() }),
    },
    { weight: 3, arbitrary: fc.record({ kind: kind('tell'), count: few }) },
    { weight: 1, arbitrary: fc.record({ kind: kind('tellAgain'), count: few }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: kind('pass'), ms: fc.integer({ min: 1, max: 4_000 }) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: kind('alarm') }) },
    { weight: 1, arbitrary: fc.record({ kind: kind('read') }) },
    { weight: 1, arbitrary: fc.record({ kind: kind('postgres'), isDown: fc.boolean() }) },
  ),
  evicted: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
})
type Step = typeof step extends fc.Arbitrary<infer Each> ? Each : never

test('P81 P82 P83 P84: whatever happens, in the end the object and its sockets are what the law makes of all rows', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(2, WINDOW + 3),
      fc.array(step, { minLength: 10, maxLength: 40 }),
      async (rows, steps) => {
        const world = new InboxWorld()
        world.database.insertMany(rows)
        world.told = rows
        const standing = await world.inbox.standing(world.feed)
        if (!standing) throw new Error('there is such a user')
        const reader = new InboxReader(world.database, standing.position)
        const tab = await world.connect()
        for (const { happens, evicted } of steps) {
          await take(world, happens)
          if (evicted) await world.evict()
        }
        await comeToRest(world)
        await follow(reader, tab)
        expect(await world.counts()).toEqual(world.database.counts())
        const { notifications } = await world.list({ limit: WINDOW / 2 })
        const inbox = world.database.inbox().map(({ id }) => id)
        expect(notifications.map(({ id }) => id)).toEqual(inbox.slice(0, WINDOW / 2))
        expect(reader.list).toEqual(listInPostgres(world.database))
        expect(reader.counts).toEqual(world.database.counts())
        tab.socket.close()
        await world.end()
      },
    ),
    { numRuns: 6 },
  )
})

async function take(world: InboxWorld, happens: Step['happens']): Promise<void> {
  const { database } = world
  switch (happens.kind) {
    case 'write': {
      const written = carryOut(database, happens.write)
      if (happens.isToldAtOnce) await world.inbox.tell(written)
      return
    }
    case 'tell':
      return world.tell(world.told, world.told + happens.count)
    case 'tellAgain':
      return world.tell(Math.max(0, world.told - happens.count), world.told)
    case 'pass':
      return world.pass(happens.ms)
    case 'alarm':
      return world.ring()
    case 'read':
      await world.counts()
      return
    case 'postgres':
      database.isDown = happens.isDown
  }
}

async function comeToRest(world: InboxWorld): Promise<void> {
  world.database.isDown = false
  // Longer than it waits for Postgres, and than anything here was put off.
  world.pass(300_000)
  await world.ring()
  for (let round = 0; world.told < world.database.log.length; round++) {
    if (round > 5) throw new Error('it writes for ever')
    await world.catchUp()
    await world.settle()
  }
}

async function follow(reader: InboxReader, tab: Tab): Promise<void> {
  for (const frame of (await tab.frames()) as InboxFrame[]) reader.apply(frame)
}
