import { z } from 'zod'
import { workerAddress } from './address.ts'
import { call } from './api.ts'
import { readArguments, wholeNumber } from './arguments.ts'
import { valueText } from './change-line.ts'
import { UsageError } from './failure.ts'
import { type MailReport, mailFilter, mailReport, paintState, readFilter } from './mail-report.ts'
import { type Column, tableView } from './table-view.ts'
import type { Terminal } from './terminal.ts'
import { cut } from './text-width.ts'

const page = z.object({ emails: z.array(mailReport), next_cursor: z.string().nullable() })

const PAGE_LIMIT = 200

export async function list(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags } = readArguments(args, {
    ...mailFilter,
    limit: 'text',
    all: 'switch',
    json: 'switch',
  })
  const { limit, all, json } = flags
  if (all && limit !== undefined) throw new UsageError('--all has no --limit: give one of them.')
  const query = new URLSearchParams({
    ...readFilter(flags),
    ...(limit !== undefined && { limit: String(wholeNumber('--limit', limit)) }),
    ...(all && { limit: String(PAGE_LIMIT) }),
  })
  const base = workerAddress(terminal)
  const found: MailReport[] = []
  let cursor: string | null = null
  do {
    if (cursor !== null) query.set('cursor', cursor)
    const read: z.infer<typeof page> = await call(base, `/api/emails?${query}`, page)
    found.push(...read.emails)
    cursor = read.next_cursor
  } while (all && cursor !== null)

  if (json) terminal.out(`${JSON.stringify(found, null, 2)}\n`)
  else if (found.length === 0) terminal.err('No mail is like that.\n')
  else terminal.out(mailTable(found, terminal))
  if (cursor !== null)
    terminal.err(`There are more: --all lists them, --limit takes up to ${PAGE_LIMIT}.\n`)
  return 0
}

const columns: Column[] = [
  { title: 'id', side: 'right' },
  { title: 'state' },
  { title: 'recipient' },
  { title: 'about' },
  { title: 'rule' },
  { title: 'tries', side: 'right' },
  { title: 'owed (UTC)' },
  { title: 'error' },
]

/** A line for each, coloured by its state; the error, which stands last, is cut to the width. */
export function mailTable(
  found: readonly MailReport[],
  { paint, width }: Pick<Terminal, 'paint' | 'width'>,
): string {
  const rows = found.map((mail) => [
    String(mail.id),
    mail.state,
    mail.recipient,
    `${mail.table} ${mail.key}`,
    mail.rule_name,
    String(mail.attempts),
    valueText(mail.created_at),
    mail.last_error ?? '',
  ])
  const [titles = '', ...lines] = tableView(columns, rows, paint).trimEnd().split('\n')
  const room = width()
  const shown = lines.map((line, place) =>
    paintState(found[place]?.state ?? '', room === null ? line : cut(line, room), paint),
  )
  return [titles, ...shown].map((line) => `${line}\n`).join('')
}
