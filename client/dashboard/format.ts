import type { Value } from '../../protocol/change.ts'

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const money = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })

// Made once: making one costs as much as a hundred uses.
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })
const moment = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' })
const localClock = clockIn(undefined)

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** 1204 → "1,204" */
export function formatCount(count: number): string {
  return whole.format(count)
}

/** 1240.5 → "1,240.50"; the table says no currency, so none is shown. */
export function formatAmount(amount: number): string {
  return money.format(amount)
}

/** Up to where a unit is used, so that its rounded number stays below the next unit's one. */
const units = [
  { belowMs: 999.5, unitMs: 1, places: 0, name: 'ms' },
  { belowMs: 9_950, unitMs: SECOND_MS, places: 1, name: 's' },
  { belowMs: 59.5 * SECOND_MS, unitMs: SECOND_MS, places: 0, name: 's' },
  { belowMs: 59.5 * MINUTE_MS, unitMs: MINUTE_MS, places: 0, name: 'min' },
  { belowMs: 47.5 * HOUR_MS, unitMs: HOUR_MS, places: 0, name: 'h' },
  { belowMs: Number.POSITIVE_INFINITY, unitMs: DAY_MS, places: 0, name: 'd' },
]

/**
 * A length of time, short: "<1 ms", "38 ms", "1.2 s", "42 s", "3 min", "2 h".
 * @param ms below 0 is a clock behind the database's, which says nothing: "–"
 */
export function formatMs(ms: number): string {
  const unit = units.find(({ belowMs }) => ms < belowMs)
  if (unit === undefined || ms < -1) return '–'
  return ms < 1 ? '<1 ms' : `${(ms / unit.unitMs).toFixed(unit.places)} ${unit.name}`
}

/** How long ago, coarse enough to stand still: "now", "40 s ago", "3 min ago", "21 Nov". */
export function formatAgo(iso: string, nowMs: number): string {
  const ageMs = nowMs - Date.parse(iso)
  if (Number.isNaN(ageMs)) return '–'
  if (ageMs < 10 * SECOND_MS) return 'now'
  if (ageMs < MINUTE_MS) return `${Math.floor(ageMs / (10 * SECOND_MS))}0 s ago`
  if (ageMs < HOUR_MS) return `${Math.floor(ageMs / MINUTE_MS)} min ago`
  if (ageMs < DAY_MS) return `${Math.floor(ageMs / HOUR_MS)} h ago`
  if (ageMs < 7 * DAY_MS) return `${Math.floor(ageMs / DAY_MS)} d ago`
  return day.format(Date.parse(iso))
}

/** Wall clock with milliseconds, "08:33:55.123", where the reader is if no zone is given. */
export function formatTime(iso: string, timeZone?: string): string {
  const time = Date.parse(iso)
  if (Number.isNaN(time)) return '–'
  return (timeZone === undefined ? localClock : clockIn(timeZone)).format(time)
}

/** As `formatTime`, after the day if that is not today's: "20 Nov, 08:33:55.123". */
export function formatDayTime(iso: string, nowMs: number): string {
  const time = Date.parse(iso)
  if (Number.isNaN(time) || day.format(time) === day.format(nowMs)) return formatTime(iso)
  return `${day.format(time)}, ${formatTime(iso)}`
}

/** The full moment, for a tooltip. */
export function formatMoment(iso: string): string {
  const time = Date.parse(iso)
  return Number.isNaN(time) ? iso : moment.format(time)
}

const MAX_VALUE_CHARACTERS = 120

/** A column's value in one line; what it means depends on the column. */
export function formatValue(column: string, value: Value | undefined): string {
  if (value === null || value === undefined) return 'null'
  if (column === 'amount' && typeof value === 'number') return formatAmount(value)
  if (column.endsWith('_at') && typeof value === 'string') return formatTime(value)
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  if (text === '') return '""'
  return text.length > MAX_VALUE_CHARACTERS ? `${text.slice(0, MAX_VALUE_CHARACTERS - 1)}…` : text
}

function clockIn(timeZone: string | undefined): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
    hourCycle: 'h23',
    ...(timeZone === undefined ? {} : { timeZone }),
  })
}
