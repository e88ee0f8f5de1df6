/** A promise that was broken: which, and how it was seen. */
export type Violation = { promise: string; what: string; atMs: number }

/** Of each promise, so that a crowd of one kind does not hide the others. */
const KEPT = 50

/** Everything that was found wrong, in the order in which it was found. */
export class Violations {
  readonly first: Violation[] = []
  readonly #began = Date.now()
  count = 0

  /**
   * @param promise its number in PROTOCOL.md, or a few words for what is no promise of the protocol
   * @param what a sentence, with the values that show it
   */
  add(promise: string, what: string): void {
    this.count++
    if (this.first.length < KEPT) this.first.push({ promise, what, atMs: Date.now() - this.#began })
  }
}
