import { wantsHelp } from './arguments.ts'
import { audit } from './audit.ts'
import { type Command, usageLine } from './command.ts'
import { doctor } from './doctor.ts'
import { Failure, UsageError } from './failure.ts'
import { feed } from './feed.ts'
import { inbox } from './inbox.ts'
import { keys } from './keys.ts'
import { mail } from './mail.ts'
import { meant } from './nearest.ts'
import { notifications } from './notifications.ts'
import { notify } from './notify.ts'
import { orders } from './orders.ts'
import { parked } from './parked.ts'
import { revoke } from './revoke.ts'
import { sql } from './sql.ts'
import { status } from './status.ts'
import { tail } from './tail.ts'
import type { Terminal } from './terminal.ts'
import { token } from './token.ts'
import { users } from './users.ts'
import { webhooks } from './webhooks.ts'

const commands: readonly Command[] = [
  tail,
  orders,
  sql,
  status,
  mail,
  webhooks,
  inbox,
  notify,
  notifications,
  users,
  token,
  keys,
  revoke,
  audit,
  doctor,
  parked,
  feed,
]

/** @returns the exit status: 0 done, 1 it could not be done, 2 the command line is wrong */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const [name = 'help', ...rest] = args
    if (['help', '--help', '-h'].includes(name)) return help(rest, terminal)
    const command = find(name)
    return wantsHelp(rest) ? help([name], terminal) : await command.run(rest, terminal)
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.err(`belfry: ${error.message}\n`)
      return 2
    }
    if (!(error instanceof Failure)) throw error
    terminal.err(`${terminal.paintErr('red', '✗')} ${error.message}\n`)
    return 1
  }
}

function find(name: string): Command {
  const command = commands.find((command) => command.name === name)
  if (command) return command
  const names = commands.map((command) => command.name)
  throw new UsageError(
    `there is no command "${name}"${meant(name, names)}; \`belfry help\` lists what there is.`,
  )
}

function help([name]: readonly string[], terminal: Terminal): number {
  if (name !== undefined) {
    const command = find(name)
    const forms = command.forms.map((form) => `  belfry ${command.name} ${form}`.trimEnd())
    terminal.out(`${command.summary}\n\n${forms.join('\n')}\n`)
    if (command.details) terminal.out(`\n${command.details}\n`)
    return 0
  }
  const list = commands.flatMap((command) => [
    `  ${usageLine(command)}`,
    `      ${command.summary}`,
  ])
  terminal.out(
    [
      'Postgres changes, heard everywhere: once, in order, at once.',
      '',
      ...list,
      '  help [command]',
      '      More on one of these.',
      '',
      'The worker is found at BELFRY_URL, or by .belfry/local.json of a local run; the database',
      'at DATABASE_URL, or the same file. Who asks elsewhere is said by BELFRY_TOKEN, a token or an',
      'API key, or BELFRY_ADMIN_TOKEN. NO_COLOR is respected.',
      '',
    ].join('\n'),
  )
  return 0
}
