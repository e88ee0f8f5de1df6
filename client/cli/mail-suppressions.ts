import { z } from 'zod'
import { type Actions, act } from './actions.ts'
import { askAdmin } from './admin.ts'
import { readArguments } from './arguments.ts'
import { valueText } from './change-line.ts'
import { UsageError } from './failure.ts'
import { tableView } from './table-view.ts'
import type { Terminal } from './terminal.ts'
import { printable } from './text-width.ts'

const suppression = z.object({
  mailbox: z.string(),
  reason: z.string(),
  since: z.string(),
  detail: z.string().nullable(),
})

const page = z.object({ suppressions: z.array(suppression), next_cursor: z.string().nullable() })

const PATH = '/api/mail-suppressions'

const actions: Actions = { list, add, remove }

/** Who gets no mail. */
export function suppressions(args: readonly string[], terminal: Terminal): Promise<number> {
  return act('mail suppressions', actions, args, terminal)
}

async function list(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags } = readArguments(args, { search: 'text', json: 'switch' })
  const { search, json } = flags
  const query = new URLSearchParams({ limit: '200', ...(search !== undefined && { search }) })
  const found: z.infer<typeof suppression>[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    if (cursor !== '') query.set('cursor', cursor)
    const read: z.infer<typeof page> = await askAdmin(terminal, `${PATH}?${query}`, page)
    found.push(...read.suppressions)
    cursor = read.next_cursor
  }
  if (json) terminal.out(`${JSON.stringify(found, null, 2)}\n`)
  else if (found.length === 0) terminal.err('Nobody like that is shut out.\n')
  else
    terminal.out(
      tableView(
        [{ title: 'address' }, { title: 'reason' }, { title: 'since (UTC)' }, { title: 'detail' }],
        found.map(({ mailbox, reason, since, detail }) => [
          mailbox,
          reason,
          valueText(since),
          detail ?? '',
        ]),
        terminal.paint,
      ),
    )
  return 0
}

async function add(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags, words } = readArguments(args, { detail: 'text' }, ['the address'])
  const { detail } = flags
  const { mailbox } = await askAdmin(terminal, pathOf(words), suppression, {
    method: 'PUT',
    body: detail === undefined ? {} : { detail },
  })
  terminal.err(`${printable(mailbox)} gets no mail from now on.\n`)
  return 0
}

async function remove(args: readonly string[], terminal: Terminal): Promise<number> {
  const { words } = readArguments(args, {}, ['the address'])
  await askAdmin(terminal, pathOf(words), z.null(), { method: 'DELETE' })
  const mailbox = printable(words[0] ?? '')
  terminal.err(
    `${mailbox} may have mails again. What was suppressed meanwhile: \`belfry mail redrive --state suppressed --recipient ${mailbox}\`.\n`,
  )
  return 0
}

function pathOf([address = '']: readonly string[]): string {
  if (address.trim() === '') throw new UsageError('the address is missing.')
  return `${PATH}/${encodeURIComponent(address)}`
}
