/**
 * What was refused, by door and by code, since this object was last awake: Prometheus' counters
 * may begin anew. Objects that refuse keep their own count and hand it over now and then.
 */
export type Door = 'http' | 'link' | 'subscriber'

/** `code`: of a problem, of a close code, or one of the feed's own: `replayed`, `duplicate`. */
export type Refused = { door: Door; code: string; count: number }

export class Refusals {
  readonly #counts = new Map<string, Refused>()

  add(door: Door, code: string, count = 1): void {
    if (count === 0) return
    const key = `${door} ${code}`
    const before = this.#counts.get(key)?.count ?? 0
    this.#counts.set(key, { door, code, count: before + count })
  }

  addAll(refused: readonly Refused[]): void {
    for (const { door, code, count } of refused) this.add(door, code, count)
  }

  get all(): Refused[] {
    return [...this.#counts.values()]
  }

  /** All of them, to be handed over: from here on it counts from nothing. */
  take(): Refused[] {
    const { all } = this
    this.#counts.clear()
    return all
  }
}
