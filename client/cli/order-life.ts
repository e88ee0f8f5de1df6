import { z } from 'zod'
import { askAdmin } from './admin.ts'
import { readArguments, wholeNumber } from './arguments.ts'
import { changedColumns, changedText, whoText } from './audit-report.ts'
import { valueText } from './change-line.ts'
import { paintState } from './mail-report.ts'
import type { Terminal } from './terminal.ts'
import { printable } from './text-width.ts'

/** What was done over the API; or versions of which it is only known that SQL made them. */
const made = z.union([
  z.object({
    /** null of a deletion. */
    version: z.number().nullable(),
    at: z.string(),
    by: z.string(),
    name: z.string().nullable(),
    request: z.string(),
    action: z.string(),
    changed: changedColumns,
  }),
  z.object({ versions: z.tuple([z.number(), z.number()]), by: z.literal('sql') }),
])

/** Of which version, where that is known. */
const version = z.number().nullable()

const story = z.object({
  order: z
    .looseObject({ customer_name: z.string(), status: z.string(), version: z.number() })
    .nullable(),
  versions: z.array(made),
  notifications: z.array(
    z.object({
      id: z.number(),
      user: z.number(),
      title: z.string(),
      state: z.string(),
      delivered_at: z.string().nullable(),
      version,
    }),
  ),
  mails: z.array(
    z.object({
      id: z.number(),
      recipient: z.string(),
      state: z.string(),
      rule: z.string(),
      change: z.string(),
      notification: z.number().nullable(),
      version,
      at: z.string(),
    }),
  ),
})
export type OrderLife = z.infer<typeof story>

export async function life(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags, words } = readArguments(args, { json: 'switch' }, ['the id'])
  const order = wholeNumber('the id', words[0] ?? '')
  const read = await askAdmin(terminal, `/api/orders/${order}/life`, story)
  terminal.out(
    flags.json ? `${JSON.stringify(read, null, 2)}\n` : lifeView(order, read, terminal.paint),
  )
  return 0
}

/** Its versions, oldest first, then who was told of it, and by which mails. */
export function lifeView(
  order: number,
  { order: now, versions, notifications, mails }: OrderLife,
  paint: Terminal['paint'],
): string {
  const standing = now ? `${now.status}, version ${now.version}` : 'deleted'
  const about = now ? `of ${now.customer_name}, ` : ''
  return [
    `${paint('bold', `order ${order}`)}  ${printable(about + standing)}`,
    ...section(
      'versions (UTC)',
      versions.map((each) => versionLine(each, paint)),
      paint,
    ),
    ...section(
      'told (UTC)',
      notifications.map((each) => toldLine(each, paint)),
      paint,
    ),
    ...section(
      'mails (UTC)',
      mails.map((each) => mailLine(each, paint)),
      paint,
    ),
    '',
  ].join('\n')
}

function section(title: string, lines: readonly string[], paint: Terminal['paint']): string[] {
  if (lines.length === 0) return []
  return ['', paint('bold', title), ...lines.map((line) => `  ${line.trimEnd()}`)]
}

function versionLine(each: OrderLife['versions'][number], paint: Terminal['paint']): string {
  if ('versions' in each) {
    const [first, last] = each.versions
    const which = first === last ? String(first) : `${first} to ${last}`
    return paint('dim', `${which}  by SQL: who, nobody wrote down`)
  }
  const { version, at, by, name, action, changed } = each
  const who = printable(`${action} by ${whoText(by, name)}`)
  return `${version ?? '-'}  ${moment(at, paint)}  ${who}  ${changedText(changed)}`
}

function toldLine(
  { id, user, title, state, delivered_at: at, version }: OrderLife['notifications'][number],
  paint: Terminal['paint'],
): string {
  const what = printable(`user ${user}  ${state}  ${title}`)
  return `${moment(at, paint)}  ${what}  ${paint('dim', `notification ${id}${ofVersion(version)}`)}`
}

function mailLine(
  { id, recipient, state, rule, version, at }: OrderLife['mails'][number],
  paint: Terminal['paint'],
): string {
  const what = `${printable(recipient)}  ${paintState(state, printable(state), paint)}  ${printable(rule)}`
  return `${moment(at, paint)}  ${what}  ${paint('dim', `mail ${id}${ofVersion(version)}`)}`
}

function moment(at: string | null, paint: Terminal['paint']): string {
  const text = at === null ? 'not yet' : printable(valueText(at))
  return paint('dim', text.padEnd(MOMENT_WIDTH))
}

function ofVersion(version: number | null): string {
  return version === null ? '' : ` of version ${version}`
}

const MOMENT_WIDTH = '2026-11-21 08:33:55'.length
