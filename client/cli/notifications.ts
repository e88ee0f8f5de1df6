import { type Actions, act } from './actions.ts'
import type { Command } from './command.ts'
import { list, show } from './notifications-list.ts'
import { cancel, redrive } from './notifications-redrive.ts'

const actions: Actions = { list, show, cancel, redrive }

export const notifications: Command = {
  name: 'notifications',
  summary: 'What users are told and will be: who, when, and what could not be.',
  forms: [
    'list [--state parked] [--user 3] [--category …] [--limit N] [--all] [--json]',
    'show <id> [--json]',
    'cancel <id>',
    'redrive <id>',
    'redrive --state parked,overdue [--user …] [--category …] [--dry-run | --yes]',
    'redrive --all [--dry-run | --yes]',
  ],
  details: [
    'States: scheduled, delivered, cancelled, declined (the user wants none of it), parked (it could',
    'not be delivered); overdue is what should have been delivered by now.',
    'Redrive plans again what is parked; with --state also what is declined, cancelled or overdue.',
    'Of a filter it says how many these are, and does it with --yes only.',
    '`belfry notify` makes notifications, `belfry inbox` is what a user sees of them.',
    'Asks with the token in BELFRY_ADMIN_TOKEN, or the local run’s own.',
  ].join('\n'),

  run: (args, terminal) => act('notifications', actions, args, terminal),
}
