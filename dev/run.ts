import { printError } from './terminal.ts'

/**
 * One run of several parts.
 *
 * What was started is stopped, in the reverse order, however the run ends: by Ctrl-C, by a
 * failure half way through, or by a part that is added while it is ending.
 */
export type Part = {
  stop: () => Promise<void> | void
  /** Ends it without waiting. Parts that live in this process need none. */
  kill?: () => void
}

export class Run {
  readonly #ending = new AbortController()
  readonly #parts: Part[] = []
  #ended: Promise<void> | null = null

  /** Aborts when the run begins to end. */
  get ending(): AbortSignal {
    return this.#ending.signal
  }

  async add(part: Part): Promise<void> {
    this.#parts.push(part)
    if (this.#ended) await part.stop()
    this.ending.throwIfAborted()
  }

  end(): Promise<void> {
    this.#ended ??= this.#stopAll()
    return this.#ended
  }

  kill(): void {
    for (const part of this.#parts) part.kill?.()
  }

  async #stopAll(): Promise<void> {
    this.#ending.abort()
    for (const part of this.#parts.toReversed())
      try {
        await part.stop()
      } catch (error) {
        printError(error) // One that cannot be stopped must not keep the others.
      }
  }
}
