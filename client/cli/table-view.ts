import type { Colour, Terminal } from './terminal.ts'
import { cut, pad, printable, textWidth } from './text-width.ts'

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

/**
 * The same with each line cut to the width of the terminal, so that what says least stands last.
 * @param colourOf a row, by its place; null for none
 */
export function colouredTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  colourOf: (place: number) => Colour | null,
  { paint, width }: Pick<Terminal, 'paint' | 'width'>,
): string {
  const [titles = '', ...lines] = tableView(columns, rows, paint).trimEnd().split('\n')
  const room = width()
  const shown = lines.map((line, place) => {
    const fitting = room === null ? line : cut(line, room)
    const colour = colourOf(place)
    return colour === null ? fitting : paint(colour, fitting)
  })
  return [titles, ...shown].map((line) => `${line}\n`).join('')
}
