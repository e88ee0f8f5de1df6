import type { Command } from './command.ts'
import { UsageError } from './failure.ts'
import { list } from './mail-list.ts'
import { cancel, redrive } from './mail-redrive.ts'
import { rules } from './mail-rules.ts'
import { show } from './mail-show.ts'
import { suppressions } from './mail-suppressions.ts'
import { meant } from './nearest.ts'
import type { Terminal } from './terminal.ts'

type Action = (args: readonly string[], terminal: Terminal) => Promise<number>

const actions: Record<string, Action> = { list, show, redrive, cancel, rules, suppressions }

export const mail: Command = {
  name: 'mail',
  summary: 'The mails that changes owe: which were sent, which were not and why.',
  forms: [
    'list [--state parked,unknown] [--order 42] [--recipient a@b] [--rule 1] [--limit N] [--all] [--json]',
    'show <id> [--json]',
    'redrive <id>',
    'redrive --state parked [--order …] [--recipient …] [--rule …] [--dry-run | --yes]',
    'redrive --all [--dry-run | --yes]',
    'cancel <id>',
    'rules [--json]',
    'suppressions list [--search ada] [--json]',
    'suppressions add <address> [--detail …]',
    'suppressions remove <address>',
  ],
  details: [
    'States: queued, sending, failed (tried again by itself), sent, delivered, bounced, complained,',
    'suppressed (its address gets no mail), cancelled, unknown (it may have gone out), parked.',
    'Redrive tries again what is parked, unknown, suppressed, cancelled or bounced. Of a filter it',
    'says how many these are, and does it with --yes only.',
  ].join('\n'),

  async run([name, ...rest], terminal) {
    const names = Object.keys(actions)
    if (name === undefined) throw new UsageError(`mail: say what to do: ${names.join(', ')}.`)
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined
    if (action) return action(rest, terminal)
    throw new UsageError(
      `mail: there is no "${name}"${meant(name, names)}; there are ${names.join(', ')}.`,
    )
  },
}
