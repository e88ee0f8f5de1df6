import { z } from 'zod'
import { wholeNumber } from './arguments.ts'
import { valueText } from './change-line.ts'
import { type Column, colouredTable } from './table-view.ts'
import type { Colour, Terminal } from './terminal.ts'
import { printable } from './text-width.ts'

/** A notification as `/api/notifications` tells of it. */
export const toldNotification = z.object({
  id: z.number(),
  user_id: z.number(),
  title: z.string(),
  category: z.string(),
  content: z.record(z.string(), z.unknown()),
  link: z.string().nullable(),
  origin: z.string().nullable(),
  state: z.string(),
  problem: z.string().nullable(),
  scheduled_at: z.string().nullable(),
  expires_at: z.string().nullable(),
  deliver_at: z.string().nullable(),
  delivered_at: z.string().nullable(),
  digested: z.boolean(),
  channels: z.object({ inbox: z.boolean(), mail: z.boolean(), webhook: z.boolean() }),
  seen: z.boolean(),
  read: z.boolean(),
  archived: z.boolean(),
  version: z.number(),
  created_at: z.string(),
  updated_at: z.string(),
})
export type ToldNotification = z.infer<typeof toldNotification>

/** @throws UsageError unless the first word is an id */
export function notificationPath([id = '']: readonly string[]): string {
  return `/api/notifications/${wholeNumber('the id', id)}`
}

/** Which ones; the worker says what is wrong with a value. */
export const notificationFilter = { state: 'text', user: 'text', category: 'text' } as const

const colours: Record<string, Colour> = {
  parked: 'red',
  scheduled: 'yellow',
  delivered: 'green',
  declined: 'dim',
  cancelled: 'dim',
}

function colourOf(state: string): Colour | null {
  return (Object.hasOwn(colours, state) && colours[state]) || null
}

const columns: Column[] = [
  { title: 'id', side: 'right' },
  { title: 'user', side: 'right' },
  { title: 'state' },
  { title: 'when (UTC)' },
  { title: 'category' },
  { title: 'title' },
  { title: 'problem' },
]

/** A line for each, coloured by its state; the problem, which stands last, is cut to the width. */
export function notificationTable(
  found: readonly ToldNotification[],
  terminal: Pick<Terminal, 'paint' | 'width'>,
): string {
  const rows = found.map((one) => [
    String(one.id),
    String(one.user_id),
    one.state,
    valueText(one.delivered_at ?? one.deliver_at ?? one.scheduled_at ?? one.created_at),
    one.category,
    one.title,
    one.problem ?? '',
  ])
  return colouredTable(columns, rows, (place) => colourOf(found[place]?.state ?? ''), terminal)
}

const NAME_WIDTH = 11

/** All of one. */
export function toldView(one: ToldNotification, paint: Terminal['paint']): string {
  const colour = colourOf(one.state)
  const state = printable(one.state)
  const at = (time: string | null) => time && `${valueText(time)} UTC`
  const facts: [name: string, said: string | null][] = [
    ['user', String(one.user_id)],
    ['problem', one.problem],
    ['category', one.category],
    ['link', one.link],
    ['origin', one.origin],
    ['written', at(one.created_at)],
    ['scheduled', at(one.scheduled_at)],
    ['due', one.delivered_at === null ? at(one.deliver_at) : null],
    ['delivered', at(one.delivered_at)],
    ['expires', at(one.expires_at)],
    ['digest', one.digested ? 'it comes with one' : null],
    ['channels', names(one.channels) || 'none'],
    ['marks', names({ seen: one.seen, read: one.read, archived: one.archived }) || null],
    ['content', JSON.stringify(one.content)],
  ]
  return [
    `${paint('bold', `notification ${one.id}`)}  ${colour === null ? state : paint(colour, state)}  ${printable(one.title)}`,
    ...facts.flatMap(([name, said]) =>
      said === null ? [] : `  ${paint('dim', name.padEnd(NAME_WIDTH))}${printable(said)}`,
    ),
    '',
  ].join('\n')
}

function names(which: Readonly<Record<string, boolean>>): string {
  return Object.entries(which)
    .filter(([, is]) => is)
    .map(([name]) => name)
    .join(', ')
}
