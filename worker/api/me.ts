import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { ServedUser } from '../doors/served.ts'
import { askInbox, noSuchUser } from './ask-inbox.ts'
import { database } from './database.ts'
import { described } from './me-schemas.ts'
import { readUser } from './me-store.ts'
import { defaultHook, problemResponses } from './problem.ts'
import { sayUser, user as userSchema } from './user-schemas.ts'

/** Who the token says that asks. */
export const me = new OpenAPIHono<ServedUser>({ defaultHook })

const read = createRoute({
  method: 'get',
  path: '/api/me',
  tags: ['Inbox'],
  summary: 'Who I am, and how much is new',
  responses: {
    200: {
      description: 'The user of the token.',
      content: {
        'application/json': {
          schema: z.object({ user: userSchema, counts: described.counts }),
        },
      },
    },
    ...problemResponses('not_found', 'not_configured', 'database_unavailable'),
  },
})

me.openapi(read, async (c) => {
  const { user } = c.var
  const [row, standing] = await Promise.all([
    readUser(database(c.env), user),
    askInbox(c, (inbox, feed) => inbox.standing(feed)),
  ])
  if (!row || !standing) return noSuchUser(c)
  return c.json({ user: sayUser(row), counts: standing.counts }, 200)
})
