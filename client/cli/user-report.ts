import { z } from 'zod'
import { wholeNumber } from './arguments.ts'
import { valueText } from './change-line.ts'
import { type Column, tableView } from './table-view.ts'
import type { Terminal } from './terminal.ts'

/** A user as `/api/users` tells of one. */
export const user = z.object({
  id: z.number(),
  name: z.string(),
  email: z.string().nullable(),
  can_receive_notifications: z.boolean(),
  time_zone: z.string(),
  quiet_hours: z.object({ from: z.string(), to: z.string() }).nullable(),
  digest: z.string(),
  digest_at: z.string(),
  last_opened_at: z.string().nullable(),
  version: z.number(),
  created_at: z.string(),
  updated_at: z.string(),
})
export type User = z.infer<typeof user>

/** @throws UsageError unless the first word is an id */
export function userPath([id = '']: readonly string[]): string {
  return `/api/users/${wholeNumber('the id', id)}`
}

export function showUser(one: User, json: true | undefined, terminal: Terminal): number {
  if (json) terminal.out(`${JSON.stringify(one, null, 2)}\n`)
  else terminal.out(usersTable([one], terminal.paint))
  return 0
}

export function showUsers(
  found: readonly User[],
  json: true | undefined,
  terminal: Terminal,
): void {
  if (json) terminal.out(`${JSON.stringify(found, null, 2)}\n`)
  else if (found.length === 0)
    terminal.err('No user is like that: `belfry users create --name …` makes one.\n')
  else terminal.out(usersTable(found, terminal.paint))
}

const columns: Column[] = [
  { title: 'id', side: 'right' },
  { title: 'name' },
  { title: 'e-mail' },
  { title: 'is told' },
  { title: 'time zone' },
  { title: 'quiet' },
  { title: 'last opened (UTC)' },
]

function usersTable(found: readonly User[], paint: Terminal['paint']): string {
  const rows = found.map((one) => [
    String(one.id),
    one.name,
    one.email ?? '',
    toldText(one),
    one.time_zone,
    one.quiet_hours === null ? '' : `${one.quiet_hours.from}-${one.quiet_hours.to}`,
    one.last_opened_at === null ? '' : valueText(one.last_opened_at),
  ])
  return tableView(columns, rows, paint)
}

/** `at once`, `hourly`, `daily 08:00`, `nothing` */
function toldText({ can_receive_notifications: isTold, digest, digest_at: at }: User): string {
  if (!isTold) return 'nothing'
  if (digest === 'off') return 'at once'
  return digest === 'daily' ? `daily ${at}` : digest
}
