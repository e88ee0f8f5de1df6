import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Position } from '../../protocol/position.ts'
import type { Audience } from '../../worker/shard/audience.ts'
import { Standing } from '../../worker/shard/standing.ts'
import { type Socket, Subscriber } from '../../worker/shard/subscriber.ts'
import { Window } from '../../worker/shard/window.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const at = (offset: number, epoch = 'a'): Position => ({ epoch, offset })
const page = (after: number, through: number, head = through) => ({
  epoch: 'a',
  after,
  through,
  head,
  changes: '[]',
})

type Answer = ReturnType<typeof page> | { reset: 'epoch'; epoch: string; head: number }

/** A shard with an audience of one, and a feed that answers when it is told to. */
function world() {
  const told: Position[] = []
  const resets: Position[] = []
  const stored: unknown[] = []
  const asked: { after: number; answer: (answer: Answer) => Promise<void> }[] = []
  const audience = {
    size: 1,
    tell: (position: Position) => {
      told.push(position)
      return { behind: false }
    },
    reset: (_: string, position: Position) => resets.push(position),
  }
  const standing = new Standing(
    audience as unknown as Audience,
    { get: () => undefined, put: (_, position) => void stored.push(position) },
    (_, after) =>
      new Promise<never>((resolve) => {
        const answer = async (page: Answer) => {
          resolve(page as never)
          await vi.advanceTimersByTimeAsync(0)
        }
        asked.push({ after, answer })
      }),
  )
  standing.begin(at(5))
  return { audience, standing, told, resets, stored, asked }
}

describe('where a shard stands', () => {
  it('P31 one comparison guards every way in', () => {
    const { standing, told } = world()
    standing.tell(page(3, 5))
    standing.tell(page(6, 9))
    standing.tell({ ...page(5, 9), epoch: 'b' })
    expect(told).toEqual([])
    standing.tell(page(3, 7))
    standing.tell(page(7, 8))
    expect(told).toEqual([at(7), at(8)])
  })

  it('stores its position a second later, and once however often it moved', () => {
    const { standing, stored } = world()
    for (let offset = 5; offset < 50; offset++) standing.tell(page(offset, offset + 1))
    vi.advanceTimersByTime(999)
    expect(stored).toEqual([])
    vi.advanceTimersByTime(1)
    expect(stored).toEqual([at(50)])
    vi.advanceTimersByTime(60_000)
    standing.tell(page(50, 51))
    vi.advanceTimersByTime(1_000)
    expect(stored).toEqual([at(50), at(51)])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('an empty one has promised nothing', async () => {
    const { audience, standing, told, asked } = world()
    audience.size = 0
    expect(standing.here).toBeNull()
    standing.tell(page(5, 6))
    await standing.comeTo(at(9))
    await standing.pull()
    expect([told, asked]).toEqual([[], []])
  })
})

describe('pulling', () => {
  it('goes on until the head, and then no further', async () => {
    const { standing, told, asked } = world()
    const pulled = standing.pull()
    await asked[0]?.answer(page(5, 7, 9))
    await asked[1]?.answer(page(7, 9))
    await pulled
    expect(told).toEqual([at(7), at(9)])
    expect(asked.map(({ after }) => after)).toEqual([5, 7])
  })

  it('what was appended after the read that is under way is not waited for until the next heartbeat', async () => {
    const { standing, told, asked } = world()
    const first = standing.pull()
    // A push that shows a gap, of what came after that read.
    const second = standing.pull()
    await asked[0]?.answer(page(5, 5))
    await asked[1]?.answer(page(5, 7))
    await Promise.all([first, second])
    expect(told).toEqual([at(7)])
  })

  it('ends only where the audience stands, also when that has gone back meanwhile', async () => {
    const { standing, told, asked } = world()
    const pulled = standing.pull()
    // All have left, and the first who comes then stands at an earlier offset.
    standing.begin(at(2))
    await asked[0]?.answer(page(5, 9))
    await asked[1]?.answer(page(2, 9))
    await pulled
    expect(told).toEqual([at(9)])
  })

  it('P34 a reset is said once, and not to those who stand elsewhere by now', async () => {
    const { standing, resets, asked } = world()
    const pulled = standing.pull()
    standing.tell(page(5, 6))
    await asked[0]?.answer({ reset: 'epoch', epoch: 'b', head: 3 })
    expect(resets).toEqual([])
    await asked[1]?.answer({ reset: 'epoch', epoch: 'b', head: 3 })
    await pulled
    expect(resets).toEqual([at(3, 'b')])
    expect(standing.here).toEqual(at(3, 'b'))
  })

  it('is left out when the feed stands where we do', async () => {
    const { standing, asked } = world()
    await standing.comeTo(at(5))
    await standing.comeTo(at(4))
    expect(asked).toEqual([])
    void standing.comeTo(at(6))
    void standing.comeTo(at(0, 'b'))
    expect(asked).toHaveLength(1)
  })

  it('a read that fails is told to whoever asked, and the next one begins anew', async () => {
    const stored = { get: () => at(1), put: () => undefined }
    let reads = 0
    const audience = { size: 1, tell: () => ({ behind: false }) } as unknown as Audience
    const standing = new Standing(audience, stored, async () => {
      if (++reads === 1) throw new Error('lost')
      return page(1, 2)
    })
    await expect(standing.pull()).rejects.toThrow('lost')
    await standing.pull()
    expect(standing.here).toEqual(at(2))
  })
})

describe('waiting for room', () => {
  const subscriber = () =>
    new Subscriber(
      {} as Socket,
      {
        subscription: { where: {} },
        session: { name: 'anyone', expiresAt: null, issuedAt: null },
        deflate: false,
        live: false,
      },
      new Window(null),
    )

  it('P38 one who waits for room is stirred when its time has come', async () => {
    const stirred = vi.fn()
    void subscriber().stirred(30_000).then(stirred)
    await vi.advanceTimersByTimeAsync(29_999)
    expect(stirred).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    expect(stirred).toHaveBeenCalled()
  })

  it('P38 or before, and then nothing keeps the object awake', async () => {
    const waiting = subscriber()
    const stirred = waiting.stirred(30_000)
    expect(vi.getTimerCount()).toBe(1)
    waiting.stir()
    waiting.stir()
    await stirred
    expect(vi.getTimerCount()).toBe(0)
  })
})
