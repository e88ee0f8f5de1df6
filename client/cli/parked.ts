import { z } from 'zod'
import { change } from '../../protocol/change.ts'
import { type Actions, act } from './actions.ts'
import { askAdmin } from './admin.ts'
import { readArguments } from './arguments.ts'
import { changeLine } from './change-line.ts'
import type { Command } from './command.ts'
import { UsageError } from './failure.ts'
import { ago } from './status.ts'
import type { Terminal } from './terminal.ts'
import { printable } from './text-width.ts'

const parkedChange = z.object({
  consumer: z.string(),
  position: z.string(),
  attempts: z.number(),
  error: z.string(),
  at: z.string(),
  change,
})
type ParkedChange = z.infer<typeof parkedChange>

const page = z.object({ parked: z.array(parkedChange), next_cursor: z.string().nullable() })

const redriven = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('handled') }),
  z.object({ outcome: z.literal('failed'), attempts: z.number(), error: z.string() }),
])

const actions: Actions = { list, redrive, drop }

export const parked: Command = {
  name: 'parked',
  summary: 'Changes that a consumer has given up: list them, hand one over again, drop one.',
  forms: ['list [--consumer mail] [--json]', 'redrive <consumer> <position>', 'drop … --yes'],
  details: [
    'The position is as the list has it, such as k3v:57; 57 alone is of the current epoch.',
    'Put right what the error says before you redrive: the change goes to its consumer at once,',
    'and stays parked if that fails again. What is dropped is gone for good.',
    'Asks with the token in BELFRY_ADMIN_TOKEN, or the local run’s own.',
  ].join('\n'),

  run: (args, terminal) => act('parked', actions, args, terminal),
}

async function list(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags } = readArguments(args, { consumer: 'text', json: 'switch' })
  const { consumer } = flags
  const query = new URLSearchParams(consumer === undefined ? {} : { consumer })
  const found: ParkedChange[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    if (cursor !== '') query.set('cursor', cursor)
    const read: z.infer<typeof page> = await askAdmin(terminal, `/api/admin/parked?${query}`, page)
    found.push(...read.parked)
    cursor = read.next_cursor
  }
  if (flags.json) terminal.out(`${JSON.stringify(found, null, 2)}\n`)
  else if (found.length === 0) terminal.err('Nothing is parked.\n')
  else for (const each of found) terminal.out(parkedView(each, Date.now(), terminal))
  return 0
}

async function redrive(args: readonly string[], terminal: Terminal): Promise<number> {
  const { words } = readArguments(args, {}, ['the consumer', 'the position'])
  const address = `${path(words)}/redrive`
  const answer = await askAdmin(terminal, address, redriven, { method: 'POST' })
  if (answer.outcome === 'handled') {
    terminal.err('It is handled, and parked no more.\n')
    return 0
  }
  const { attempts, error } = answer
  terminal.err(
    `${terminal.paintErr('red', '✗')} It failed again (${attempts} attempts by now) and stays parked: ${printable(error)}\n`,
  )
  return 1
}

async function drop(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags, words } = readArguments(args, { yes: 'switch' }, ['the consumer', 'the position'])
  if (!flags.yes)
    throw new UsageError('what is dropped is gone for good; add --yes if you mean it.')
  await askAdmin(terminal, path(words), z.null(), { method: 'DELETE' })
  terminal.err('It is dropped.\n')
  return 0
}

/** Where and when, the change, and what its consumer said of it. */
export function parkedView(
  { consumer, position, attempts, error, at, change }: ParkedChange,
  now: number,
  { paint, width }: Pick<Terminal, 'paint' | 'width'>,
): string {
  const where = `${printable(consumer)} ${printable(position)}`
  const when = `${attempts} attempts, the last ${ago(now - Date.parse(at))} ago`
  const room = width()
  return [
    `${paint('bold', where)}  ${paint('dim', when)}`,
    `  ${changeLine(change, room === null ? null : room - 2, paint)}`,
    `  ${paint('red', printable(error))}`,
    '',
  ].join('\n')
}

function path([consumer = '', position = '']: readonly string[]): string {
  return `/api/admin/parked/${encodeURIComponent(consumer)}/${encodeURIComponent(position)}`
}
