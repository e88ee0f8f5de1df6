/** Where the feed stood when it answered. */
export type Head = { epoch: string; head: number }

/**
 * Tells the feed that this shard is there and how many sockets it holds; what is appended from
 * then on is pushed to it. What was appended before was not: whoever tells looks at the answer.
 *
 * One call is under way at a time, and who asks meanwhile shares it. For each call is a row in the
 * feed, and its answer waits until that is on the disk: when a thousand came back with a call each,
 * the last was greeted after 1 s where that takes 1 ms, and after 30 s where it takes 8 ms; with a
 * few calls it is less than 1 s either way. A call that fails is made again at the next change or
 * heartbeat.
 */
export class Attendance {
  readonly #tell: (sockets: number) => Promise<Head>
  readonly #count: () => number
  readonly #failed: (error: unknown) => void
  #underWay: Promise<Head> | null = null
  /** How many the feed knows of; null when that is not sure. */
  #told: number | null = null

  constructor(
    tell: (sockets: number) => Promise<Head>,
    count: () => number,
    failed: (error: unknown) => void,
  ) {
    this.#tell = tell
    this.#count = count
    this.#failed = failed
  }

  /** Whether the feed pushes to this shard. */
  get isKnown(): boolean {
    return this.#told !== null && this.#told > 0
  }

  announce(): Promise<Head> {
    this.#underWay ??= this.#call().finally(() => {
      this.#underWay = null
      if (this.#told !== null) this.recount()
    })
    return this.#underWay
  }

  /** The number may have changed. */
  recount(): void {
    if (this.#underWay === null && this.#count() !== this.#told)
      this.announce().catch((error) => this.#failed(error))
  }

  async #call(): Promise<Head> {
    const sockets = this.#count()
    this.#told = null
    const head = await this.#tell(sockets)
    this.#told = sockets
    return head
  }
}
