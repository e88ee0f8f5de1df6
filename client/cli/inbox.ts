import { type Actions, act } from './actions.ts'
import type { Command } from './command.ts'
import { list, show } from './inbox-list.ts'
import { markAll, markAs, open } from './inbox-marks.ts'
import { watch } from './inbox-watch.ts'

const actions: Actions = {
  list,
  watch,
  show,
  open,
  read: markAs('read', false),
  unread: markAs('read', true),
  archive: markAs('archived', false),
  unarchive: markAs('archived', true),
  'mark-all': markAll,
}

export const inbox: Command = {
  name: 'inbox',
  summary: 'What a user was told: read it, follow it, mark it.',
  forms: [
    '[list] [--user 3] [--listing active|unread|archived|all] [--category …] [--limit N] [--all] [--json]',
    'watch [--user 3] [--json]',
    'show <id> [--user 3] [--json]',
    'open [--user 3]',
    'read <id>… [--user 3]',
    'unread <id>… [--user 3]',
    'archive <id>… [--user 3]',
    'unarchive <id>… [--user 3]',
    'mark-all seen|read|archived [--user 3] [--undo [--before TIME]]',
  ],
  details: [
    'In a local run --user says whose. Elsewhere BELFRY_TOKEN is the token of the user, and nobody',
    'else’s inbox can be seen.',
    'unseen: the list was not opened since. unread, read: this one was not, was opened.',
    '`open` marks all as seen, as a person does who opens the list. `mark-all` prints how to take',
    'it back. `watch --json` prints a notification a line, and nothing else on stdout.',
  ].join('\n'),

  /** The user may stand before the action, which is `list` if there is none. */
  run(args, terminal) {
    const place = actionPlace(args)
    const before = args.slice(0, place)
    const [name = 'list', ...rest] = args.slice(place)
    return name.startsWith('--')
      ? act('inbox', actions, ['list', ...args], terminal)
      : act('inbox', actions, [name, ...before, ...rest], terminal)
  },
}

/** Behind `--user 3` or `--user=3`. */
function actionPlace([first, ...rest]: readonly string[]): number {
  if (first === '--user') return rest.length === 0 ? 1 : 2
  return first?.startsWith('--user=') ? 1 : 0
}
