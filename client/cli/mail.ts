import { type Actions, act } from './actions.ts'
import type { Command } from './command.ts'
import { list } from './mail-list.ts'
import { cancel, redrive } from './mail-redrive.ts'
import { rules } from './mail-rules.ts'
import { show } from './mail-show.ts'
import { suppressions } from './mail-suppressions.ts'

const actions: Actions = { list, show, redrive, cancel, rules, suppressions }

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

  run: (args, terminal) => act('mail', actions, args, terminal),
}
