import { z } from 'zod'
import { askAdmin } from './admin.ts'
import { readArguments } from './arguments.ts'
import { valueText } from './change-line.ts'
import { colourOf, type MailReport, mailFilter, mailReport, readFilter } from './mail-report.ts'
import { listPages, pageFlags } from './pages.ts'
import { type Column, colouredTable } from './table-view.ts'
import type { Terminal } from './terminal.ts'

const page = z.object({ emails: z.array(mailReport), next_cursor: z.string().nullable() })

const PAGE_LIMIT = 200

export async function list(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags } = readArguments(args, { ...mailFilter, ...pageFlags, json: 'switch' })
  await listPages(
    {
      flags,
      most: PAGE_LIMIT,
      filter: readFilter(flags),
      async read(query) {
        const { emails, next_cursor } = await askAdmin(terminal, `/api/emails?${query}`, page)
        return { found: emails, next: next_cursor }
      },
      show(found) {
        if (flags.json) terminal.out(`${JSON.stringify(found, null, 2)}\n`)
        else if (found.length === 0) terminal.err('No mail is like that.\n')
        else terminal.out(mailTable(found, terminal))
      },
    },
    terminal,
  )
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
  terminal: Pick<Terminal, 'paint' | 'width'>,
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
  return colouredTable(columns, rows, (place) => colourOf(found[place]?.state ?? ''), terminal)
}
