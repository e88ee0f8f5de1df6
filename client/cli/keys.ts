import { z } from 'zod'
import { type Actions, act } from './actions.ts'
import { askAdmin } from './admin.ts'
import { readArguments, wholeNumber } from './arguments.ts'
import { valueText } from './change-line.ts'
import type { Command } from './command.ts'
import { UsageError } from './failure.ts'
import { readMoment } from './moment.ts'
import { listPages, pageFlags } from './pages.ts'
import { type Column, colouredTable } from './table-view.ts'
import type { Terminal } from './terminal.ts'
import { printable } from './text-width.ts'

const key = z.object({
  id: z.number(),
  name: z.string(),
  hint: z.string(),
  scopes: z.array(z.string()),
  created_by: z.string(),
  created_at: z.string(),
  expires_at: z.string().nullable(),
  revoked_at: z.string().nullable(),
  last_used_at: z.string().nullable(),
})
export type ApiKey = z.infer<typeof key>

/** The key itself is in the first answer to its making, and in no other. */
const made = key.extend({ key: z.string().nullish() })

const page = z.object({ keys: z.array(key), next_cursor: z.string().nullable() })

const PAGE_LIMIT = 200
const PATH = '/api/keys'

const actions: Actions = { list, create, revoke }

export const keys: Command = {
  name: 'keys',
  summary: 'API keys for machines: make one, list them, revoke one.',
  forms: [
    'list [--limit N] [--all] [--json]',
    "create --name 'warehouse scanner' --scopes orders:read,orders:write [--expires 2027-01-01T00:00:00Z] [--json]",
    'revoke <id>',
  ],
  details: [
    'Scopes: admin, orders:write, *:read, or <table>:read for a watched table.',
    '`create` prints the key on stdout, this once: Belfry keeps only its hash. Whoever has it sends it',
    'as BELFRY_TOKEN here, and elsewhere as `Authorization: Bearer …`. --expires takes +90d too.',
    'One that is revoked opens nothing any more within 10 s, and its sockets are closed.',
    'Asks with the token in BELFRY_ADMIN_TOKEN or BELFRY_TOKEN (scope admin), or the local run’s own.',
  ].join('\n'),

  run: (args, terminal) => act('keys', actions, args, terminal),
}

async function list(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags } = readArguments(args, { ...pageFlags, json: 'switch' })
  await listPages(
    {
      flags,
      most: PAGE_LIMIT,
      filter: {},
      async read(query) {
        const read = await askAdmin(terminal, `${PATH}?${query}`, page)
        return { found: read.keys, next: read.next_cursor }
      },
      show(found) {
        if (flags.json) terminal.out(`${JSON.stringify(found, null, 2)}\n`)
        else if (found.length === 0)
          terminal.err('There is no key: `belfry keys create --name … --scopes …` makes one.\n')
        else terminal.out(keysTable(found, Date.now(), terminal))
      },
    },
    terminal,
  )
  return 0
}

async function create(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags } = readArguments(args, {
    name: 'text',
    scopes: 'text',
    expires: 'text',
    json: 'switch',
  })
  const { name, scopes, expires, json } = flags
  if (name === undefined) throw new UsageError('--name is missing: who uses it, for what?')
  if (scopes === undefined)
    throw new UsageError('--scopes is missing: what may it do? Say orders:read, for example.')
  const answer = await askAdmin(terminal, PATH, made, {
    method: 'POST',
    isCreate: true,
    body: {
      name,
      scopes: scopes.split(/[\s,]+/).filter((scope) => scope !== ''),
      ...(expires !== undefined && { expires_at: readMoment('--expires', expires, Date.now()) }),
    },
  })
  if (!answer.key) {
    terminal.err(
      `Key ${answer.id} was made, but the answer with it was lost on the way: \`belfry keys revoke ${answer.id}\`, and make another.\n`,
    )
    return 1
  }
  terminal.out(json ? `${JSON.stringify(answer, null, 2)}\n` : `${answer.key}\n`)
  terminal.err(
    `Key ${answer.id}, ${printable(answer.name)}: keep it now, it is not shown again. \`belfry keys revoke ${answer.id}\` ends it.\n`,
  )
  return 0
}

async function revoke(args: readonly string[], terminal: Terminal): Promise<number> {
  const { words } = readArguments(args, {}, ['the id'])
  return revokeKey(wholeNumber('the id', words[0] ?? ''), terminal)
}

export async function revokeKey(id: number, terminal: Terminal): Promise<number> {
  await askAdmin(terminal, `${PATH}/${id}`, z.null(), { method: 'DELETE' })
  terminal.err(`Key ${id} is revoked. Within 10 s it opens nothing any more.\n`)
  return 0
}

const columns: Column[] = [
  { title: 'id', side: 'right' },
  { title: 'name' },
  { title: 'begins' },
  { title: 'scopes' },
  { title: 'made by' },
  { title: 'last used (UTC)' },
  { title: 'ends (UTC)' },
]

/** @param now milliseconds since 1970 */
export function keysTable(
  found: readonly ApiKey[],
  now: number,
  terminal: Pick<Terminal, 'paint' | 'width'>,
): string {
  const rows = found.map(({ id, name, hint, scopes, created_by, last_used_at, ...ends }) => [
    String(id),
    name,
    `${hint}…`,
    scopes.join(' '),
    created_by,
    last_used_at === null ? 'never' : valueText(last_used_at),
    endText(ends),
  ])
  const isOver = ({ revoked_at, expires_at }: ApiKey) =>
    revoked_at !== null || (expires_at !== null && Date.parse(expires_at) <= now)
  const colourOf = (place: number) => {
    const each = found[place]
    return each && isOver(each) ? 'dim' : null
  }
  return colouredTable(columns, rows, colourOf, terminal)
}

function endText({ revoked_at, expires_at }: Pick<ApiKey, 'revoked_at' | 'expires_at'>): string {
  if (revoked_at !== null) return `revoked ${valueText(revoked_at)}`
  return expires_at === null ? '' : valueText(expires_at)
}
