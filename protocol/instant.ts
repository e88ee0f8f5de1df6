/** Microseconds since 1970 of a time as a change carries it; null if there is none. */
export function micros(instant: unknown): number | null {
  if (typeof instant !== 'string') return null
  const fraction = /\.(\d{1,6})/.exec(instant)?.[1] ?? ''
  const seconds = Math.floor(Date.parse(instant) / 1000)
  return seconds * 1_000_000 + Number(fraction.padEnd(6, '0'))
}
