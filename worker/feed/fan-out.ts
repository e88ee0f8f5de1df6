import type { Shard } from '../shard/shard.ts'
import type { Page } from './log.ts'

/** A page as it travels to a shard, with the epoch it belongs to. */
export type Delivery = Page & { epoch: string }

/**
 * Pushes what was appended to the shards.
 *
 * A shard is authoritative on what its sockets have seen; a push is only the quickest way to tell
 * it. So nothing here is durable: a push that fails, or a feed that forgot how far a shard had
 * come, is mended by the shard, which pulls whatever lies between its position and a push or a
 * heartbeat. One push to a shard is under way at a time, so a slow shard gets few large pages
 * and an idle one gets each batch at once, and neither makes another wait.
 */
export class FanOut {
  readonly #stub: (name: string) => DurableObjectStub<Shard>
  readonly #read: (after: number) => Delivery | null
  readonly #shards = new Map<string, Progress>()

  /** @param read the page after an offset; null when there is none */
  constructor(
    stub: (name: string) => DurableObjectStub<Shard>,
    read: (after: number) => Delivery | null,
  ) {
    this.#stub = stub
    this.#read = read
  }

  /** The shard wants what follows `offset`, unless it is being told already. */
  join(name: string, offset: number): void {
    if (!this.#shards.has(name)) this.#shards.set(name, { sent: offset, pushing: false })
  }

  /** The log began anew. */
  restart(): void {
    for (const progress of this.#shards.values()) progress.sent = 0
  }

  leave(name: string): void {
    this.#shards.delete(name)
  }

  /** @returns when every shard that could be reached has all there is */
  async push(): Promise<void> {
    await Promise.all(Array.from(this.#shards, ([name, progress]) => this.#pushTo(name, progress)))
  }

  async #pushTo(name: string, progress: Progress): Promise<void> {
    if (progress.pushing) return
    progress.pushing = true
    try {
      for (let page = this.#read(progress.sent); page; page = this.#read(progress.sent)) {
        progress.sent = page.through
        await this.#stub(name).deliver(page)
      }
    } catch (error) {
      // Its next heartbeat finds the gap, so the shard is not pursued.
      console.warn(
        JSON.stringify({ message: 'a push to a shard failed', shard: name, error: String(error) }),
      )
    } finally {
      progress.pushing = false
    }
  }
}

type Progress = { sent: number; pushing: boolean }
