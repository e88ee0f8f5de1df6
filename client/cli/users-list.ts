import { z } from 'zod'
import { askAdmin } from './admin.ts'
import { readArguments } from './arguments.ts'
import { listPages, pageFlags } from './pages.ts'
import type { Terminal } from './terminal.ts'
import { showUser, showUsers, user, userPath } from './user-report.ts'

const page = z.object({ users: z.array(user), next_cursor: z.string().nullable() })

const PAGE_LIMIT = 200

export async function list(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags } = readArguments(args, { search: 'text', ...pageFlags, json: 'switch' })
  const { search, json } = flags
  await listPages(
    {
      flags,
      most: PAGE_LIMIT,
      filter: { search },
      async read(query) {
        const { users, next_cursor } = await askAdmin(terminal, `/api/users?${query}`, page)
        return { found: users, next: next_cursor }
      },
      show: (found) => showUsers(found, json, terminal),
    },
    terminal,
  )
  return 0
}

export async function show(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags, words } = readArguments(args, { json: 'switch' }, ['the id'])
  return showUser(await askAdmin(terminal, userPath(words), user), flags.json, terminal)
}
