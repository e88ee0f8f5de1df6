import { customType } from 'drizzle-orm/pg-core'

/**
 * A `timestamptz` as a change carries it: ISO 8601 in UTC with microseconds,
 * `2026-11-21T08:33:55.123456+00:00`. Drizzle's own `timestamp` would cut to
 * milliseconds (as a Date) or leave Postgres's spelling (as a string), and a row
 * must read the same over the API as in the feed.
 */
export const instant = customType<{ data: string; driverData: string }>({
  dataType: () => 'timestamptz',
  fromDriver: (text) => isoInstant(text),
})

/** @param text as Postgres prints a timestamptz: `2026-11-21 08:33:55.1+00` */
export function isoInstant(text: string): string {
  const match = /^(\S+) (\d\d:\d\d:\d\d)(\.\d+)?([+-]\d\d)(?::?(\d\d))?(?::\d\d)?$/.exec(text)
  if (!match) return text
  const [, day, time, fraction = '', hours, minutes = '00'] = match
  const offset = `${hours}:${minutes}`
  if (offset === '+00:00') return `${day}T${time}${fraction}+00:00`
  const utc = new Date(`${day}T${time}${offset}`).toISOString().slice(0, 19)
  return `${utc}${fraction}+00:00`
}
