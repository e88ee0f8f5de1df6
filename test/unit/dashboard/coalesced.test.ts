import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { coalesced } from '../../../client/dashboard/coalesced.ts'

const REST_MS = 400

/** Runs that end when the test says so. */
function begin() {
  const runs: { signal: AbortSignal; end(): Promise<void> }[] = []
  const subject = coalesced((signal) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    runs.push({
      signal,
      async end() {
        resolve()
        await vi.advanceTimersByTimeAsync(0)
      },
    })
    return promise
  }, REST_MS)
  return { subject, runs, last: () => runs.at(-1) ?? expect.fail('nothing ran') }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('asked a hundred times while one is under way, it runs once more, after a rest', async () => {
  const { subject, runs, last } = begin()
  subject.ask()
  for (let asked = 0; asked < 100; asked++) subject.ask()
  expect(runs).toHaveLength(1)
  await last().end()
  await vi.advanceTimersByTimeAsync(REST_MS - 1)
  expect(runs).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(1)
  expect(runs).toHaveLength(2)
  await last().end()
  await vi.advanceTimersByTimeAsync(10 * REST_MS)
  expect(runs).toHaveLength(2)
})

test('asked while it rests, it runs when the rest is over; after that, at once', async () => {
  const { subject, runs, last } = begin()
  subject.ask()
  await last().end()
  subject.ask()
  expect(runs).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(REST_MS)
  expect(runs).toHaveLength(2)
  await last().end()
  await vi.advanceTimersByTimeAsync(REST_MS)
  subject.ask()
  expect(runs).toHaveLength(3)
})

test('another question gives up the old one and does not wait for it', async () => {
  const { subject, runs } = begin()
  subject.ask()
  subject.ask()
  subject.restart()
  expect(runs.map(({ signal }) => signal.aborted)).toEqual([true, false])
  // The old one comes to its end late: that is no end of the new one.
  await runs[0]?.end()
  subject.ask()
  await vi.advanceTimersByTimeAsync(10 * REST_MS)
  expect(runs).toHaveLength(2)
  await runs[1]?.end()
  await vi.advanceTimersByTimeAsync(REST_MS)
  expect(runs).toHaveLength(3)
})

test('stopped, nothing runs until it is asked again', async () => {
  const { subject, runs, last } = begin()
  subject.ask()
  subject.ask()
  subject.stop()
  expect(last().signal.aborted).toBe(true)
  await last().end()
  await vi.advanceTimersByTimeAsync(10 * REST_MS)
  expect(runs).toHaveLength(1)
  subject.ask()
  expect(runs).toHaveLength(2)
})
