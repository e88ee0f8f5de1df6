/** `factor`: how the ceiling grows with each failure; 2 if not given. */
export type Backoff = { baseMs: number; capMs: number; factor?: number }

/**
 * Full jitter: anywhere from 0 to an exponentially growing ceiling, so that a
 * thousand clients cut off in one moment do not come back in one.
 * (AWS Architecture Blog, "Exponential Backoff and Jitter", 2015.)
 * @param attempt failures so far, from 1
 * @param random in [0, 1)
 * @returns milliseconds
 */
export function fullJitter(
  attempt: number,
  { baseMs, capMs, factor = 2 }: Backoff,
  random: number,
): number {
  return Math.round(random * Math.min(capMs, baseMs * factor ** Math.min(attempt - 1, 30)))
}
