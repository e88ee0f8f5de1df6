import { type Actions, act } from './actions.ts'
import type { Command } from './command.ts'
import { list, show } from './users-list.ts'
import { load } from './users-load.ts'
import { change, create, remove } from './users-write.ts'

const actions: Actions = { list, get: show, create, change, delete: remove, load }

const fields =
  "[--email …] [--notifications on|off] [--time-zone Europe/Berlin] [--quiet 22:00-07:00 | ''] [--digest off|hourly|daily] [--digest-at 08:00]"

export const users: Command = {
  name: 'users',
  summary: 'Who can be told something: list them, make and change them, load them from a file.',
  forms: [
    'list [--search ada] [--limit N] [--all] [--json]',
    'get <id> [--json]',
    `create --name … [--id 42] ${fields} [--json]`,
    "create --from 1 --to 1000 --name 'Customer {n}' [--email c{n}@example.com] …",
    `change <id> [--name …] ${fields} [--if-version 4 | --force] [--json]`,
    'delete <id> --yes',
    'load <file.ndjson | -> [--json]',
  ],
  details: [
    'A range makes the users of these ids, or changes those that are there; {n} is the id.',
    "`--email ''` takes the address away, `--quiet ''` the quiet hours. With --notifications off",
    'a user is told nothing at all.',
    'A file has a user on each line, such as {"id": 42, "name": "Ada", "email": "ada@example.com"};',
    '- reads stdin. It is read as it is sent, however long it is. A line that is wrong is named by',
    'its number and holds back none of the others; then the exit status is 1. Loaded again, the',
    'same file changes nothing.',
    'A change is of the version that was read just before; --if-version says which, --force any.',
    'Asks with the token in BELFRY_ADMIN_TOKEN, or the local run’s own.',
  ].join('\n'),

  run: (args, terminal) => act('users', actions, args, terminal),
}
