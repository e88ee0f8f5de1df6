import { expect, vi } from 'vitest'
import type { Change } from '../../protocol/change.ts'
import { limitsFor } from '../../worker/shard/limits.ts'
import { Subscriber } from '../../worker/shard/subscriber.ts'
import { bindings, orderChange, orderRow, type TestLink } from './link.ts'
import { subscribe } from './subscriber.ts'

const LARGE_BYTES = 300_000
/** So many large changes fill the window of one of a few. */
export const FITS = Math.ceil(limitsFor(3, 0).windowBytes / LARGE_BYTES)
export const MANY = 24

/** So large that it is a frame by itself. */
export function largeChange() {
  return orderChange({ new: { ...orderRow('pending'), note: 'x'.repeat(LARGE_BYTES) } })
}

/** @returns once the shard has told what it may */
export async function flood(link: TestLink, count = MANY): Promise<void> {
  for (let batch = 0; batch < count; batch++) await link.deliver([largeChange()])
  const { epoch, head } = await bindings.FEED.getByName('main').status()
  await shard().beat({ epoch, offset: head })
}

/** @returns a wait until a subscriber waits for room, so that nothing more is on its way to it */
export function watchWaiting(): () => Promise<void> {
  const stirred = vi.spyOn(Subscriber.prototype, 'stirred')
  return () => vi.waitFor(() => expect(stirred).toHaveBeenCalled())
}

/** One who was greeted, and what its hello said. */
export async function greeted(query: string) {
  const subscriber = await subscribe(query)
  const hello = await subscriber.frame('hello')
  return { subscriber, hello }
}

export const shard = () => bindings.SHARD.getByName('enam-0')

export const offsets = (changes: Change[]) => changes.map(({ offset }) => offset)

export const through = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)
