import type { Trouble } from './deliver.ts'
import { type Duties, NO_DUTIES } from './duties.ts'

/** More than these come late only in a flood, and then the oldest stay seen. */
const MOST_LATE = 1_000
const LIVES_REMEMBERED = 8

/** Duties at rest. */
export class DutyRecord {
  readonly #kv: SyncKvStorage
  #now: Duties
  #expectedSince = Number.POSITIVE_INFINITY

  constructor(kv: SyncKvStorage) {
    this.#kv = kv
    this.#now = kv.get<Duties>('duties') ?? NO_DUTIES
  }

  get now(): Duties {
    return this.#now
  }

  change(changes: Partial<Duties>): void {
    this.#now = { ...this.#now, ...changes }
    this.#kv.put('duties', this.#now)
  }

  /** Something is due at that time, as far as is known; the earliest counts. */
  expect(at: number): void {
    this.#expectedSince = Math.min(this.#expectedSince, at)
    const { dueAt } = this.#now
    if (dueAt === null || at < dueAt) this.change({ dueAt: at })
  }

  /** Postgres is being asked what is due. */
  beginAsking(): void {
    this.#expectedSince = Number.POSITIVE_INFINITY
  }

  /** @param nextAt what it said; what was heard since it was asked counts beside it */
  endAsking(troubled: Trouble[], nextAt: number | null): void {
    const at = Math.min(nextAt ?? Number.POSITIVE_INFINITY, this.#expectedSince)
    this.change({ troubled, dueAt: at === Number.POSITIVE_INFINITY ? null : at })
  }

  addLate(ids: readonly number[]): void {
    if (ids.length === 0) return
    this.change({ late: [...new Set([...this.#now.late, ...ids])].slice(-MOST_LATE) })
  }

  /** The copy is filled in that life of the feed, and was before in the other. */
  enter(feed: string, before: string | null): void {
    const left = this.#now.left.filter((each) => each !== feed)
    if (before !== null && before !== feed) left.push(before)
    this.change({ wanted: null, left: left.slice(-LIVES_REMEMBERED) })
  }

  /** All that was stored is deleted. */
  forget(): void {
    this.#now = NO_DUTIES
  }
}
