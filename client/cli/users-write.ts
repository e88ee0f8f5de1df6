import { z } from 'zod'
import { askAdmin } from './admin.ts'
import { readArguments, wholeNumber } from './arguments.ts'
import { conditionFlags, update } from './condition.ts'
import { UsageError } from './failure.ts'
import type { Terminal } from './terminal.ts'
import { showUser, user, userPath } from './user-report.ts'

const fields = {
  name: 'text',
  email: 'text',
  notifications: 'text',
  'time-zone': 'text',
  quiet: 'text',
  digest: 'text',
  'digest-at': 'text',
} as const

const needs = { read: 'admin', change: 'admin' }
const loaded = z.object({ created: z.number(), changed: z.number(), unchanged: z.number() })

/** One user, or those of a range of ids. */
export async function create(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags } = readArguments(args, {
    ...fields,
    id: 'text',
    from: 'text',
    to: 'text',
    json: 'switch',
  })
  const { id, from, to, json } = flags
  if ((from === undefined) !== (to === undefined))
    throw new UsageError('a range has both ends: give --from and --to.')
  if (from !== undefined && to !== undefined) {
    if (id !== undefined)
      throw new UsageError('--id is one user, --from and --to are many: choose.')
    const range = { from: wholeNumber('--from', from), to: wholeNumber('--to', to) }
    const body = { ...range, ...bodyOf(flags) }
    const done = await askAdmin(terminal, '/api/users', loaded, {
      method: 'POST',
      body,
      isCreate: true,
    })
    if (json) terminal.out(`${JSON.stringify(done, null, 2)}\n`)
    else terminal.err(`${loadedText(done)}.\n`)
    return 0
  }
  if (flags.name === undefined) throw new UsageError('--name is missing.')
  const body = { ...(id !== undefined && { id: wholeNumber('--id', id) }), ...bodyOf(flags) }
  return showUser(
    await askAdmin(terminal, '/api/users', user, { method: 'POST', body, isCreate: true }),
    json,
    terminal,
  )
}

export async function change(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags, words } = readArguments(args, { ...fields, ...conditionFlags, json: 'switch' }, [
    'the id',
  ])
  const [path, body] = [userPath(words), bodyOf(flags)]
  if (Object.keys(body).length === 0)
    throw new UsageError(`say what to change: --${Object.keys(fields).join(', --')}.`)
  return showUser(
    await update(
      { needs, path, body, condition: flags, look: `belfry users get ${words[0]}` },
      user,
      terminal,
    ),
    flags.json,
    terminal,
  )
}

export async function remove(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags, words } = readArguments(args, { yes: 'switch' }, ['the id'])
  const path = userPath(words)
  if (!flags.yes)
    throw new UsageError('a user’s notifications go with them; add --yes if you mean it.')
  await askAdmin(terminal, path, z.null(), { method: 'DELETE' })
  terminal.err(`User ${words[0]} is deleted.\n`)
  return 0
}

/** `990 created, 8 changed, 2 unchanged` */
export function loadedText({ created, changed, unchanged }: z.infer<typeof loaded>): string {
  return `${created} created, ${changed} changed, ${unchanged} unchanged`
}

/** As the API calls them; what is given as nothing is taken away. */
function bodyOf(given: { [N in keyof typeof fields]?: string }) {
  const { name, email, notifications, quiet, digest } = given
  const { 'time-zone': zone, 'digest-at': digestAt } = given
  return {
    ...(name !== undefined && { name }),
    ...(email !== undefined && { email: email === '' ? null : email }),
    ...(notifications !== undefined && { can_receive_notifications: readSwitch(notifications) }),
    ...(zone !== undefined && { time_zone: zone }),
    ...(quiet !== undefined && { quiet_hours: readQuiet(quiet) }),
    ...(digest !== undefined && { digest }),
    ...(digestAt !== undefined && { digest_at: digestAt }),
  }
}

function readSwitch(text: string): boolean {
  if (text === 'on' || text === 'off') return text === 'on'
  throw new UsageError(`--notifications is on or off, not "${text}".`)
}

function readQuiet(text: string): { from: string; to: string } | null {
  if (text === '') return null
  const [from, to, ...more] = text.split('-').map((time) => time.trim())
  if (from && to && more.length === 0) return { from, to }
  throw new UsageError(`--quiet takes two times of day, such as 22:00-07:00, not "${text}".`)
}
