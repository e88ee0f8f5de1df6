import type { Row } from '../../protocol/change.ts'
import { onOneLine } from '../mail/line.ts'
import { valueText } from '../rules/key-text.ts'
import type { InboxRule } from '../rules/rule.ts'
import { isOnlyColumn, leadsToPage } from './link.ts'

/**
 * What a rule tells, with `{column}` filled in from the row that changed.
 *
 * Must hold: values are strangers' text. In a link they are encoded, so that it leads nowhere the
 * rule does not; one that is a column and nothing else is the row's own, and leads to a page.
 */
export type Filled = { title: string; content: { [name: string]: unknown }; link: string | null }

const TITLE_MAX = 200
const LINK_MAX = 2_048
const CONTENT_MAX_BYTES = 65_536

/** @throws what the row lacks, or has too much of */
export function fillIn({ notification }: Pick<InboxRule, 'notification'>, row: Row): Filled {
  const title = onOneLine(filled(notification.title, row), TITLE_MAX)
  if (title === '') throw new Error('the title comes out empty.')
  const content = everyText(notification.content, (text) => filled(text, row)) as Filled['content']
  const bytes = new TextEncoder().encode(JSON.stringify(content)).length
  if (bytes > CONTENT_MAX_BYTES)
    throw new Error(`the content comes to ${bytes} bytes; at most ${CONTENT_MAX_BYTES} are kept.`)
  return { title, content, link: linkIn(notification.link, row) }
}

function linkIn(text: string | undefined, row: Row): string | null {
  if (text === undefined) return null
  const isRowsOwn = isOnlyColumn(text)
  const link = filled(text, row, isRowsOwn ? undefined : encodeURIComponent)
  if (isRowsOwn && link === '') return null
  if (link.length > LINK_MAX)
    throw new Error(`the link comes to ${link.length} characters; at most ${LINK_MAX} are kept.`)
  if (!leadsToPage(link))
    throw new Error(`the link comes to "${link.slice(0, 80)}"; it must be https, http or a path.`)
  return link
}

/** The columns that a rule's texts name. */
export function columnsIn(notification: InboxRule['notification']): string[] {
  const columns = new Set<string>()
  const note = (text: string) => {
    for (const [, column] of text.matchAll(PLACE)) columns.add(column as string)
    return text
  }
  note(notification.title)
  note(notification.link ?? '')
  everyText(notification.content, note)
  return [...columns]
}

const PLACE = /\{([^{}]+)\}/g

function filled(text: string, row: Row, encode = (value: string) => value): string {
  return text.replace(PLACE, (_, column: string) => {
    if (!Object.hasOwn(row, column)) throw new Error(`there is no column "${column}" to fill in.`)
    return encode(valueText(row[column] ?? null).toWellFormed())
  })
}

/** The same content with every text in it replaced; names stay. */
function everyText(content: unknown, replace: (text: string) => string): unknown {
  if (typeof content === 'string') return replace(content)
  if (Array.isArray(content)) return content.map((each) => everyText(each, replace))
  if (typeof content !== 'object' || content === null) return content
  return Object.fromEntries(
    Object.entries(content).map(([name, each]) => [name, everyText(each, replace)]),
  )
}
