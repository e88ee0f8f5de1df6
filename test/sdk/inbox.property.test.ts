import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { inboxOn } from '../../client/sdk/inbox.ts'
import type { Listing } from '../../client/sdk/inbox-held.ts'
import { type Mark, marks } from '../../protocol/notification.ts'
import { InboxServer } from './inbox-server.ts'

/** Whatever happens in whichever order: deliveries, marks of ours and of others, breaks, delays. */
const id = fc.integer({ min: 1, max: 12 })
const mark = fc.constantFrom<Mark>(...marks)
const listing = fc.constantFrom<Listing>('active', 'unread', 'archived', 'all')
const step = fc.oneof(
  fc.record({ do: fc.constant('deliver' as const) }),
  fc.record({ do: fc.constant('remove' as const), id }),
  fc.record({
    do: fc.constantFrom('mark' as const, 'theirs' as const),
    id,
    mark,
    to: fc.boolean(),
  }),
  fc.record({ do: fc.constantFrom('mark all' as const, 'theirs all' as const), mark }),
  fc.record({ do: fc.constant('open' as const) }),
  fc.record({ do: fc.constant('undo' as const) }),
  { weight: 3, arbitrary: fc.record({ do: fc.constant('older' as const), listing }) },
  fc.record({ do: fc.constantFrom('break' as const, 'restart' as const) }),
  // Of what is on its way, how much gets there.
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('come' as const, 'go' as const, 'say' as const),
      many: fc.integer({ min: 1, max: 3 }),
    }),
  },
  fc.record({ do: fc.constant('refuse' as const) }),
)

it('P82 P83 whatever is delayed, refused or broken, the lists end as the worker has them', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
      const server = new InboxServer()
      for (let count = 0; count < 6; count++) server.deliver(`before ${count}`)
      const { world } = server
      world.chance = 0
      const told: number[] = []
      const options = { url: 'https://belfry.example', token: 'of 3', pageSize: 2 }
      const inbox = inboxOn(
        world,
        { ...options, onNotification: (one) => told.push(one.id) },
        server.fetch,
      )
      const undos: (() => Promise<void>)[] = []
      const doings: Promise<unknown>[] = []
      await turns(server, 5)
      server.isSlow = true
      for (const each of steps) {
        switch (each.do) {
          case 'deliver':
            server.deliver()
            break
          case 'remove':
            server.remove(each.id)
            break
          case 'theirs':
            server.mark(each.id, each.mark, each.to)
            break
          case 'theirs all':
            server.markAll(each.mark)
            break
          case 'mark':
            undos.push(inbox.mark(each.id, each.mark, each.to).undo)
            break
          case 'mark all':
            undos.push(inbox.markAll(each.mark).undo)
            break
          case 'open':
            inbox.open()
            break
          case 'undo':
            doings.push(Promise.allSettled([undos.pop()?.()]))
            break
          case 'older':
            doings.push(Promise.allSettled([inbox.older(each.listing)]))
            break
          case 'break':
            for (const socket of world.sockets) server.breakOff(socket)
            break
          case 'restart':
            server.restart()
            break
          case 'refuse':
            server.refusal = { status: 503, title: 'Not now', detail: '' }
            break
          case 'come':
            for (const go of server.coming.splice(0, each.many)) go()
            break
          case 'go':
            for (const go of server.going.splice(0, each.many)) go()
            break
          case 'say':
            for (const say of server.said.splice(0, each.many)) say()
        }
        await setImmediate()
        server.serve()
      }

      server.isSlow = false
      server.refusal = null
      const settling = Promise.all(doings)
      await turns(server, 20)
      await settling
      expect(inbox.freshness.state).toBe('current')
      for (const each of ['active', 'unread', 'archived', 'all'] as const) {
        const [mine, theirs] = [inbox.list(each), server.list(each)]
        expect(mine).toEqual(theirs.slice(0, mine.length))
        if (!inbox.hasOlder(each)) expect(mine).toHaveLength(theirs.length)
      }
      expect(inbox.counts).toEqual(server.counts)
      expect(new Set(told).size).toBe(told.length)
      inbox.close()
      expect([world.timers, world.listeners, world.reported]).toEqual([0, 0, []])
    }),
    { numRuns: 40 },
  )
})

/** All that is on its way gets there, and time passes. */
async function turns(server: InboxServer, count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    for (const gate of [server.said, server.coming, server.going])
      for (const go of gate.splice(0)) go()
    server.world.pass(10)
    await setImmediate()
    server.serve()
  }
}
