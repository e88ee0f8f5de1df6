import type { Change, Operation, Row, Value } from '../../protocol/change.ts'
import type { Colour, Terminal } from './terminal.ts'
import { cut, printable, textWidth } from './text-width.ts'

export const operationColours: Record<Operation, Colour> = {
  insert: 'green',
  update: 'yellow',
  delete: 'red',
  truncate: 'red',
}

const LONGEST_VALUE = 40
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)$/

/**
 * A change on one line: time, offset, operation, table, key, and what of the row
 * says most: for an update the columns that changed.
 * @param width columns to cut it to; null for all of it
 */
export function changeLine(change: Change, width: number | null, paint: Terminal['paint']): string {
  const time = clock(change.at)
  const offset = `#${change.offset}`.padStart(6)
  const op = change.op.padEnd(8)
  const rest = [printable(change.table), said(change.key ?? {}), content(change)]
    .filter((part) => part !== '')
    .join('  ')
  const head = `${time} ${offset} ${op} `
  const shown = width === null ? rest : cut(rest, width - textWidth(head))
  return `${paint('dim', `${time} ${offset}`)} ${paint(operationColours[change.op], op)} ${shown}`
}

/** A value in one short piece of text. */
export function valueText(value: Value | undefined): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'object') return cut(printable(JSON.stringify(value)), LONGEST_VALUE)
  if (typeof value !== 'string') return String(value)
  if (value === '') return "''"
  return INSTANT.test(value)
    ? `${value.slice(0, 10)} ${value.slice(11, 19)}`
    : cut(printable(value), LONGEST_VALUE)
}

function content({ op, key, new: row, old, oversize }: Change): string {
  if (oversize) return '(too large to carry; read the row itself)'
  if (op === 'truncate') return '(all rows)'
  if (op === 'update' && row && old) return changed(old, row)
  const names = Object.keys(key ?? {})
  return said(withoutNames(row ?? old ?? {}, names))
}

/** `status pending → filled · amount 5 → 7`; instants last, because they say least. */
function changed(old: Row, row: Row): string {
  return Object.keys(row)
    .filter((name) => JSON.stringify(row[name]) !== JSON.stringify(old[name]))
    .sort((a, b) => Number(isInstant(row[a])) - Number(isInstant(row[b])))
    .map((name) => `${printable(name)} ${valueText(old[name])} → ${valueText(row[name])}`)
    .join(' · ')
}

function said(row: Row): string {
  return Object.entries(row)
    .filter(([, value]) => value !== null)
    .sort(([, a], [, b]) => Number(isInstant(a)) - Number(isInstant(b)))
    .map(([name, value]) => `${printable(name)}=${valueText(value)}`)
    .join(' ')
}

function withoutNames(row: Row, names: readonly string[]): Row {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name)))
}

function isInstant(value: Value | undefined): boolean {
  return typeof value === 'string' && INSTANT.test(value)
}

/** The time of day here, to the millisecond. */
function clock(at: string): string {
  const moment = new Date(at)
  if (Number.isNaN(moment.getTime())) return printable(at)
  const [hours, minutes, seconds] = [moment.getHours(), moment.getMinutes(), moment.getSeconds()]
  const two = (number: number) => String(number).padStart(2, '0')
  const ms = String(moment.getMilliseconds()).padStart(3, '0')
  return `${two(hours)}:${two(minutes)}:${two(seconds)}.${ms}`
}
