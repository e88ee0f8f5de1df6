/** Where the feed stood when it answered. */
export type Head = { epoch: string; head: number }

/**
 * Tells the feed that this shard is there and how many sockets it holds; what is appended from
 * then on is pushed to it. What was appended before was not: whoever tells looks at the answer.
 *
 * One call is under way at a time, and who asks meanwhile shares it. For each call writes a row in
 * the feed, and its answer waits until that is on the disk: a thousand who came back with a call
 * each waited for 1,008 syncs of the disk, one after the other; like this, for 7. A call that fails
 * is made again at the next change or heartbeat.
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
