import { describe, expect, it, vi } from 'vitest'
import { type Delivery, FanOut } from '../../worker/feed/fan-out.ts'
import type { Shard } from '../../worker/shard/shard.ts'

/** A feed with a log of so many changes, and a shard that takes its time. */
function world() {
  const log = { head: 0 }
  const pages: { page: Delivery; most: number; taken: PromiseWithResolvers<number | undefined> }[] =
    []
  let most = 0
  const fanOut = new FanOut(
    () =>
      ({
        deliver: (page: Delivery) => {
          const taken = Promise.withResolvers<number | undefined>()
          pages.push({ page, most, taken })
          return taken.promise
        },
      }) as unknown as DurableObjectStub<Shard>,
    (after, maxCharacters) => {
      most = maxCharacters
      return after < log.head ? { epoch: 'a', after, through: log.head, changes: '[]' } : null
    },
    async () => undefined,
  )
  fanOut.join('weur-0', 0)
  const append = (count: number) => {
    log.head += count
    void fanOut.push()
  }
  const take = async (said: number | undefined) => {
    pages.at(-1)?.taken.resolve(said)
    await vi.waitFor(() => undefined)
  }
  const ranges = () => pages.map(({ page }) => [page.after, page.through])
  return { append, take, pages, ranges }
}

describe('pushing to a shard', () => {
  it('P36 an idle one is told at once; one that is busy is told the rest in one page', async () => {
    const { append, take, ranges } = world()
    append(1)
    for (let more = 0; more < 20; more++) append(1)
    expect(ranges()).toEqual([[0, 1]])
    await take(1_000)
    expect(ranges()).toEqual([
      [0, 1],
      [1, 21],
    ])
    await take(1_000)
    append(1)
    expect(ranges().at(-1)).toEqual([21, 22])
  })

  it('P39 the next page is as large as the shard said', async () => {
    const { append, take, pages } = world()
    append(1)
    append(1)
    await take(4_096)
    append(1)
    // As one that runs the code of before.
    await take(undefined)
    expect(pages.map(({ most }) => most)).toEqual([131_072, 4_096, 131_072])
  })
})
