const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

// Made once: making one costs as much as a hundred uses.
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' })
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'long' })
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long' })
const dayOfYear = new Intl.DateTimeFormat(undefined, { dateStyle: 'long' })
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' })

/** "now", "4 min", "2 h" of the last half day, then the hour: the day stands above. */
export function shortTime(iso: string, nowMs: number): string {
  const ageMs = nowMs - Date.parse(iso)
  if (ageMs < MINUTE_MS) return 'now'
  if (ageMs < HOUR_MS) return `${Math.floor(ageMs / MINUTE_MS)} min`
  if (ageMs < 12 * HOUR_MS) return `${Math.floor(ageMs / HOUR_MS)} h`
  return clock.format(Date.parse(iso))
}

/** "Today", "Yesterday", "Monday", "12 May", "12 May 2025", where the reader is. */
export function dayName(iso: string, nowMs: number): string {
  const at = new Date(Date.parse(iso))
  const daysAgo = Math.round((midnight(new Date(nowMs)) - midnight(at)) / DAY_MS)
  if (daysAgo <= 0) return 'Today'
  if (daysAgo === 1) return 'Yesterday'
  if (daysAgo < 7) return weekday.format(at)
  return (at.getFullYear() === new Date(nowMs).getFullYear() ? day : dayOfYear).format(at)
}

/** For a tooltip. */
export function longTime(iso: string): string {
  return moment.format(Date.parse(iso))
}

function midnight(of: Date): number {
  return new Date(of.getFullYear(), of.getMonth(), of.getDate()).getTime()
}
