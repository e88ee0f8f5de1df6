import { got } from './answer.ts'
import type { Attack } from './attack.ts'
import { until } from './deadline.ts'
import { claims, makeKey, tokenOfUser } from './people.ts'
import { secrets } from './settings.ts'
import { Socket } from './sockets.ts'
import { changesTicket, FEED, fateOf, INBOX } from './tickets.ts'
import type { World } from './world.ts'

/** What goes on with a credential that has ended, or with a socket that it opened. */
const WITHIN_MS = 10_000
const GONE = 'refused, and its socket closed 4401, within 10 s'

export const sessions: readonly Attack[] = [
  revocation('key-api', 'A key that is revoked over the API', async (world) => {
    const made = await world.order('/api/keys', {
      method: 'POST',
      body: { name: 'to be revoked', scopes: ['orders:read'] },
    })
    const { id, key } = made.json as { id: number; key: string }
    return { credential: key, revoke: () => world.order(`/api/keys/${id}`, { method: 'DELETE' }) }
  }),
  revocation('key-sql', 'A key that is revoked by SQL', async ({ sql }) => ({
    credential: await makeKey(sql, 'revoked by SQL', ['orders:read']),
    revoke: () =>
      sql.query(`UPDATE belfry.api_keys SET revoked_at = now() WHERE name = 'revoked by SQL'`),
  })),
  revocation('key-deleted', 'A key whose row is deleted', async ({ sql }) => ({
    credential: await makeKey(sql, 'deleted by SQL', ['orders:read']),
    revoke: () => sql.query(`DELETE FROM belfry.api_keys WHERE name = 'deleted by SQL'`),
  })),
  revocation('token-api', 'A token whose sub is revoked over the API', async (world) => ({
    credential: await world.identity.sign({ ...claims('laid-off'), scope: 'orders:read' }),
    revoke: () =>
      world.order('/api/revocations', {
        method: 'POST',
        body: { principal: 'token:laid-off', reason: 'left the house' },
      }),
  })),
  revocation('user-deleted', 'The token of a user who was deleted', async ({ sql }) => {
    await sql.query(`INSERT INTO users (id, name) VALUES (801, 'Gone soon')`)
    return {
      credential: await tokenOfUser(801, { scope: 'orders:read' }),
      revoke: () => sql.query('DELETE FROM users WHERE id = 801'),
    }
  }),
  {
    id: 'sessions.ticket-of-revoked',
    owasp: 'API2',
    what: 'A ticket of a key that was revoked since',
    expected: 'closed 4401',
    how: async (world) => {
      const key = await makeKey(world.sql, 'ticket then revoked', ['orders:read'])
      const ask = () => world.ask('/api/orders?limit=1', { as: key })
      await until(ask, ({ status }) => status === 200, WITHIN_MS)
      const ticket = await changesTicket(world, key)
      await world.sql.query(
        `UPDATE belfry.api_keys SET revoked_at = now() WHERE name = 'ticket then revoked'`,
      )
      const answer = await until(ask, ({ status }) => status === 401, WITHIN_MS)
      if (answer.status !== 401) return `the key itself: ${got(answer)}`
      return fateOf(world, `${FEED}?ticket=${ticket}`)
    },
  },
  {
    id: 'sessions.expired',
    owasp: 'API2',
    what: 'A socket whose token ends',
    expected: 'open, then closed 4401',
    how: async (world) => {
      const exp = Math.floor(Date.now() / 1000) + 3
      const token = await world.identity.sign({ ...claims('short'), exp, scope: 'orders:read' })
      const socket = new Socket(`${world.url}${FEED}?ticket=${await changesTicket(world, token)}`)
      const fate = await socket.fate()
      const end = await socket.end(exp * 1000 + 2_000 - Date.now())
      return `${fate}, then ${end}`
    },
  },
  refresh('other', 'A socket refreshed with another’s token', (world) =>
    world.identity.sign({ ...claims('somebody else'), scope: 'orders:read users:read' }),
  ),
  refresh('narrower', 'A socket refreshed with a token that reads less', (world) =>
    world.identity.sign({ ...claims('refreshing'), scope: 'users:read' }),
  ),
  refresh('expired', 'A socket refreshed with a token that has expired', (world) =>
    world.identity.sign({ ...claims('refreshing'), exp: 1_700_000_000, scope: 'orders:read' }),
  ),
  refresh('garbage', 'A socket refreshed with no token', async () => '<script>'),
  refresh('operator', 'A socket refreshed with the admin token', async () => secrets.ADMIN_TOKEN),
  refresh('none', 'A socket refreshed with a token of alg none', async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    return `${part({ alg: 'none' })}.${part({ ...claims('refreshing'), scope: 'admin' })}.`
  }),
  {
    id: 'sessions.refresh-inbox',
    owasp: 'API1',
    what: 'Ada’s inbox refreshed with Ben’s token',
    expected: 'open, then closed 4401',
    how: async (world) => {
      const { ada, ben } = world.people
      const socket = new Socket(world.url + INBOX, { authorization: `Bearer ${ada.token}` })
      const fate = await socket.fate()
      socket.send(`refresh ${ben.token}`)
      return `${fate}, then ${await socket.end()}`
    },
  },
]

type Revocable = { credential: string; revoke: () => Promise<unknown> }

function revocation(
  id: string,
  what: string,
  prepare: (world: World) => Promise<Revocable>,
): Attack {
  return {
    id: `sessions.revoked-${id}`,
    owasp: 'API2',
    what,
    expected: GONE,
    how: async (world) => {
      const { credential, revoke } = await prepare(world)
      const ask = () => world.ask('/api/orders?limit=1', { as: credential })
      // One that was made by SQL is known within a second or two.
      const before = await until(ask, ({ status }) => status === 200, WITHIN_MS)
      if (before.status !== 200) return `before it was revoked: ${got(before)}`
      const socket = new Socket(
        `${world.url}${FEED}?ticket=${await changesTicket(world, credential)}`,
      )
      const fate = await socket.fate()
      if (fate !== 'open') return `before it was revoked its socket: ${fate}`
      await revoke()
      const [answer, end] = await Promise.all([
        until(ask, ({ status }) => status === 401, WITHIN_MS),
        socket.end(WITHIN_MS),
      ])
      socket.abandon()
      return answer.status === 401 && end === 'closed 4401'
        ? GONE
        : `${got(answer)}, and its socket ${end}`
    },
  }
}

function refresh(id: string, what: string, make: (world: World) => Promise<string>): Attack {
  return {
    id: `sessions.refresh-${id}`,
    owasp: 'API2',
    what,
    expected: 'open, then closed 4401',
    how: async (world) => {
      const token = await world.identity.sign({ ...claims('refreshing'), scope: 'orders:read' })
      const socket = new Socket(`${world.url}${FEED}?ticket=${await changesTicket(world, token)}`)
      const fate = await socket.fate()
      socket.send(`refresh ${await make(world)}`)
      const end = await socket.end()
      socket.abandon()
      return `${fate}, then ${end}`
    },
  }
}
