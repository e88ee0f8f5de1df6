import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Env } from '../env.ts'
import { problemResponses } from './problem.ts'
import { note } from './writing.ts'

/** For the people who run it; the scope `admin` opens it (doors/permissions.ts). */
export const admin = new OpenAPIHono<{ Bindings: Env }>()

const beginLife = createRoute({
  method: 'post',
  path: '/api/admin/feed/epoch',
  tags: ['Admin'],
  summary: 'Begin a new epoch',
  description:
    'Forgets the log and which database it came from; the next listener’s is taken. Every subscriber gets `reset`.',
  responses: {
    200: {
      description: 'The new epoch',
      content: { 'application/json': { schema: z.object({ epoch: z.string() }) } },
    },
    ...problemResponses('database_unavailable'),
  },
})

admin.openapi(beginLife, async (c) => {
  await note(c, { action: 'begin_epoch', table: 'feed', key: 'main' })
  return c.json(await c.env.FEED.getByName('main').beginLife(), 200)
})
