import type { ResetReason } from '../../protocol/frames.ts'
import type { Shard } from '../shard/shard.ts'
import type { Page } from './log.ts'

/** A page as it travels to a shard, with the epoch it belongs to. */
export type Delivery = Page & { epoch: string }

/** A page after a position, or why there is none; `head` is where the feed stands. */
export type FeedRead =
  | (Delivery & { head: number; reset?: never })
  | { reset: ResetReason; epoch: string; head: number }

/** Before a shard has said how much it takes. */
const FIRST_PAGE_CHARACTERS = 128 * 1024

/**
 * Pushes what was appended to the shards.
 *
 * A shard is authoritative on what its sockets have seen; a push is only the quickest way to tell
 * it. So nothing here is durable: a push that fails, or a feed that forgot how far a shard had
 * come, is mended by the shard, which pulls whatever lies between its position and a push or a
 * heartbeat. One push to a shard is under way at a time, so a slow shard gets few large pages
 * and an idle one gets each batch at once, and neither makes another wait. The shard says when
 * the next page may follow, and how large it may be.
 */
export class FanOut {
  readonly #stub: (name: string) => DurableObjectStub<Shard>
  readonly #read: (after: number, maxCharacters: number) => Delivery | null
  readonly #sent: (shard: string, through: number) => Promise<void>
  readonly #shards = new Map<string, Progress>()

  /**
   * @param read the page after an offset; null when there is none
   * @param sent called when a shard was sent all up to there and nothing is on its way; never throws
   */
  constructor(
    stub: (name: string) => DurableObjectStub<Shard>,
    read: (after: number, maxCharacters: number) => Delivery | null,
    sent: (shard: string, through: number) => Promise<void>,
  ) {
    this.#stub = stub
    this.#read = read
    this.#sent = sent
  }

  get shards(): string[] {
    return [...this.#shards.keys()]
  }

  /** The shard wants what follows `offset`, unless it is being told already. */
  join(name: string, offset: number): void {
    if (!this.#shards.has(name))
      this.#shards.set(name, { sent: offset, most: FIRST_PAGE_CHARACTERS, pushing: false })
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
      for (let page = this.#next(progress); page; page = this.#next(progress)) {
        progress.sent = page.through
        const most: number | undefined = await this.#stub(name).deliver(page)
        // One that still runs the code of before does not say.
        progress.most = most ?? FIRST_PAGE_CHARACTERS
        void this.#sent(name, progress.sent)
      }
    } catch (error) {
      // Its next heartbeat finds the gap, so the shard is not pursued.
      console.warn(
        JSON.stringify({ message: 'a push to a shard failed', shard: name, error: String(error) }),
      )
    } finally {
      progress.pushing = false
    }
    await this.#sent(name, progress.sent)
  }

  #next({ sent, most }: Progress): Delivery | null {
    return this.#read(sent, most)
  }
}

/** `most`: how many characters the next page may have, by what the shard said last. */
type Progress = { sent: number; most: number; pushing: boolean }
