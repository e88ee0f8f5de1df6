import { describe, expect, it, vi } from 'vitest'
import type { Position } from '../../protocol/position.ts'
import { FanOut } from '../../worker/feed/fan-out.ts'
import { RollCall } from '../../worker/feed/roll-call.ts'
import type { Shard } from '../../worker/shard/shard.ts'

const at = (offset: number): Position => ({ epoch: 'k3v', offset })

type Calls = Pick<Shard, 'deliver' | 'beat'>

/** A log that grows by a change whenever it is read, as long as `isBusy`, and one shard. */
function world(calls: Partial<Calls> = {}) {
  const world = { head: 10, isBusy: true, asked: [] as Position[], answered: [] as number[] }
  const shard: Calls = {
    // It takes its time, so that others have theirs.
    deliver: () => new Promise((resolve) => setTimeout(() => resolve(1_000))),
    beat: async (here) => {
      world.asked.push(here)
      return here
    },
    ...calls,
  }
  const stub = () => shard as unknown as DurableObjectStub<Shard>
  const rollCall = new RollCall(stub, (_, askedAt) => void world.answered.push(askedAt))
  const fanOut = new FanOut(
    stub,
    (after) => {
      if (world.isBusy) world.head++
      const page = { epoch: 'k3v', after, through: after + 1, changes: '[]' }
      return after < world.head ? page : null
    },
    (name, through) => rollCall.sent(name, through, 100_000),
  )
  fanOut.join('a', 0)
  return { world, rollCall, fanOut }
}

describe('the roll call', () => {
  it('P71 comes between the pages of a shard that always has another', async () => {
    const { world: now, rollCall, fanOut } = world()
    rollCall.begin(['a'], at(10), 1)
    const pushing = fanOut.push()
    await vi.waitFor(() => expect(now.answered).toEqual([1]))
    expect(now.head).toBeGreaterThanOrEqual(10)
    now.isBusy = false
    await pushing
    expect(now.asked).toEqual([at(10)])
  })

  it('P71 does not overtake what the shard is to have before', async () => {
    let go = () => {}
    const held = new Promise<number>((resolve) => {
      go = () => resolve(1_000)
    })
    const deliver = vi.fn<Calls['deliver']>(({ through }) =>
      through === 1 ? Promise.resolve(1_000) : held,
    )
    const { world: now, rollCall, fanOut } = world({ deliver })
    now.isBusy = false
    now.head = 2
    rollCall.begin(['a'], at(2), 1)
    const pushing = fanOut.push()
    await vi.waitFor(() => expect(deliver).toHaveBeenCalledTimes(2))
    rollCall.begin(['a'], at(2), 2)
    void fanOut.push()
    expect(now.asked).toEqual([])
    go()
    await pushing
    expect(now.answered).toEqual([2])
  })

  it('one question to a shard is under way, and given up after 30 s', async () => {
    const beat = vi.fn<Calls['beat']>(() => new Promise(() => undefined))
    const stub = () => ({ beat }) as unknown as DurableObjectStub<Shard>
    const rollCall = new RollCall(stub, () => undefined)
    const ask = (now: number) => {
      rollCall.begin(['a'], at(1), now)
      void rollCall.sent('a', 1, now)
    }
    for (const now of [100_000, 105_000, 129_999]) ask(now)
    expect(beat).toHaveBeenCalledTimes(1)
    ask(130_000)
    expect(beat).toHaveBeenCalledTimes(2)
  })

  it.each<[string, Position | null, number[]]>([
    ['stands there', at(1), [1]],
    ['is further', at(2), [1]],
    ['holds nobody', null, [1]],
    ['is behind', at(0), []],
    ['stands in another epoch', { epoch: 'other', offset: 9 }, []],
  ])('a shard that %s', async (_, there, answered) => {
    const { world: now, rollCall } = world({ beat: async () => there })
    rollCall.begin(['a'], at(1), 1)
    await rollCall.sent('a', 1, 100_000)
    expect(now.answered).toEqual(answered)
  })
})
