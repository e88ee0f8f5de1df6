import { UsageError } from './failure.ts'

const units: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * A time that a person has typed: `+10m` from now (s, m, h, d), or a date that may have an offset,
 * and without one is of this machine.
 * @param now in milliseconds since 1970
 * @returns ISO 8601 in UTC
 * @throws UsageError
 */
export function readMoment(flag: string, text: string, now: number): string {
  const [, count, unit = ''] = /^\+(\d{1,6})([smhd])$/.exec(text) ?? []
  if (count !== undefined) return new Date(now + Number(count) * (units[unit] ?? 0)).toISOString()
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(at)) return new Date(at).toISOString()
  throw new UsageError(
    `${flag} takes a time such as 2026-12-24T18:00 or +10m (s, m, h or d from now), not "${text}".`,
  )
}
