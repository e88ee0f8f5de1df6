import { z } from 'zod'
import { askAdmin } from './admin.ts'
import { readArguments } from './arguments.ts'
import {
  notificationFilter,
  notificationPath,
  notificationTable,
  toldNotification,
  toldView,
} from './notification-report.ts'
import { listPages, pageFlags } from './pages.ts'
import type { Terminal } from './terminal.ts'

const page = z.object({
  notifications: z.array(toldNotification),
  next_cursor: z.string().nullable(),
})

const PAGE_LIMIT = 200

export async function list(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags } = readArguments(args, { ...notificationFilter, ...pageFlags, json: 'switch' })
  const { state, user, category, json } = flags
  await listPages(
    {
      flags,
      most: PAGE_LIMIT,
      filter: { state, user, category },
      async read(query) {
        const read = await askAdmin(terminal, `/api/notifications?${query}`, page)
        return { found: read.notifications, next: read.next_cursor }
      },
      show(found) {
        if (json) terminal.out(`${JSON.stringify(found, null, 2)}\n`)
        else if (found.length === 0) terminal.err('No notification is like that.\n')
        else terminal.out(notificationTable(found, terminal))
      },
    },
    terminal,
  )
  return 0
}

export async function show(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags, words } = readArguments(args, { json: 'switch' }, ['the id'])
  const read = await askAdmin(terminal, notificationPath(words), toldNotification)
  terminal.out(flags.json ? `${JSON.stringify(read, null, 2)}\n` : toldView(read, terminal.paint))
  return 0
}
