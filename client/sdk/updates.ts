import type { Update } from './live.ts'

/** A reader that is further behind is told once that everything may be different. */
const MAX_WAITING = 1_000

/** The updates of a live table for one `for await`: kept until they are asked for. */
export class Updates<T extends object> implements AsyncIterableIterator<Update<T>> {
  readonly #leave: () => void
  #waiting: Update<T>[] = []
  #asked: PromiseWithResolvers<IteratorResult<Update<T>>>[] = []
  #end: { error: Error | null } | null = null

  /** @param leave called once, when the reader wants no more */
  constructor(leave: () => void) {
    this.#leave = leave
  }

  push(update: Update<T>): void {
    if (this.#end !== null) return
    const asked = this.#asked.shift()
    if (asked) asked.resolve({ done: false, value: update })
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(update)
    else this.#waiting = [{ kind: 'snapshot' }]
  }

  /** What is waiting is still handed out; then it is over, or fails with the error. */
  end(error: Error | null): void {
    if (this.#end !== null) return
    this.#end = { error }
    for (const asked of this.#asked.splice(0)) this.#settle(asked)
  }

  next(): Promise<IteratorResult<Update<T>>> {
    const asked = Promise.withResolvers<IteratorResult<Update<T>>>()
    const update = this.#waiting.shift()
    if (update) asked.resolve({ done: false, value: update })
    else if (this.#end) this.#settle(asked)
    else this.#asked.push(asked)
    return asked.promise
  }

  return(): Promise<IteratorResult<Update<T>>> {
    this.#leave()
    this.#waiting = []
    this.end(null)
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #settle(asked: PromiseWithResolvers<IteratorResult<Update<T>>>): void {
    const error = this.#end?.error
    // Thrown once: what is asked after that is simply over.
    if (this.#end) this.#end = { error: null }
    if (error) asked.reject(error)
    else asked.resolve({ done: true, value: undefined })
  }
}
