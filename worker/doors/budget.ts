/**
 * How much somebody may ask: a bucket that holds `limit` tokens and fills evenly within `windowMs`.
 * What is kept of one is when it will be full again; one that is full need not be kept.
 */
export type Budget = { limit: number; windowMs: number }

export type Admission = {
  allowed: boolean
  limit: number
  /** Whole tokens that are left. */
  remaining: number
  /** Until the bucket is full again. */
  resetMs: number
  /** Until the same may be asked again; 0 if it is allowed. */
  retryMs: number
}

/** Far below a token, and above what sums of fractions lose. */
const ROUNDING_MS = 1e-6

/**
 * @param fullAt when the bucket is full, in milliseconds since 1970; what is past is full
 * @param cost of it at most the limit counts, so that what costs more is not refused for ever
 * @returns when it is full now
 */
export function take(
  fullAt: number,
  { limit, windowMs }: Budget,
  cost: number,
  now: number,
): [fullAt: number, admission: Admission] {
  const tokenMs = windowMs / limit
  // Of a clock that was set back nobody waits for longer than a window.
  const missingMs = Math.min(windowMs, Math.max(0, fullAt - now))
  const afterMs = missingMs + Math.min(cost, limit) * tokenMs
  const allowed = afterMs <= windowMs + ROUNDING_MS
  const leftMs = allowed ? afterMs : missingMs
  return [
    now + leftMs,
    {
      allowed,
      limit,
      remaining: Math.floor((windowMs - leftMs + ROUNDING_MS) / tokenMs),
      resetMs: Math.ceil(leftMs),
      retryMs: allowed ? 0 : Math.ceil(afterMs - windowMs),
    },
  ]
}

/** The buckets of many. Those that are full again are forgotten. */
export class Buckets {
  /** When each is full. The one that was asked last stands last. */
  readonly #fullAt = new Map<string, number>()
  readonly #max: number

  /** @param max of buckets; beyond it the one that was asked longest ago is taken for full */
  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#fullAt.size
  }

  take(name: string, budget: Budget, cost: number, now: number): Admission {
    const [fullAt, admission] = take(this.#fullAt.get(name) ?? 0, budget, cost, now)
    this.#fullAt.delete(name)
    this.#fullAt.set(name, fullAt)
    this.#forget(now)
    return admission
  }

  #forget(now: number): void {
    for (const [name, fullAt] of this.#fullAt) {
      if (fullAt > now && this.#fullAt.size <= this.#max) return
      this.#fullAt.delete(name)
    }
  }
}
