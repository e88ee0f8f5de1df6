import { printable } from './text-width.ts'

/** The parts of an error that Postgres sent. */
export type PostgresError = {
  message: string
  severity?: string | undefined
  code?: string | undefined
  detail?: string | undefined
  hint?: string | undefined
  where?: string | undefined
  /** 1-based, in characters of the statement's text. */
  position?: string | undefined
}

/** As psql says it: the sentence, the line with a mark below the place, detail and hint. */
export function sqlError(error: PostgresError, text: string): string {
  const { message, severity = 'ERROR', code, detail, hint, where, position } = error
  return [
    `${severity} ${code ?? ''}: ${message}`,
    ...place(text, Number(position)),
    ...(detail ? [`DETAIL: ${detail}`] : []),
    ...(hint ? [`HINT: ${hint}`] : []),
    ...(where ? where.split('\n').map((line) => `CONTEXT: ${line}`) : []),
  ]
    .map(printable)
    .join('\n')
}

function place(text: string, position: number): string[] {
  const characters = [...text]
  if (!(position >= 1 && position <= characters.length + 1)) return []
  const before = characters.slice(0, position - 1).join('')
  const lines = text.split('\n')
  const row = before.split('\n').length
  // Tabs count as one column, so the mark stands right below.
  const line = (lines[row - 1] ?? '').replace(/\t/g, ' ').trimEnd()
  const column = [...(before.split('\n').at(-1) ?? '')].length
  const label = `LINE ${row}: `
  return [label + line, `${' '.repeat(label.length + column)}^`]
}
