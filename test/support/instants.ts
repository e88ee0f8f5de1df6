/** A time as a change carries it, of microseconds since 1970. */
export function instant(micros: number): string {
  const whole = new Date(Math.floor(micros / 1000)).toISOString().slice(0, 19)
  return `${whole}.${String(micros % 1_000_000).padStart(6, '0')}+00:00`
}

/** Microseconds since 1970 of such a time. */
export function microsOf(at: string): number {
  return Math.floor(Date.parse(at) / 1000) * 1_000_000 + Number(at.slice(20, 26))
}
