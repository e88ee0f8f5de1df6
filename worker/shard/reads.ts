import { type Subscription, subscriptionKey } from '../../protocol/subscription.ts'
import type { FeedRead } from '../feed/fan-out.ts'
import { changesFrame, Frame } from './frame.ts'
import { PageText } from './page-text.ts'

type Read = (epoch: string | null, after: number, maxCharacters: number) => Promise<FeedRead>

/**
 * Pages of the feed for those who are caught up, so that a thousand who come back to the same
 * position cost one read, and one frame for each of their subscriptions. Only what is under way is
 * shared: nothing is kept.
 */
export class SharedReads {
  readonly #read: Read
  readonly #underWay = new Map<string, Promise<SharedPage>>()

  constructor(read: Read) {
    this.#read = read
  }

  /** A page that was read now or began to be read a moment ago. */
  page(epoch: string | null, after: number, maxCharacters: number): Promise<SharedPage> {
    const key = `${epoch} ${after} ${maxCharacters}`
    const underWay = this.#underWay.get(key)
    if (underWay) return underWay
    const page = this.#read(epoch, after, maxCharacters)
      .then((read) => new SharedPage(read))
      .finally(() => this.#underWay.delete(key))
    this.#underWay.set(key, page)
    return page
  }
}

export class SharedPage {
  readonly read: FeedRead
  readonly #frames = new Map<string, Frame>()
  #page: PageText | null = null

  constructor(read: FeedRead) {
    this.read = read
  }

  /** The page as this subscription hears it. */
  frame(subscription: Subscription): Frame {
    const { read } = this
    if (read.reset) throw new Error('a reset is no page')
    const key = subscriptionKey(subscription)
    let frame = this.#frames.get(key)
    if (frame === undefined) {
      this.#page ??= new PageText(read.changes)
      frame = new Frame(changesFrame(read, this.#page.heardBy(subscription)))
      this.#frames.set(key, frame)
    }
    return frame
  }
}
