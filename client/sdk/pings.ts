import { CHECK_MS } from './lifecycle.ts'
import type { Platform } from './platform.ts'

/**
 * The pings under way on one socket. Answers carry nothing but come in the order
 * of asking, so each takes the oldest; one that nobody waits for stands in the
 * queue as well.
 */
export function pingQueue(world: Platform) {
  let asked: (Ask | null)[] = []
  let next: Ask | null = null

  return {
    /** The ping that is `sent` next has somebody who waits: in milliseconds. */
    expect(): Promise<number> {
      const { promise, resolve, reject } = Promise.withResolvers<number>()
      const askedAt = world.stopwatch()
      const cancel = world.timer(CHECK_MS, () => reject(new Error(`no answer in ${CHECK_MS} ms`)))
      next = {
        answer() {
          cancel()
          resolve(world.stopwatch() - askedAt)
        },
        fail(why) {
          cancel()
          reject(new Error(why))
        },
      }
      return promise
    },
    sent() {
      asked.push(next)
      next = null
    },
    answered() {
      asked.shift()?.answer()
    },
    brokeOff() {
      const unanswered = asked
      asked = []
      for (const ask of unanswered) ask?.fail('the connection broke off before the answer')
    },
  }
}

type Ask = { answer(): void; fail(why: string): void }
