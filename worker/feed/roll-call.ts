import type { Position } from '../../protocol/position.ts'
import type { Shard } from '../shard/shard.ts'

/** A question that has had no answer for so long will have none. */
const FORGET_MS = 30_000

/**
 * Asks each shard, once for each beat of the canary, whether it stands where the feed stood then.
 * The question follows what lies before it: a push that is stuck keeps it back, and so it shows.
 * One question to a shard is under way at a time.
 */
export class RollCall {
  readonly #stub: (name: string) => DurableObjectStub<Shard>
  readonly #answered: (shard: string, askedAt: number) => void
  /** Who is still to be asked. */
  readonly #due = new Set<string>()
  #question: { here: Position; askedAt: number } | null = null
  /** Since when an answer is awaited. */
  readonly #asking = new Map<string, number>()

  /**
   * @param answered called when a shard stands there, or holds nobody to whom that matters
   */
  constructor(
    stub: (name: string) => DurableObjectStub<Shard>,
    answered: (shard: string, askedAt: number) => void,
  ) {
    this.#stub = stub
    this.#answered = answered
  }

  /** @param here where the feed stands */
  begin(shards: readonly string[], here: Position, askedAt: number): void {
    this.#question = { here, askedAt }
    this.#due.clear()
    for (const shard of shards) this.#due.add(shard)
  }

  /** A shard was sent all up to there, and nothing is on its way to it. */
  async sent(shard: string, through: number, now: number): Promise<void> {
    if (!this.#question || !this.#due.has(shard)) return
    const { here, askedAt } = this.#question
    const isAsking = now - (this.#asking.get(shard) ?? 0) < FORGET_MS
    if (isAsking || through < here.offset) return
    this.#due.delete(shard)
    this.#asking.set(shard, now)
    try {
      const there = await this.#stub(shard).beat(here)
      if (there === null || isThere(there, here)) this.#answered(shard, askedAt)
    } catch (error) {
      console.warn(
        JSON.stringify({ message: 'a shard did not answer', shard, error: String(error) }),
      )
    } finally {
      if (this.#asking.get(shard) === now) this.#asking.delete(shard)
    }
  }
}

function isThere(there: Position, here: Position): boolean {
  return there.epoch === here.epoch && there.offset >= here.offset
}
