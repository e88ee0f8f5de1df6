import { sign } from 'hono/jwt'
import { ask } from './database.ts'
import { type LocalRequest, type LocalServer, type Reply, serveLocally } from './local-http.ts'

/**
 * Signs anybody in as anybody, and as who runs it, which is for a local run only: there whoever
 * asks owns the machine, and the database on it.
 *
 * It answers programs of this machine, and of all web pages the dashboard alone: a page elsewhere
 * that asks is refused, also one that points a name of its own here (see local-http.ts).
 *
 * `GET /users` has the first hundred users, `[{id, name, email, token, expires_at}]`;
 * `GET /token?user=3` one of them, `{token, expires_at}`; `GET /staff` one that may do everything
 * but be a user, or only `?scope=orders:read`.
 */
export type SignInPlan = {
  /** The preferred one. */
  port: number
  /** Of the dashboard, which is there under both names of this machine. */
  dashboardPort: number
  databaseUrl: string
  /** The worker's AUTH_SECRET. */
  secret: string
}

type User = { id: string; name: string; email: string | null }
export type Token = { token: string; expires_at: string }

const userTokenHours = 12
/** It opens everything, so whoever holds one comes again soon. */
const staffTokenHours = 1
/** Of whoever runs it: no user has such an id. */
const STAFF = 'local'
const mostUsers = 100
const maxBodyBytes = 1_000

export function serveSignIn(plan: SignInPlan): Promise<LocalServer> {
  const origins = ['127.0.0.1', 'localhost'].map((host) => `http://${host}:${plan.dashboardPort}`)
  return serveLocally(plan.port, maxBodyBytes, async (request) => {
    const { origin } = request.headers
    if (origin !== undefined && !origins.includes(origin))
      return { status: 403, body: { message: 'This server answers no page but the dashboard.' } }
    const reply = await replyTo(request, plan).catch(unavailable)
    const allowed: Record<string, string> =
      origin === undefined ? {} : { 'access-control-allow-origin': origin }
    return {
      ...reply,
      headers: {
        ...allowed,
        vary: 'Origin',
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'same-origin',
      },
    }
  })
}

async function replyTo({ method, url }: LocalRequest, plan: SignInPlan): Promise<Reply> {
  if (method !== 'GET') return { status: 405, body: { message: 'Read with GET.' } }
  switch (url.pathname) {
    case '/users': {
      const users = await ask<User>(
        plan.databaseUrl,
        'SELECT id::text, name, email FROM users ORDER BY users.id LIMIT $1',
        [mostUsers],
      )
      const withTokens = users.map(async ({ id, ...user }) => ({
        id: Number(id),
        ...user,
        ...(await tokenOf(id, plan)),
      }))
      return { status: 200, body: await Promise.all(withTokens) }
    }
    case '/token': {
      const user = url.searchParams.get('user') ?? ''
      if (!/^[1-9]\d{0,17}$/.test(user))
        return {
          status: 400,
          body: { message: 'Say whose: /token?user=3, with the id of a user.' },
        }
      const [found] = await ask(plan.databaseUrl, 'SELECT id FROM users WHERE id = $1', [user])
      if (!found)
        return {
          status: 404,
          body: { message: `There is no user ${user}: \`belfry users list\` shows who there is.` },
        }
      return { status: 200, body: await tokenOf(user, plan) }
    }
    case '/staff': {
      // The worker ignores what is no scope.
      const scope = url.searchParams.get('scope') ?? 'admin'
      return { status: 200, body: await signed({ sub: STAFF, scope }, staffTokenHours, plan) }
    }
    default:
      return { status: 404, body: { message: 'There are /users, /token?user=3 and /staff.' } }
  }
}

function unavailable(error: Error): Reply {
  const message = `The database cannot be asked who its users are: ${error.message}`
  return { status: 503, body: { message } }
}

function tokenOf(user: string, plan: SignInPlan): Promise<Token> {
  return signed({ sub: user }, userTokenHours, plan)
}

async function signed(
  claims: { sub: string; scope?: string },
  hours: number,
  { secret }: SignInPlan,
): Promise<Token> {
  const iat = Math.floor(Date.now() / 1000)
  const exp = iat + hours * 3_600
  return {
    token: await sign({ ...claims, iat, exp }, secret, 'HS256'),
    expires_at: new Date(exp * 1000).toISOString(),
  }
}
