import { z } from 'zod'
import { askAdmin } from './admin.ts'
import { readArguments } from './arguments.ts'
import { valueText } from './change-line.ts'
import { mailPath } from './mail-path.ts'
import { mailReport, paintState } from './mail-report.ts'
import type { Terminal } from './terminal.ts'
import { printable } from './text-width.ts'

const story = mailReport.extend({
  history: z.array(z.object({ at: z.string(), kind: z.string(), detail: z.string().nullable() })),
  letter: z.object({ subject: z.string(), html: z.string(), text: z.string() }).nullable(),
})
export type MailStory = z.infer<typeof story>

export async function show(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags, words } = readArguments(args, { json: 'switch' }, ['the id'])
  const read = await askAdmin(terminal, mailPath(words), story)
  terminal.out(flags.json ? `${JSON.stringify(read, null, 2)}\n` : storyView(read, terminal.paint))
  return 0
}

const NAME_WIDTH = 11

/** What it is, what happened to it, and what it says. */
export function storyView(mail: MailStory, paint: Terminal['paint']): string {
  const { id, state, recipient, table, key, change, rule, rule_name, attempts } = mail
  const facts: [name: string, said: string | null][] = [
    ['to', recipient],
    ['about', `${table} ${key}, change ${change}`],
    ['rule', `${rule_name} (${rule})`],
    ['attempts', String(attempts)],
    ['next', mail.next_at && `${valueText(mail.next_at)} UTC`],
    ['at Resend', mail.provider_id],
    ['last error', mail.last_error],
  ]
  const history = mail.history.map(({ at, kind, detail }) => {
    const what = paintState(kind, printable(kind).padEnd(NAME_WIDTH), paint)
    return `  ${paint('dim', printable(valueText(at)))}  ${`${what}${printable(detail ?? '')}`.trimEnd()}`
  })
  const letter = mail.letter
    ? [`Subject: ${printable(mail.letter.subject)}`, '', ...mail.letter.text.trimEnd().split('\n')]
    : ['Its letter cannot be written any more: its template is gone, or reads other data now.']
  return [
    `${paint('bold', `mail ${id}`)}  ${paintState(state, printable(state), paint)}`,
    ...facts.flatMap(([name, said]) =>
      said === null ? [] : `  ${paint('dim', name.padEnd(NAME_WIDTH))}${printable(said)}`,
    ),
    '',
    paint('bold', 'history (UTC)'),
    ...history,
    '',
    paint('bold', 'letter'),
    ...letter.map((line) => `  ${printable(line)}`.trimEnd()),
    '',
  ].join('\n')
}
