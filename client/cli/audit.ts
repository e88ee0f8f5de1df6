import { z } from 'zod'
import { askAdmin } from './admin.ts'
import { readArguments } from './arguments.ts'
import { changedColumns, changedText, whoText } from './audit-report.ts'
import { valueText } from './change-line.ts'
import type { Command } from './command.ts'
import { listPages, pageFlags } from './pages.ts'
import { type Column, colouredTable } from './table-view.ts'
import type { Colour, Terminal } from './terminal.ts'

const entry = z.object({
  id: z.number(),
  at: z.string(),
  request: z.string(),
  principal: z.string(),
  /** Of the user or the key. */
  name: z.string().nullable(),
  action: z.string(),
  table: z.string(),
  key: z.string(),
  version: z.number().nullable(),
  changed: changedColumns,
})
type Entry = z.infer<typeof entry>

const page = z.object({ audit: z.array(entry), next_cursor: z.string().nullable() })

const PAGE_LIMIT = 200

export const audit: Command = {
  name: 'audit',
  summary: 'Who changed what over the API, newest first.',
  forms: [
    '[--principal key:7] [--table orders] [--key 42] [--request …] [--limit N] [--all] [--json]',
  ],
  details: [
    '  --principal key:7  what one has done: user:<id>, token:<sub>, key:<id>, operator, anyone',
    '  --table orders     what was done to a table; with --key 42 to one row of it',
    '  --request …        what one request did: its id is in the answer’s X-Request-Id, and in each',
    '                     problem and line of the log',
    'What SQL wrote is not in it: `belfry orders life <id>` tells of that too, for an order.',
    'Asks with the token in BELFRY_ADMIN_TOKEN or BELFRY_TOKEN (scope admin), or the local run’s own.',
  ].join('\n'),

  async run(args, terminal) {
    const { flags } = readArguments(args, {
      principal: 'text',
      table: 'text',
      key: 'text',
      request: 'text',
      ...pageFlags,
      json: 'switch',
    })
    const { principal, table, key, request, json } = flags
    await listPages(
      {
        flags,
        most: PAGE_LIMIT,
        filter: { principal, table, key, request },
        async read(query) {
          const read = await askAdmin(terminal, `/api/audit?${query}`, page)
          return { found: read.audit, next: read.next_cursor }
        },
        show(found) {
          if (json) terminal.out(`${JSON.stringify(found, null, 2)}\n`)
          else if (found.length === 0) terminal.err('Nothing like that was done over the API.\n')
          else terminal.out(auditTable(found, terminal))
        },
      },
      terminal,
    )
    return 0
  },
}

const columns: Column[] = [
  { title: 'at (UTC)' },
  { title: 'who' },
  { title: 'did' },
  { title: 'to' },
  { title: 'version', side: 'right' },
  { title: 'changed' },
]

const colours: Record<string, Colour> = { insert: 'green', update: 'yellow', delete: 'red' }

/** A line for each; what changed stands last, and is cut to the width. */
export function auditTable(
  found: readonly Entry[],
  terminal: Pick<Terminal, 'paint' | 'width'>,
): string {
  const rows = found.map(({ at, principal, name, action, table, key, version, changed }) => [
    valueText(at),
    whoText(principal, name),
    action,
    `${table} ${key}`,
    String(version ?? ''),
    changedText(changed),
  ])
  const colourOf = (place: number) => colours[found[place]?.action ?? ''] ?? null
  return colouredTable(columns, rows, colourOf, terminal)
}
