import { newEpoch } from '../feed/life.ts'
import type { Copy } from './copy.ts'
import { CopyRecord } from './copy-record.ts'
import type { DutyRecord } from './duty-record.ts'
import { filledAgain, filledAnew } from './fill.ts'
import { type Heard, hear, type Step } from './hear.ts'
import type { Patience } from './patience.ts'
import type { Queries } from './queries.ts'
import type { Sockets } from './sockets.ts'

/** More heard while a load is under way is not kept: it is begun again. */
const MOST_HEARD = 2_000

/**
 * The copy in its storage, with what is under way.
 *
 * Must hold: each step is stored in one transaction and told to the sockets in the same turn. What
 * is heard while a load is under way is kept until it ends. A copy of another life of the feed is
 * not served, because what moved in between may have been told to nobody here.
 * On failure of a load the copy stays as it is, and is still to be filled.
 */
export class LiveCopy {
  readonly #storage: DurableObjectStorage
  readonly #record: CopyRecord
  readonly #duties: DutyRecord
  readonly #sockets: Sockets
  readonly #patience: Patience
  readonly #queries: () => Queries
  readonly #attend: () => Promise<void>
  readonly #forgotten: () => void
  #loading: Promise<void> | null = null
  /** Since the load that is under way began; null while none is. */
  #heardSince: Heard[] | null = null
  /** Grows when all is forgotten: what was asked before that is dropped. */
  #life = 0

  constructor(
    storage: DurableObjectStorage,
    parts: {
      duties: DutyRecord
      sockets: Sockets
      patience: Patience
      queries: () => Queries
      /** Has the feed tell of what is delivered, from then on. */
      attend: () => Promise<void>
      forgotten: () => void
    },
  ) {
    this.#storage = storage
    this.#record = new CopyRecord(storage)
    this.#duties = parts.duties
    this.#sockets = parts.sockets
    this.#patience = parts.patience
    this.#queries = parts.queries
    this.#attend = parts.attend
    this.#forgotten = parts.forgotten
  }

  /** As it is now, whether or not it is to be filled; null while nobody has read this inbox. */
  get now(): Copy | null {
    return this.#record.copy
  }

  get mustLoad(): boolean {
    return this.#duties.now.wanted !== null || this.now?.isStale === true
  }

  hear(heard: readonly Heard[]): void {
    const since = this.#heardSince
    if (since && since.length <= MOST_HEARD) since.push(...heard)
    if (this.now && this.#duties.now.wanted === null)
      this.#commit(hear(this.now, heard, Date.now()))
  }

  /** @returns whether that life of the feed is over: who speaks of it is behind */
  isOver(feed: string): boolean {
    return this.#duties.now.left.includes(feed)
  }

  /** The feed is in that life now: a copy of another one is to be filled anew. */
  comeTo(feed: string): void {
    if (this.isOver(feed) || this.#duties.now.wanted === feed) return
    if (this.now?.feed !== feed) this.#duties.change({ wanted: feed })
  }

  /**
   * Afterwards `now` may be served to whoever knows the feed in that life; null if there is no such
   * user.
   * @throws what the driver says, while there is nothing to serve
   */
  async ready(feed: string): Promise<void> {
    this.comeTo(feed)
    if (this.now === null || this.#duties.now.wanted !== null) await this.load()
    else {
      this.hear([])
      // A load that is under way may have begun before what made the copy stale.
      for (let loads = 0; loads < 2 && this.#mayRefresh; loads++)
        await this.load().catch((error) => this.#patience.failed(error, Date.now()))
    }
  }

  /** Until it has, its counts may be wrong, and are better than none. */
  get #mayRefresh(): boolean {
    return this.now?.isStale === true && this.#patience.mayAsk(Date.now())
  }

  /** @throws what the driver says */
  load(): Promise<void> {
    this.#loading ??= this.#fill().finally(() => {
      this.#loading = null
      this.#heardSince = null
    })
    return this.#loading
  }

  /** There is no such user any more: nothing of them stays. */
  async forget(): Promise<void> {
    this.#life++
    this.#record.forget()
    this.#duties.forget()
    this.#sockets.closeAll('unauthorized', 'there is no such user any more')
    await this.#storage.deleteAll()
    this.#forgotten()
  }

  get life(): number {
    return this.#life
  }

  async #fill(): Promise<void> {
    const life = this.#life
    const { wanted } = this.#duties.now
    const since: Heard[] = []
    this.#heardSince = since
    if (this.now === null || wanted !== null) await this.#attend()
    const loaded = await this.#queries().window()
    this.#patience.answered()
    if (life !== this.#life) return
    if (!loaded) return this.forget()
    if (wanted !== this.#duties.now.wanted || since.length > MOST_HEARD) return this.#fill()
    const now = Date.now()
    if (loaded.next_ms !== null) this.#duties.expect(now + Math.ceil(Number(loaded.next_ms)))
    if (this.now && wanted === null) return this.#commit(filledAgain(this.now, loaded, since, now))
    const feed = wanted ?? ''
    const epoch = newEpoch(crypto.getRandomValues(new Uint8Array(12)))
    this.#commit(filledAnew(loaded, since, { epoch, feed }, now))
  }

  #commit({ copy, late }: Step): void {
    const before = this.now
    if (copy === before) return
    this.#storage.transactionSync(() => {
      this.#record.save(copy)
      this.#duties.addLate(late)
      if (copy.epoch !== before?.epoch) this.#duties.enter(copy.feed, before?.feed ?? null)
    })
    if (before) this.#sockets.tell(copy, before, Date.now())
  }
}
