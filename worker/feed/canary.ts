import { CANARY_TABLE } from '../../protocol/canary.ts'
import type { CapturedChange } from '../../protocol/change.ts'

/**
 * The canary as the feed sees it: which beat came last, how long it took, and who of those that
 * read the feed has not come as far since.
 *
 * Must hold (P70): a beat is taken out of what is to be appended and leaves no trace in the log.
 * All of this is memory only, for a row written every 5 s would be half a million a month: after
 * an eviction nothing is known until the next beat.
 *
 * Clocks: `at` is Postgres', everything else this object's, and what is decided is decided by its
 * own alone. Only `toFeedMs` lies between the two clocks, and is as wrong as they differ.
 */
export type Beat = { beat: number; at: string }

/** Who was asked, and has not come so far as the feed stood then, is late after this time. */
export const READER_LATE_MS = 10_000

/** What belongs into the log, and the beats among it. */
export function sortOut(captured: readonly CapturedChange[]): {
  changes: readonly CapturedChange[]
  beats: Beat[]
} {
  if (!captured.some(isCanary)) return { changes: captured, beats: [] }
  return {
    changes: captured.filter((change) => !isCanary(change)),
    beats: captured.filter(isCanary).flatMap(beatOf),
  }
}

export class Canary {
  #newest: (Beat & { receivedAt: number; shardsAt: number | null }) | null = null
  /** Since when each shard that was asked owes an answer; null if it owes none. */
  #owing = new Map<string, number | null>()
  /** Where the feed stood whenever the readers were asked, oldest first; consumers need not answer. */
  #asked: { head: number; at: number }[] = []

  /** @returns false for one that came before: what was not deleted in time is sent again */
  heard({ beat, at }: Beat, now: number): boolean {
    const newest = this.#newest
    // Either may go back by itself: a clock is set, or a crash forgets the row's last update.
    if (newest && beat <= newest.beat && Date.parse(at) <= Date.parse(newest.at)) return false
    this.#newest = { beat, at, receivedAt: now, shardsAt: null }
    return true
  }

  /** @param shards all that there are; each now owes an answer, if it does not already */
  ask(shards: readonly string[], head: number, now: number): void {
    // Of those by which a consumer is late already the newest is enough.
    const due = this.#asked.findLastIndex(({ at }) => isLate(at, now))
    this.#asked = [...this.#asked.slice(Math.max(0, due)), { head, at: now }]
    this.#owing = new Map(shards.map((shard) => [shard, this.#owing.get(shard) ?? now]))
    this.#settle(now)
  }

  /** @param askedAt when the question was put that this answers */
  answered(shard: string, askedAt: number, now: number): void {
    if (!this.#owing.has(shard)) return
    const last = this.#asked.at(-1)?.at ?? 0
    this.#owing.set(shard, askedAt >= last ? null : last)
    this.#settle(now)
  }

  restart(): void {
    this.#newest = null
    this.#owing.clear()
    this.#asked = []
  }

  report(now: number): CanaryReport | null {
    if (this.#newest === null) return null
    const { beat, at, receivedAt, shardsAt } = this.#newest
    return {
      beat,
      at,
      ageMs: now - receivedAt,
      toFeedMs: Math.max(0, receivedAt - Date.parse(at)),
      toShardsMs: shardsAt === null ? null : Math.max(0, shardsAt - receivedAt),
    }
  }

  lateShards(now: number): string[] {
    return [...this.#owing].filter(([, since]) => isLate(since, now)).map(([name]) => name)
  }

  /** By now every consumer has come so far, or is late. */
  dueHead(now: number): number {
    return this.#asked.findLast(({ at }) => isLate(at, now))?.head ?? 0
  }

  #settle(now: number): void {
    const allAnswered = [...this.#owing.values()].every((since) => since === null)
    if (this.#newest && allAnswered) this.#newest.shardsAt ??= now
  }
}

/** `ageMs`: since it reached the feed. `toShardsMs`: null until the last shard has answered. */
export type CanaryReport = Beat & {
  ageMs: number
  toFeedMs: number
  toShardsMs: number | null
}

function isLate(since: number | null, now: number): boolean {
  return since !== null && now - since > READER_LATE_MS
}

function isCanary({ table }: CapturedChange): boolean {
  return table === CANARY_TABLE
}

/** Whoever empties the table by hand writes changes that are no beats. */
function beatOf({ new: row, at }: CapturedChange): Beat[] {
  const beat = row?.beat
  return typeof beat === 'number' && Number.isFinite(Date.parse(at)) ? [{ beat, at }] : []
}
