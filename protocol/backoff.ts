export type Backoff = { baseMs: number; capMs: number }

/**
 * Full jitter: anywhere from 0 to an exponentially growing ceiling, so that a
 * thousand clients cut off in one moment do not come back in one.
 * (AWS Architecture Blog, "Exponential Backoff and Jitter", 2015.)
 * @param attempt failures so far, from 1
 * @param random in [0, 1)
 * @returns milliseconds
 */
export function fullJitter(attempt: number, { baseMs, capMs }: Backoff, random: number): number {
  return Math.round(random * Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 30)))
}
