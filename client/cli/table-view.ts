import type { Terminal } from './terminal.ts'
import { pad, printable, textWidth } from './text-width.ts'

export type Column = { title: string; side?: 'left' | 'right' }

/**
 * Rows under their titles, each column as wide as it needs. Ends with a line break.
 * @param rows texts from outside; they are made safe to print
 */
export function tableView(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  paint: Terminal['paint'],
): string {
  const safe = rows.map((row) => row.map(printable))
  const titles = columns.map(({ title }) => printable(title))
  const widths = titles.map((title, index) =>
    safe.reduce((width, row) => Math.max(width, textWidth(row[index] ?? '')), textWidth(title)),
  )
  const line = (cells: readonly string[]) =>
    columns
      .map(({ side = 'left' }, index) => pad(cells[index] ?? '', widths[index] ?? 0, side))
      .join('  ')
      .trimEnd()
  return [paint('bold', line(titles)), ...safe.map(line)].map((text) => `${text}\n`).join('')
}
