/** Microseconds of the machine's monotonic clock, which all its processes share. */
export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1_000n)
}

/** How a row carries the time at which its writer began, in the column product_name. */
export function stamp(us: number): string {
  return `at ${us}`
}

/** @returns null for a row that carries none */
export function stampedAt(text: unknown): number | null {
  return typeof text === 'string' && text.startsWith('at ') ? Number(text.slice(3)) : null
}
