/**
 * Chance that a seed repeats. Each actor takes a stream of its own by name, so that what one
 * draws does not depend on when another drew: the plan of faults and the choices of each writer
 * are the same for a seed, although how the processes interleave is the machine's.
 */
export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** A stream of its own for an actor of this name. */
  of(name: string): Chance {
    let hash = 2166136261 ^ this.#state
    for (const letter of name) hash = Math.imul(hash ^ letter.charCodeAt(0), 16777619)
    return new Chance(hash)
  }

  /** In [0, 1). (mulberry32) */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }

  /** A whole number, both ends included. */
  whole(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1))
  }

  pick<T>(list: readonly T[]): T {
    return list[this.whole(0, list.length - 1)] as T
  }

  pickByWeight<T extends { weight: number }>(list: readonly T[]): T {
    let left = this.next() * list.reduce((sum, { weight }) => sum + weight, 0)
    for (const each of list) {
      left -= each.weight
      if (left < 0) return each
    }
    return list.at(-1) as T
  }

  shuffle<T>(list: readonly T[]): T[] {
    const left = [...list]
    const shuffled: T[] = []
    while (left.length > 0) shuffled.push(...left.splice(this.whole(0, left.length - 1), 1))
    return shuffled
  }
}
