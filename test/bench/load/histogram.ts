/** Counts times in buckets 2 % wide, from 1 µs to 10 minutes. */
const PER_DOUBLING = 36
const BUCKETS = 30 * PER_DOUBLING

export class Histogram {
  readonly #counts = new Float64Array(BUCKETS)
  #total = 0

  /** @param count that it stands for so many */
  add(us: number, count = 1): void {
    const bucket = Math.floor(Math.log2(Math.max(1, us)) * PER_DOUBLING)
    const index = Math.min(BUCKETS - 1, bucket)
    this.#counts[index] = (this.#counts[index] as number) + count
    this.#total += count
  }

  /** @returns milliseconds below which this share lies; null when nothing was counted */
  quantile(share: number): number | null {
    let left = this.#total * share
    if (this.#total === 0) return null
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= this.#counts[bucket] as number
      if (left <= 0) return 2 ** ((bucket + 0.5) / PER_DOUBLING) / 1000
    }
    return null
  }
}
