import type { Counts, Notification } from '../../protocol/notification.ts'
import { valueText } from './change-line.ts'
import { type Column, colouredTable } from './table-view.ts'
import type { Colour, Terminal } from './terminal.ts'
import { cut, printable } from './text-width.ts'

/** What the marks of a notification come to, in one word. */
export function markText({ seen, read, archived }: Notification): Standing {
  if (archived) return 'archived'
  if (read) return 'read'
  return seen ? 'unread' : 'unseen'
}

type Standing = 'unseen' | 'unread' | 'read' | 'archived'

const colours: Record<Standing, Colour | null> = {
  unseen: 'green',
  unread: null,
  read: 'dim',
  archived: 'dim',
}

const columns: Column[] = [
  { title: 'id', side: 'right' },
  { title: '' },
  { title: 'delivered (UTC)' },
  { title: 'category' },
  { title: 'title' },
]

/** A line for each, coloured by its marks; the title, which stands last, is cut to the width. */
export function inboxTable(
  found: readonly Notification[],
  terminal: Pick<Terminal, 'paint' | 'width'>,
): string {
  const rows = found.map((each) => [
    String(each.id),
    markText(each),
    valueText(each.delivered_at),
    each.category,
    each.title,
  ])
  const colourOf = (place: number) => {
    const one = found[place]
    return one ? colours[markText(one)] : null
  }
  return colouredTable(columns, rows, colourOf, terminal)
}

const NAME_WIDTH = 11

/** All of one notification. */
export function notificationView(one: Notification, paint: Terminal['paint']): string {
  const facts: [name: string, said: string | null][] = [
    ['category', one.category],
    ['delivered', `${valueText(one.delivered_at)} UTC`],
    ['expires', one.expires_at && `${valueText(one.expires_at)} UTC`],
    ['link', one.link],
  ]
  return [
    `${paint('bold', printable(one.title))}  ${markText(one)}`,
    ...facts.flatMap(([name, said]) =>
      said === null ? [] : `  ${paint('dim', name.padEnd(NAME_WIDTH))}${printable(said)}`,
    ),
    ...contentLines(one.content).map((line) => `  ${line}`),
    '',
  ].join('\n')
}

/** A notification that has just come, on one line. */
export function arrivalLine(
  one: Notification,
  { paint, width }: Pick<Terminal, 'paint' | 'width'>,
) {
  const time = printable(valueText(one.delivered_at))
  const { text } = one.content
  const rest = [one.title, typeof text === 'string' ? text : '', one.link ?? '']
    .filter((part) => part !== '')
    .map(printable)
    .join('  ')
  const head = `${time}  #${one.id}  ${printable(one.category)}  `
  const room = width()
  return `${paint('dim', head)}${room === null ? rest : cut(rest, room - head.length)}`
}

/** `3 unread, 1 unseen`; what is unseen may be read. */
export function countsText({ unread, unseen, capped }: Counts): string {
  const said = [`${unread === 0 ? 'nothing' : counted(unread, capped)} unread`]
  if (unseen > 0) said.push(`${counted(unseen, capped)} unseen`)
  return said.join(', ')
}

function counted(count: number, isCapped: boolean): string {
  return isCapped ? `${count} or more` : String(count)
}

/** A column for each name, JSON for what is no text. */
function contentLines(content: Notification['content']): string[] {
  return Object.entries(content).map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return `${printable(name).padEnd(NAME_WIDTH)}${printable(text)}`
  })
}
