import { type Actions, act } from './actions.ts'
import type { Command } from './command.ts'
import { deliveries, redrive } from './webhook-deliveries.ts'
import { add, list, off, on, remove, rotate, test } from './webhook-endpoints.ts'

const actions: Actions = {
  list,
  add,
  on,
  off,
  remove,
  rotate,
  test,
  deliveries,
  redrive,
}

export const webhooks: Command = {
  name: 'webhooks',
  summary: 'Endpoints that are told of changes: how they fare, and what they are owed.',
  forms: [
    'list [--json]',
    "add <url> --table orders [--op insert,update] [--when '{…}'] [--description …] [--json]",
    'on <id>',
    'off <id>',
    'remove <id> --yes',
    'rotate <id>',
    'test <id>',
    'deliveries <id> [--state parked] [--limit N] [--all] [--json]',
    'redrive <id> <delivery>',
    'redrive <id> [--state parked] [--dry-run | --yes]',
  ],
  details: [
    '--table may be given several times. --when holds for each of them, and is JSON:',
    '  \'{"status":{"became":["filled"]}}\'   is, was and changed are the other tests.',
    'add and rotate print a secret, which nobody can read again: the receiver checks signatures',
    'with it. After rotate the one before is good for another 24 hours.',
    'An endpoint that fails for a day is switched off, and what it is owed is parked: put it right,',
    'then `on`, then `redrive`.',
    'Asks with the token in BELFRY_ADMIN_TOKEN, or the local run’s own.',
  ].join('\n'),

  run: (args, terminal) => act('webhooks', actions, args, terminal),
}
