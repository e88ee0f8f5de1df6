import { OpenAPIHono } from '@hono/zod-openapi'
import { admin } from './api/admin.ts'
import { changes } from './api/changes.ts'
import { emails } from './api/emails.ts'
import { link } from './api/link.ts'
import { orders } from './api/orders.ts'
import { notFound, onError, otherMethods, problem } from './api/problem.ts'
import { isUpgrade } from './api/refusal.ts'
import { status } from './api/status.ts'
import type { Env } from './env.ts'

/** Everything the worker answers, in one place. Durable Objects have no other public door. */
export const app = new OpenAPIHono<{ Bindings: Env }>()

app.onError(onError)
app.notFound(notFound)
app.use(otherMethods(app))

app.route('/', changes)
app.route('/', orders)
app.route('/', emails)
app.route('/', status)
app.route('/', admin)

app.get('/link', async (c) =>
  isUpgrade(c.req.raw) ? link(c.req.raw, c.env) : problem(c, 'upgrade_required'),
)

app.doc31('/openapi.json', {
  openapi: '3.1.0',
  info: {
    title: 'Belfry',
    version: '0.1.0',
    description: 'Postgres changes, heard everywhere: once, in order, at once.',
  },
})
