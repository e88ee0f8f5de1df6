import { type Context, Hono, type MiddlewareHandler } from 'hono'
import type { Principal } from '../../worker/doors/principal.ts'

/**
 * In place of the doors, for tests of routes by themselves: whoever asks is an admin of the name
 * that the header `asked-by` says, and of the operator's without it. Each request has an id.
 */
export const askedBy: MiddlewareHandler = async (c, next) => {
  const name = c.req.header('asked-by') ?? 'operator'
  const principal: Principal = {
    name,
    kind: 'operator',
    user: null,
    scopes: ['admin'],
    expiresAt: null,
    issuedAt: null,
  }
  c.set('principal', principal)
  c.set('requestId', crypto.randomUUID())
  await next()
  c.header('x-request-id', c.get('requestId'))
}

/** What a request of these headers, such as `asked-by`, makes of its context. @throws what `act` throws */
export async function asking<Outcome>(
  env: object,
  headers: Record<string, string>,
  act: (c: Context) => Promise<Outcome>,
): Promise<Outcome> {
  const outcomes: Promise<Outcome>[] = []
  const app = new Hono()
  app.use(askedBy)
  app.all('*', async (c) => {
    const outcome = act(c)
    outcomes.push(outcome)
    await outcome.catch(() => undefined)
    return c.body(null)
  })
  await app.request('/', { headers }, env)
  const [outcome] = outcomes
  if (!outcome) throw new Error('nothing was asked')
  return outcome
}
