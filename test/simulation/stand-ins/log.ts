import type { CapturedChange, Change } from '../../../protocol/change.ts'
import type { ResetReason } from '../../../protocol/frames.ts'
import { current } from '../current.ts'

/** What a feed stores here: plain lists, or the real log over an in-memory SQLite. */
export type LogStorage = { batches: Change[][]; seen: Set<string>; real: RealLog | null }

export type RealLog = {
  readonly head: number
  readonly tail: number
  append(captured: readonly CapturedChange[], now: number): Appended
  read(after: number, maxCharacters: number): Page | ResetReason
  prune(
    limits: { maxChanges: number; maxAgeMs: number; maxBytes: number },
    keepAfter: number,
    now: number,
  ): number
  clear(): void
}
type Appended = { after: number; through: number; duplicates: number }
type Page = { after: number; through: number; changes: string }

/**
 * In place of worker/feed/log.ts: the same answers from plain lists, or from the real one. The
 * checker is told of all that is appended.
 */
export class Log {
  readonly #storage: LogStorage

  constructor({ log }: { log: LogStorage }) {
    this.#storage = log
  }

  get head(): number {
    const { batches, real } = this.#storage
    return real ? real.head : (batches.at(-1)?.at(-1)?.offset ?? 0)
  }

  get tail(): number {
    const { batches, real } = this.#storage
    return real ? real.tail : (batches[0]?.[0]?.offset ?? 1) - 1
  }

  append(captured: readonly CapturedChange[], now: number): Appended {
    const { real } = this.#storage
    const { checker } = current()
    if (real) {
      const appended = real.append(captured, now)
      const page = real.read(appended.after, Number.POSITIVE_INFINITY)
      if (typeof page !== 'string') checker.appended(JSON.parse(page.changes) as Change[])
      return appended
    }
    const { batches, seen } = this.#storage
    const after = this.head
    const { world } = current()
    const isDrain = checker.speaking === null
    const keep =
      world.broken === 'duplicates kept' || (world.broken === 'drain: duplicates kept' && isDrain)
    const fresh = captured.filter(({ id }) => keep || !seen.has(id))
    const duplicates = captured.length - fresh.length
    if (isDrain && duplicates > 0) world.reach('a drain brought what was there')
    if (fresh.length === 0) return { after, through: after, duplicates }
    const changes = fresh.map((change, index): Change => ({ offset: after + 1 + index, ...change }))
    batches.push(changes)
    for (const { id } of changes) seen.add(id)
    checker.appended(changes)
    return { after, through: after + changes.length, duplicates }
  }

  read(after: number, maxCharacters: number): Page | ResetReason {
    const { batches, real } = this.#storage
    // Pages of the real size would hold all there ever is here.
    const enough = Math.min(maxCharacters, current().pageCharacters)
    if (real) return real.read(after, enough)
    if (after > this.head) return 'ahead'
    if (after < this.tail) return 'pruned'
    const changes: Change[] = []
    let characters = 0
    let through = after
    for (const batch of batches) {
      const last = batch.at(-1) as Change
      if (last.offset <= after) continue
      for (const change of batch.filter(({ offset }) => offset > after)) {
        characters += JSON.stringify(change).length
        if (changes.length > 0 && characters > enough) break
        changes.push(change)
        through = change.offset
      }
      if (through < last.offset) break
    }
    return { after, through, changes: JSON.stringify(changes) }
  }

  /** By the schedule's hand only: see `prune` of the simulation. */
  prune(): number {
    return 0
  }

  clear(): void {
    const { batches, seen, real } = this.#storage
    if (real) return real.clear()
    batches.length = 0
    seen.clear()
  }
}
