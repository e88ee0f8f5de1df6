import { z } from 'zod'
import { readArguments, wholeNumber } from './arguments.ts'
import { valueText } from './change-line.ts'
import { UsageError } from './failure.ts'
import { listPages, pageFlags } from './pages.ts'
import { type Column, tableView } from './table-view.ts'
import type { Terminal } from './terminal.ts'
import { ask, checkId } from './webhook-endpoints.ts'
import { type Delivery, deliveryPage } from './webhook-report.ts'

const PAGE_LIMIT = 200

export async function deliveries(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags, words } = readArguments(args, { state: 'text', ...pageFlags, json: 'switch' }, [
    'the id',
  ])
  const id = checkId(words[0])
  await listPages(
    {
      flags,
      most: PAGE_LIMIT,
      filter: { state: flags.state },
      async read(query) {
        const page = await ask(terminal, `/${id}/deliveries?${query}`, deliveryPage)
        return { found: page.deliveries, next: page.next_cursor }
      },
      show(found) {
        if (flags.json) terminal.out(`${JSON.stringify(found, null, 2)}\n`)
        else if (found.length === 0) terminal.err('No delivery is like that.\n')
        else terminal.out(tableView(columns, found.map(rowOf), terminal.paint))
      },
    },
    terminal,
  )
  return 0
}

/** One by its number, or all that can be tried again: these are counted first. */
export async function redrive(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags, words } = readArguments(
    args,
    { state: 'text', 'dry-run': 'switch', yes: 'switch' },
    ['the id', '[the delivery]'],
  )
  const { state, 'dry-run': dryRun, yes } = flags
  const id = checkId(words[0])
  if (dryRun && yes)
    throw new UsageError('--dry-run only counts, and --yes does it: give one of them.')
  if (words[1] !== undefined) {
    if (state !== undefined || dryRun)
      throw new UsageError('a delivery is one by itself: leave out --state and --dry-run.')
    const path = `/${id}/deliveries/${wholeNumber('the delivery', words[1])}/redrive`
    await ask(terminal, path, redriven, { method: 'POST' })
    terminal.err(`Delivery ${words[1]} is tried again.\n`)
    return 0
  }
  const path = `/${id}/deliveries/redrive`
  const filter = state === undefined ? {} : { state }
  const { matching } = await ask(terminal, path, z.object({ matching: z.number() }), {
    method: 'POST',
    body: { filter, dry_run: true },
  })
  if (matching === 0) {
    terminal.err('No delivery like that can be tried again.\n')
    return 0
  }
  if (dryRun) {
    terminal.err(`${count(matching)} would be tried again; --yes instead of --dry-run does it.\n`)
    return 0
  }
  if (!yes)
    throw new UsageError(`${count(matching)} would be tried again; add --yes if you mean it.`)
  const done = await ask(terminal, path, redriven, { method: 'POST', body: { filter } })
  terminal.err(`${count(done.redriven)} ${done.redriven === 1 ? 'is' : 'are'} tried again.\n`)
  return 0
}

const redriven = z.object({ redriven: z.number() })

const columns: Column[] = [
  { title: 'id', side: 'right' },
  { title: 'state' },
  { title: 'type' },
  { title: 'key' },
  { title: 'tries', side: 'right' },
  { title: 'owed (UTC)' },
  { title: 'error' },
]

function rowOf({ id, state, type, key, attempts, created_at, last_error }: Delivery): string[] {
  return [String(id), state, type, key, String(attempts), valueText(created_at), last_error ?? '']
}

function count(deliveries: number): string {
  return deliveries === 1 ? '1 delivery' : `${deliveries} deliveries`
}
