import { z } from 'zod'
import { askAdmin } from './admin.ts'
import { readArguments, wholeNumber } from './arguments.ts'
import { UsageError } from './failure.ts'
import { notificationFilter, notificationPath, toldNotification } from './notification-report.ts'
import type { Terminal } from './terminal.ts'
import { printable } from './text-width.ts'

export async function cancel(args: readonly string[], terminal: Terminal): Promise<number> {
  const { words } = readArguments(args, {}, ['the id'])
  await askAdmin(terminal, `${notificationPath(words)}/cancel`, toldNotification, {
    method: 'POST',
  })
  terminal.err(
    `Notification ${words[0]} is cancelled. \`belfry notifications redrive ${words[0]}\` delivers it after all.\n`,
  )
  return 0
}

const ONE_OR_FILTER =
  'say which: an id, or --state parked, --user, --category; or --all of those that are parked.'

/** One by its id, or all that a filter names: these are counted first. */
export async function redrive(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags, words } = readArguments(
    args,
    { ...notificationFilter, all: 'switch', 'dry-run': 'switch', yes: 'switch' },
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
  if (flags['dry-run']) throw new UsageError('--dry-run counts what a filter names; an id is one.')
  const path = `${notificationPath(words)}/redrive`
  const { state, problem } = await askAdmin(terminal, path, toldNotification, { method: 'POST' })
  const why = problem === null ? '.' : `: ${printable(problem)}`
  terminal.err(`Notification ${words[0]} is ${printable(state)} now${why}\n`)
  return state === 'delivered' || state === 'scheduled' ? 0 : 1
}

const redriven = z.object({
  redriven: z.number(),
  refused: z.number(),
  refusals: z.array(z.object({ id: z.number(), message: z.string() })),
})

/** @returns 1 if one was refused */
async function redriveMany(
  which: { filter: object; all?: true },
  { 'dry-run': dryRun, yes }: { 'dry-run'?: true; yes?: true },
  terminal: Terminal,
): Promise<number> {
  const path = '/api/notifications/redrive'
  const { matching } = await askAdmin(terminal, path, z.object({ matching: z.number() }), {
    method: 'POST',
    body: { ...which, dry_run: true },
  })
  if (matching === 0) {
    terminal.err('No notification like that can be tried again.\n')
    return 0
  }
  if (dryRun) {
    terminal.err(`${count(matching)} would be tried again; --yes instead of --dry-run does it.\n`)
    return 0
  }
  if (!yes)
    throw new UsageError(`${count(matching)} would be tried again; add --yes if you mean it.`)
  const done = await askAdmin(terminal, path, redriven, { method: 'POST', body: which })
  for (const { id, message } of done.refusals)
    terminal.err(`notification ${id}: ${printable(message)}\n`)
  const refused = done.refused === 0 ? '' : `, ${done.refused} refused`
  terminal.err(`${count(done.redriven)} tried again${refused}.\n`)
  return done.refused === 0 ? 0 : 1
}

function readFilter(given: { state?: string; user?: string; category?: string }) {
  const { state, user, category } = given
  return {
    ...(state !== undefined && { state: state.split(',').map((each) => each.trim()) }),
    ...(user !== undefined && { user: wholeNumber('--user', user) }),
    ...(category !== undefined && { category }),
  }
}

function count(notifications: number): string {
  return notifications === 1 ? '1 notification' : `${notifications} notifications`
}
