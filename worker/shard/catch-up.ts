import type { Position } from '../../protocol/position.ts'
import type { Start } from '../../protocol/subscription.ts'
import { Frame, resetFrame } from './frame.ts'
import type { SharedReads } from './reads.ts'
import { isSame, type Standing } from './standing.ts'
import type { Subscriber } from './subscriber.ts'
import type { Subscribers } from './subscribers.ts'

/**
 * Replays the log to one subscriber until it stands where the shard stands, then lets it in: page
 * by page, each when there is room for it.
 */
export class CatchUp {
  readonly #standing: Standing
  readonly #reads: SharedReads
  readonly #subscribers: Subscribers
  readonly #letIn: (subscriber: Subscriber, at: Position) => void

  /** @param letIn called with who stands where the shard stands, or is the first to stand */
  constructor(
    standing: Standing,
    reads: SharedReads,
    subscribers: Subscribers,
    letIn: (subscriber: Subscriber, at: Position) => void,
  ) {
    this.#standing = standing
    this.#reads = reads
    this.#subscribers = subscribers
    this.#letIn = letIn
  }

  /**
   * @param isGreeted whether it has heard `hello`
   * @returns why it is to be closed: it makes no room; null if it was let in, or has gone
   */
  async run(
    subscriber: Subscriber,
    from: NonNullable<Start>,
    isGreeted: boolean,
  ): Promise<string | null> {
    let { epoch, offset: at } = from
    for (let greeted = isGreeted; subscriber.isOpen; greeted = true) {
      const tooSlow = await this.#untilRoom(subscriber)
      if (tooSlow !== null) return tooSlow
      const page = await this.#reads.page(epoch, at, this.#subscribers.limits.pageCharacters)
      if (!subscriber.isOpen) break
      // No await from here to being let in: nothing can be told in between. A page that reaches
      // past the shard's position takes the shard along, so that the two need not chase.
      const { read } = page
      if (read.reset) {
        const there = this.#standing.here ?? { epoch: read.epoch, offset: read.head }
        if (!greeted) subscriber.greet(there)
        subscriber.send(new Frame(resetFrame(read.reset, there)), there)
        this.#letIn(subscriber, there)
        break
      }
      epoch = read.epoch
      if (!greeted) subscriber.greet({ epoch, offset: at })
      this.#standing.tell(read)
      const there = { epoch, offset: read.through }
      if (read.through > at) subscriber.send(page.frame(subscriber.subscription), there)
      at = read.through
      const { here } = this.#standing
      if (here === null ? at >= read.head : isSame(here, there)) {
        this.#letIn(subscriber, there)
        break
      }
      if (here && (here.epoch !== epoch || here.offset < at)) await this.#standing.pull()
    }
    return null
  }

  async #untilRoom(subscriber: Subscriber): Promise<string | null> {
    while (subscriber.isOpen) {
      const room = subscriber.room(this.#subscribers.limits)
      if (room.kind === 'room') return null
      if (room.kind === 'too_slow') return room.why
      await subscriber.stirred(room.ms)
    }
    return null
  }
}
