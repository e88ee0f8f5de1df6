import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { timingSafeEqual } from 'hono/utils/buffer'
import type { Env } from '../env.ts'
import { problem, problemResponses } from './problem.ts'

/** For the people who run it, with the bearer token `ADMIN_TOKEN`. */
export const admin = new OpenAPIHono<{ Bindings: Env }>()

admin.use('/api/admin/*', async (c, next) => {
  const token = c.env.ADMIN_TOKEN
  if (!token) return problem(c, 'unauthorized', { detail: 'Set the secret ADMIN_TOKEN first.' })
  const given = /^Bearer (\S{1,512})$/.exec(c.req.header('authorization') ?? '')?.[1]
  if (given === undefined || !(await timingSafeEqual(given, token)))
    return problem(c, 'unauthorized', { headers: { 'www-authenticate': 'Bearer' } })
  return next()
})

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
    ...problemResponses('unauthorized'),
  },
})

admin.openapi(beginLife, async (c) => c.json(await c.env.FEED.getByName('main').beginLife(), 200))
