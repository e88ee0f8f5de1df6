import type { Position } from '../../protocol/position.ts'
import type { Delivery, FeedRead } from '../feed/fan-out.ts'
import { laterThan } from '../feed/later-than.ts'
import type { Audience } from './audience.ts'

/** How long a subscriber to whom nothing matched may be left without saying so. */
const BEHIND_MS = 1_000

/** The position is stored at most so often: a row written with each frame holds each frame back. */
const STORE_MS = 1_000

type Timer = ReturnType<typeof setTimeout>
/** As much of the object's storage as is needed here. */
type Storage = { get(key: 'position'): unknown; put(key: 'position', position: unknown): void }

/**
 * Where the shard stands.
 *
 * Authoritative on its position: everything up to it was told to every live socket, nothing
 * after it. Must hold: the position moves only together with the frames it stands for, in one
 * synchronous step. One comparison guards every way in (push, pull, catch-up): what is not after
 * the position is dropped; what begins beyond it is a gap, and the feed is read until there is
 * none. A shard without an audience has promised nothing to anyone: it takes the position of the
 * first who comes in.
 * The position is stored a moment later, and the object cannot hibernate before: so whoever wakes
 * with sockets knows where they stand. If it dies earlier the sockets die with it.
 */
export class Standing {
  readonly #audience: Audience
  readonly #storage: Storage
  readonly #read: (epoch: string, after: number) => Promise<FeedRead>
  #position: Position | null
  #pulling: Promise<void> | null = null
  /** Grows with each demand for a pull: what was read before it does not meet it. */
  #demands = 0
  /** While one of these runs the object does not hibernate, and so does not forget. */
  #behind: Timer | null = null
  #storing: Timer | null = null

  constructor(
    audience: Audience,
    storage: Storage,
    read: (epoch: string, after: number) => Promise<FeedRead>,
  ) {
    this.#audience = audience
    this.#storage = storage
    this.#read = read
    this.#position = (storage.get('position') as Position | undefined) ?? null
  }

  /** Of an earlier life of this object: where the sockets stand that it has woken with. */
  get remembered(): Position | null {
    return this.#position
  }

  /** The position, if there is anyone to whom it is a promise. */
  get here(): Position | null {
    return this.#audience.size > 0 ? this.#position : null
  }

  /** The first to whom it is one stands there. */
  begin(position: Position): void {
    this.#moveTo(position)
  }

  /** Tells everyone what lies between the position and the page's end, and moves there. */
  tell(page: Delivery): void {
    const { here } = this
    if (here === null || page.epoch !== here.epoch) return
    if (page.after > here.offset || page.through <= here.offset) return
    const changes = page.after === here.offset ? page.changes : laterThan(here.offset, page.changes)
    const position = { epoch: page.epoch, offset: page.through }
    this.#moveTo(position)
    if (this.#audience.tell(position, changes).behind)
      this.#behind ??= setTimeout(() => this.#tellWhoIsBehind(), BEHIND_MS)
  }

  /** The feed stands there, by what it says: what lies between was not pushed, or is on its way. */
  async comeTo({ epoch, offset }: Position): Promise<void> {
    const { here } = this
    if (here && (here.epoch !== epoch || here.offset < offset)) await this.pull()
  }

  /** Reads the feed until nothing is missing of what it had when this was called. */
  pull(): Promise<void> {
    this.#demands++
    this.#pulling ??= this.#readToHead().finally(() => {
      this.#pulling = null
    })
    return this.#pulling
  }

  /** One at a time. It ends with a read that began after the last demand. */
  async #readToHead(): Promise<void> {
    for (let asked = this.here; asked !== null; asked = this.here) {
      const demands = this.#demands
      const page = await this.#read(asked.epoch, asked.offset)
      if (page.reset) {
        // Asked from where we stand no more: everyone was told of another position meanwhile.
        if (this.here === null || !isSame(this.here, asked)) continue
        const position = { epoch: page.epoch, offset: page.head }
        this.#moveTo(position)
        this.#audience.reset(page.reset, position)
      } else this.tell(page)
      const { here } = this
      if (here && here.offset >= page.head && demands === this.#demands) return
    }
  }

  #moveTo(position: Position): void {
    this.#position = position
    this.#storing ??= setTimeout(() => {
      this.#storing = null
      this.#storage.put('position', this.#position)
    }, STORE_MS)
  }

  #tellWhoIsBehind(): void {
    this.#behind = null
    if (this.#position) this.#audience.catchUp(this.#position)
  }
}

export function isSame(a: Position, b: Position): boolean {
  return a.epoch === b.epoch && a.offset === b.offset
}
