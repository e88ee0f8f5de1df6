import { z } from 'zod'
import { counts, notification } from '../../protocol/notification.ts'
import { workerAddress } from './address.ts'
import { call } from './api.ts'
import { readArguments, wholeNumber } from './arguments.ts'
import { countsText, inboxTable, notificationView } from './inbox-view.ts'
import { listPages, pageFlags } from './pages.ts'
import type { Terminal } from './terminal.ts'
import { userCredential } from './user-token.ts'

const page = z.object({
  notifications: z.array(notification),
  next_cursor: z.string().nullable(),
  counts,
})

const PAGE_LIMIT = 100

export async function list(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags } = readArguments(args, {
    user: 'text',
    listing: 'text',
    category: 'text',
    ...pageFlags,
    json: 'switch',
  })
  const { user, listing, category, json } = flags
  const as = await userCredential(user, terminal)
  let standing: z.infer<typeof counts> | null = null
  await listPages(
    {
      flags,
      most: PAGE_LIMIT,
      filter: { listing, category },
      async read(query) {
        const path = `/api/me/notifications?${query}`
        const read = await call(workerAddress(terminal), path, page, { as, needs: 'user' })
        standing = read.counts
        return { found: read.notifications, next: read.next_cursor }
      },
      show(found) {
        if (json) return terminal.out(`${JSON.stringify(found, null, 2)}\n`)
        if (found.length > 0) terminal.out(inboxTable(found, terminal))
        if (standing) terminal.err(`In the inbox: ${countsText(standing)}.\n`)
      },
    },
    terminal,
  )
  return 0
}

export async function show(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags, words } = readArguments(args, { user: 'text', json: 'switch' }, ['the id'])
  const id = wholeNumber('the id', words[0] ?? '')
  const as = await userCredential(flags.user, terminal)
  const path = `/api/me/notifications/${id}`
  const shape = z.object({ notification })
  const read = await call(workerAddress(terminal), path, shape, { as, needs: 'user' })
  if (flags.json) terminal.out(`${JSON.stringify(read.notification, null, 2)}\n`)
  else terminal.out(notificationView(read.notification, terminal.paint))
  return 0
}
