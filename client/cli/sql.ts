import pg from 'pg'
import { databaseAddress } from './address.ts'
import { readArguments } from './arguments.ts'
import type { Command } from './command.ts'
import { openDatabase } from './database.ts'
import { Failure, UsageError } from './failure.ts'
import { sqlError } from './sql-error.ts'
import { exactValue, isNumber } from './sql-values.ts'
import { tableView } from './table-view.ts'
import type { Terminal } from './terminal.ts'
import { printable } from './text-width.ts'

type Cells = (string | null)[]
type Answer = { tag: string; fields: pg.FieldDef[]; rows: Cells[] }

export const sql: Command = {
  name: 'sql',
  summary: 'Run SQL on the database, where there is no psql.',
  forms: ['"…" [--json]'],
  details: [
    'Several statements are separated by semicolons and run in one transaction, unless they',
    'hold a COMMIT. `belfry sql -` reads them from stdin.',
    '  --json  one line for each statement that returns rows: a list of objects',
  ].join('\n'),

  async run(args, terminal) {
    const { flags, words } = readArguments(args, { json: 'switch' }, ['the SQL'])
    const text = words[0] === '-' ? await terminal.readInput() : (words[0] ?? '')
    if (text.trim() === '') throw new UsageError('the SQL is empty.')
    for (const answer of await ask(databaseAddress(terminal), text, terminal))
      terminal.out(flags.json ? asJson(answer) : asTable(answer, terminal))
    return 0
  },
}

/** @throws Failure with what Postgres said and where */
async function ask(url: string, text: string, terminal: Terminal): Promise<Answer[]> {
  // Values stay as Postgres prints them.
  const client = await openDatabase(url, { types: { getTypeParser: () => String } })
  try {
    client.on('notice', ({ severity, message }) =>
      terminal.err(
        `${terminal.paintErr('yellow', `${severity ?? 'NOTICE'}:`)} ${printable(message ?? '')}\n`,
      ),
    )
    const tags: string[] = []
    client.connection.on('commandComplete', ({ text }: { text: string }) => tags.push(text))
    // One result, or for several statements a list; the types know only the one.
    const results: pg.QueryArrayResult<Cells> | pg.QueryArrayResult<Cells>[] =
      await client.query<Cells>({ text, rowMode: 'array' })
    return [results].flat().map(({ command, fields, rows }, index) => ({
      tag: tags[index] ?? command ?? '',
      fields,
      rows,
    }))
  } catch (error) {
    if (error instanceof pg.DatabaseError) throw new Failure(sqlError(error, text))
    throw new Failure(`The connection to the database broke off (${String(error)}): run it again.`)
  } finally {
    await client.end().catch(() => undefined)
  }
}

function asTable({ tag, fields, rows }: Answer, terminal: Terminal): string {
  if (fields.length === 0) return tag === '' ? '' : `${tag}\n`
  const columns = fields.map(({ name, dataTypeID }) => ({
    title: name,
    side: isNumber(dataTypeID) ? ('right' as const) : ('left' as const),
  }))
  const cells = rows.map((row) => row.map((cell) => cell ?? 'null'))
  const count = `(${rows.length} ${rows.length === 1 ? 'row' : 'rows'})`
  return `${tableView(columns, cells, terminal.paint)}${terminal.paint('dim', count)}\n`
}

function asJson({ fields, rows }: Answer): string {
  if (fields.length === 0) return ''
  const objects = rows.map((row) =>
    Object.fromEntries(
      fields.map(({ name, dataTypeID }, index) => [
        name,
        exactValue(row[index] ?? null, dataTypeID),
      ]),
    ),
  )
  return `${JSON.stringify(objects)}\n`
}
