import type { Change } from '../../protocol/change.ts'
import type { Reader } from './readers.ts'
import type { Violations } from './violations.ts'

/**
 * Holds what each reader was shown against the log, in one pass over it: of everything in a
 * stretch exactly what the reader wants, under the same offset, once and in order (P32).
 */
export function feedReaderCheck(readers: readonly Reader[], violations: Violations) {
  const cursors = readers.map((reader) => new Cursor(reader, violations))
  return {
    see(change: Change): void {
      for (const cursor of cursors) cursor.see(change)
    },
    finish(head: number): void {
      for (const cursor of cursors) cursor.finish(head)
    },
  }
}

/** One for each stretch: a wanderer's stretches may overlap. */
class Cursor {
  readonly #reader: Reader
  readonly #violations: Violations
  readonly #next: number[]

  constructor(reader: Reader, violations: Violations) {
    this.#reader = reader
    this.#violations = violations
    this.#next = reader.shown.stretches.map(() => 0)
  }

  see(change: Change): void {
    const { stretches } = this.#reader.shown
    for (const [n, { after, through, offsets, ids }] of stretches.entries()) {
      if (change.offset <= after || change.offset > through) continue
      const at = this.#next[n] ?? 0
      const wanted = this.#reader.plan.wants(change)
      if (offsets[at] !== change.offset) {
        if (wanted) this.#wrong(`was not shown ${brief(change)}, in (${after}, ${through}]`)
        continue
      }
      this.#next[n] = at + 1
      if (!wanted) this.#wrong(`was shown ${brief(change)}, which it did not ask for`)
      if (ids[at] !== change.id)
        this.#wrong(`was shown ${ids[at]} where the log has ${brief(change)}`)
    }
  }

  finish(head: number): void {
    const { stretches } = this.#reader.shown
    for (const [n, { offsets }] of stretches.entries())
      if (this.#next[n] !== offsets.length)
        this.#wrong(
          `was shown ${offsets.length} changes; offset ${offsets[this.#next[n] ?? 0]} is not in the log or out of order`,
        )
    const end = this.#reader.shown.position?.offset ?? 0
    if (end !== head) this.#wrong(`stands at ${end}, the feed at ${head}`)
  }

  #wrong(what: string): void {
    this.#violations.add('P32', `${this.#reader.plan.name} ${what}`)
  }
}

function brief({ offset, id, table, op, key }: Change): string {
  return `offset ${offset} (${op} ${table} ${JSON.stringify(key)}, ${id})`
}
