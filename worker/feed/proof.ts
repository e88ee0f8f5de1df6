import type { Position } from '../../protocol/position.ts'
import type { Shard } from '../shard/shard.ts'
import { type Beat, Canary } from './canary.ts'
import type { ConsumerReport } from './consumer.ts'
import { judge, type ProofReport } from './delivering.ts'
import { RollCall } from './roll-call.ts'
import type { DrainReport, ListenerReport } from './status.ts'

export type ProofParts = {
  stub: (shard: string) => DurableObjectStub<Shard>
  /** Where the feed stands. */
  here: () => Position
  /** Those that hold sockets. */
  shards: () => string[]
  /** Lets the fan-out go on, which says of each shard how far it was sent to. */
  push: () => void
}

/** The proof that changes arrive: hears the canary, and asks those it was on its way to. */
export class Proof {
  readonly #parts: ProofParts
  readonly #canary = new Canary()
  readonly #rollCall: RollCall
  readonly #awakeSince: number

  constructor(parts: ProofParts, now: number) {
    this.#parts = parts
    this.#awakeSince = now
    this.#rollCall = new RollCall(parts.stub, (shard, askedAt) =>
      this.#canary.answered(shard, askedAt, Date.now()),
    )
  }

  beat(beat: Beat, now: number): void {
    if (this.#canary.heard(beat, now)) this.ask(now)
  }

  /** Also while the feed drains by itself and there is no beat. */
  ask(now: number): void {
    const [shards, here] = [this.#parts.shards(), this.#parts.here()]
    this.#canary.ask(shards, here.offset, now)
    this.#rollCall.begin(shards, here, now)
    this.#parts.push()
  }

  /** A shard was sent all up to there, and nothing is on its way to it. */
  sent(shard: string, through: number): Promise<void> {
    return this.#rollCall.sent(shard, through, Date.now())
  }

  /** A new life of the feed: offsets begin anew, and so may the beats. */
  restart(): void {
    this.#canary.restart()
  }

  report(
    way: { listener: ListenerReport; drain: DrainReport; consumers: readonly ConsumerReport[] },
    now: number,
  ): ProofReport {
    const canary = this.#canary.report(now)
    const lateShards = this.#canary.lateShards(now)
    const dueHead = this.#canary.dueHead(now)
    const consumers = way.consumers.map((each) => ({ ...each, late: each.offset < dueHead }))
    const facts = { ...way, now, awakeSince: this.#awakeSince, canary, lateShards, consumers }
    return { canary, lateShards, ...judge(facts) }
  }
}
