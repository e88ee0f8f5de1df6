import { describe, expect, it } from 'vitest'
import { EVERY_TABLE } from '../../protocol/scope.ts'
import type { FeedRead } from '../../worker/feed/fan-out.ts'
import type { Frame } from '../../worker/shard/frame.ts'
import { SharedReads } from '../../worker/shard/reads.ts'

const changes = JSON.stringify([
  {
    offset: 1,
    table: 'orders',
    op: 'insert',
    key: { id: 1 },
    new: { id: 1, status: 'new' },
    old: null,
  },
  { offset: 2, table: 'stock', op: 'insert', key: { id: 1 }, new: { id: 1 }, old: null },
])
const page: FeedRead = { epoch: 'a', after: 0, through: 2, head: 2, changes }

const textOf = (frame: Frame) => JSON.parse(String(frame.message(false).data))

/** A feed that answers when it is told to. */
function world() {
  const asked: { key: string; answer: PromiseWithResolvers<FeedRead> }[] = []
  const reads = new SharedReads((epoch, after, maxCharacters) => {
    const answer = Promise.withResolvers<FeedRead>()
    asked.push({ key: `${epoch} ${after} ${maxCharacters}`, answer })
    return answer.promise
  })
  return { asked, reads }
}

describe('reading the feed for many', () => {
  it('a thousand who ask for the same page cost one read', async () => {
    const { asked, reads } = world()
    const pages = Array.from({ length: 1_000 }, () => reads.page('a', 0, 100))
    expect(asked).toHaveLength(1)
    asked[0]?.answer.resolve(page)
    for (const shared of await Promise.all(pages)) expect(shared.read).toBe(page)
  })

  it('another position, another epoch and another size are other pages', () => {
    const { asked, reads } = world()
    void reads.page('a', 0, 100)
    void reads.page('a', 1, 100)
    void reads.page('b', 0, 100)
    void reads.page(null, 0, 100)
    void reads.page('a', 0, 200)
    expect(asked.map(({ key }) => key)).toEqual([
      'a 0 100',
      'a 1 100',
      'b 0 100',
      'null 0 100',
      'a 0 200',
    ])
  })

  it('nothing is kept: who asks later has it read anew, also after a failure', async () => {
    const { asked, reads } = world()
    const failed = reads.page('a', 0, 100)
    asked[0]?.answer.reject(new Error('lost'))
    await expect(failed).rejects.toThrow('lost')
    const read = reads.page('a', 0, 100)
    asked[1]?.answer.resolve(page)
    await read
    void reads.page('a', 0, 100)
    expect(asked).toHaveLength(3)
  })

  it('P32 each subscription has a frame of its own, made once', async () => {
    const { asked, reads } = world()
    const reading = reads.page('a', 0, 100)
    asked[0]?.answer.resolve(page)
    const shared = await reading
    const all = shared.frame({ where: {}, scope: EVERY_TABLE })
    const stock = shared.frame({ table: 'stock', where: {}, scope: EVERY_TABLE })
    expect(textOf(all).changes).toHaveLength(2)
    expect(textOf(stock)).toMatchObject({ after: 0, through: 2, changes: [{ offset: 2 }] })
    expect(shared.frame({ where: {}, scope: EVERY_TABLE })).toBe(all)
  })
})
