import { z } from 'zod'
import { askAdmin } from './admin.ts'
import { readArguments } from './arguments.ts'
import { UsageError } from './failure.ts'
import { mailPath } from './mail-path.ts'
import { countMails, mailFilter, readFilter } from './mail-report.ts'
import type { Terminal } from './terminal.ts'

const ONE_OR_FILTER =
  'say which: an id, or --state parked, --order, --recipient, --rule; or --all of those that can be.'

/** One by its id, or all that a filter names: these are counted first. */
export async function redrive(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags, words } = readArguments(
    args,
    { ...mailFilter, all: 'switch', 'dry-run': 'switch', yes: 'switch' },
    ['[the id]'],
  )
  const filter = readFilter(flags)
  const isFiltered = Object.keys(filter).length > 0
  if (Number(words.length > 0) + Number(isFiltered) + Number(flags.all ?? false) !== 1)
    throw new UsageError(ONE_OR_FILTER)
  if (flags['dry-run'] && flags.yes)
    throw new UsageError('--dry-run only counts, and --yes does it: give one of them.')
  if (words.length === 0)
    return redriveMany({ filter, ...(flags.all && { all: true }) }, flags, terminal)
  if (flags['dry-run'])
    throw new UsageError('--dry-run counts what a filter names; an id is one mail.')
  await askAdmin(terminal, `${mailPath(words)}/redrive`, redriven, { method: 'POST' })
  terminal.err(
    `Mail ${words[0]} is tried again: \`belfry mail show ${words[0]}\` says how it goes.\n`,
  )
  return 0
}

export async function cancel(args: readonly string[], terminal: Terminal): Promise<number> {
  const { words } = readArguments(args, {}, ['the id'])
  await askAdmin(terminal, `${mailPath(words)}/cancel`, z.object({ cancelled: z.literal(true) }), {
    method: 'POST',
  })
  terminal.err(
    `Mail ${words[0]} is cancelled. \`belfry mail redrive ${words[0]}\` sends it after all.\n`,
  )
  return 0
}

const redriven = z.object({ redriven: z.number() })

async function redriveMany(
  which: { filter: Record<string, string>; all?: true },
  { 'dry-run': dryRun, yes }: { 'dry-run'?: true; yes?: true },
  terminal: Terminal,
): Promise<number> {
  const path = '/api/emails/redrive'
  const body = { ...bodyOf(which.filter), ...(which.all && { all: true }) }
  const counted = await askAdmin(terminal, path, z.object({ matching: z.number() }), {
    method: 'POST',
    body: { ...body, dry_run: true },
  })
  const mails = countMails(counted.matching)
  if (counted.matching === 0) {
    terminal.err('No mail like that can be tried again.\n')
    return 0
  }
  if (dryRun) {
    terminal.err(`${mails} would be tried again; --yes instead of --dry-run does it.\n`)
    return 0
  }
  if (!yes) throw new UsageError(`${mails} would be tried again; add --yes if you mean it.`)
  const done = await askAdmin(terminal, path, redriven, { method: 'POST', body })
  terminal.err(`${countMails(done.redriven)} ${done.redriven === 1 ? 'is' : 'are'} tried again.\n`)
  return 0
}

/** The rule is a number there. */
function bodyOf({ rule, ...filter }: Record<string, string>) {
  return { filter: { ...filter, ...(rule !== undefined && { rule }) } }
}
