import { z } from 'zod'
import { askAdmin } from './admin.ts'
import { readArguments } from './arguments.ts'
import { type Column, tableView } from './table-view.ts'
import type { Terminal } from './terminal.ts'
import { printable } from './text-width.ts'

const rule = z.object({
  id: z.number(),
  name: z.string(),
  table: z.string(),
  ops: z.array(z.string()),
  /** What SQL wrote may have any shape. */
  when: z.unknown(),
  template: z.string().nullable(),
  category: z.string(),
  recipients: z.unknown(),
  enabled: z.boolean(),
  /** Why it does nothing. */
  problem: z.string().nullable(),
})
type Rule = z.infer<typeof rule>

export async function rules(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags } = readArguments(args, { json: 'switch' })
  const read = await askAdmin(terminal, '/api/mail-rules', z.object({ rules: z.array(rule) }))
  if (flags.json) terminal.out(`${JSON.stringify(read.rules, null, 2)}\n`)
  else if (read.rules.length === 0)
    terminal.err('There is no rule, so no change owes a mail: POST /api/mail-rules makes one.\n')
  else terminal.out(rulesView(read.rules, terminal.paint))
  return 0
}

const columns: Column[] = [
  { title: 'id', side: 'right' },
  { title: 'rule' },
  { title: 'on' },
  { title: 'when' },
  { title: 'template' },
  { title: 'to' },
  { title: '' },
]

/** A line for each, and below them what is wrong with those that do nothing. */
export function rulesView(found: readonly Rule[], paint: Terminal['paint']): string {
  const table = tableView(
    columns,
    found.map(({ id, name, table, ops, when, template, recipients, enabled }) => [
      String(id),
      name,
      `${table}: ${ops.join(', ')}`,
      Object.entries(when ?? {})
        .map(testText)
        .join(' and ') || 'always',
      template ?? '',
      [recipients].flat().map(recipientText).join(', '),
      enabled ? '' : 'off',
    ]),
    paint,
  )
  const problems = found.flatMap(({ id, problem }) =>
    problem === null ? [] : `${paint('red', `Rule ${id} does nothing:`)} ${printable(problem)}\n`,
  )
  return table + problems.join('')
}

/** `status became filled`, `amount changed` */
function testText([column, test]: [string, unknown]): string {
  const [kind, values] = firstEntry(test)
  return kind === 'changed'
    ? `${column} changed`
    : `${column} ${kind} ${[values].flat().map(String).join(' or ')}`
}

/** `ada@example.com`, `column customer_email` */
function recipientText(recipient: unknown): string {
  const [kind, value] = firstEntry(recipient)
  return kind === 'address' ? String(value) : `${kind} ${String(value)}`
}

function firstEntry(value: unknown): [string, unknown] {
  return Object.entries(value ?? {})[0] ?? ['?', JSON.stringify(value)]
}
