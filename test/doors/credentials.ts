import { createHash } from 'node:crypto'
import { got } from './answer.ts'
import { ALL, type Attack, inParallel, probe, tally } from './attack.ts'
import { claims } from './people.ts'
import { secrets } from './settings.ts'
import type { World } from './world.ts'

/** Credentials sent in ways that they are not taken in, and ones that nearly are good. */
const REFUSED = '401 unauthorized'
const PATH = '/api/users?limit=1'

type Knock = { name: string; path?: string; headers?: Record<string, string> }

function knocks(
  id: string,
  what: string,
  of: (world: World) => Promise<Knock[]> | Knock[],
  wanted: string | RegExp = REFUSED,
): Attack {
  return {
    id: `credentials.${id}`,
    owasp: 'API2',
    what,
    expected: ALL,
    how: async (world) =>
      tally(
        await inParallel(await of(world), async ({ name, path = PATH, headers = {} }) =>
          probe(name, got(await world.ask(path, { headers })), wanted),
        ),
      ),
  }
}

const bearer = (text: string) => ({ authorization: `Bearer ${text}` })

export const credentials: readonly Attack[] = [
  knocks('truncated', 'A good token cut off at any of 40 places', async ({ identity }) => {
    const good = await identity.sign({ ...claims('staff'), scope: 'admin' })
    return Array.from({ length: 40 }, (_, n) => {
      const length = Math.floor((good.length * n) / 40)
      return { name: `${length} characters`, headers: bearer(good.slice(0, length)) }
    })
  }),
  knocks(
    'altered',
    'A good token with one character changed, at 40 places',
    async ({ identity }) => {
      const good = await identity.sign({ ...claims('staff'), scope: 'admin' })
      return Array.from({ length: 40 }, (_, n) => {
        // Not the last one: of it only the first bits count.
        const at = Math.floor(((good.length - 2) * n) / 40)
        const altered = good.slice(0, at) + (good[at] === 'A' ? 'B' : 'A') + good.slice(at + 1)
        return { name: `at ${at}`, headers: bearer(altered) }
      })
    },
  ),
  knocks('more', 'A good token with something before or after it', async ({ identity }) => {
    const good = await identity.sign({ ...claims('staff'), scope: 'admin' })
    return [
      `${good}.`,
      `.${good}`,
      `${good}=`,
      `${good}A`,
      `${good},x`,
      `Bearer ${good}`,
      `${good} x`,
    ].map((text) => ({ name: text.replace(good, '…'), headers: bearer(text) }))
  }),
  knocks(
    'schemes',
    'Good credentials in other headers, schemes, cookies and addresses',
    ({ people }) => {
      const good = people.credentials['an admin'] ?? ''
      const basic = Buffer.from(`admin:${secrets.ADMIN_TOKEN}`).toString('base64')
      return [
        { name: 'Basic', headers: { authorization: `Basic ${basic}` } },
        { name: 'Token', headers: { authorization: `Token ${good}` } },
        { name: 'no scheme', headers: { authorization: good } },
        { name: 'X-API-Key', headers: { 'x-api-key': people.credentials['an admin key'] ?? '' } },
        { name: 'cookie', headers: { cookie: `token=${good}; authorization=${good}` } },
        {
          name: 'an inner header',
          headers: { 'belfry-principal': OPERATOR, 'belfry-scope': '{"kind":"operator"}' },
        },
        { name: '?token=', path: `${PATH}&token=${good}` },
        { name: '?access_token=', path: `${PATH}&access_token=${good}` },
        {
          name: 'X-Original-URL',
          headers: { 'x-original-url': '/healthz', 'x-rewrite-url': '/healthz' },
        },
        {
          name: 'X-Forwarded-For',
          headers: { 'x-forwarded-for': '127.0.0.1', 'cf-connecting-ip': '127.0.0.1' },
        },
      ]
    },
    /^(401 unauthorized|400 invalid_query)$/,
  ),
  knocks('admin-token', 'Admin tokens that are nearly right', () =>
    [
      ...[
        secrets.ADMIN_TOKEN.slice(0, -1),
        `${secrets.ADMIN_TOKEN}0`,
        secrets.ADMIN_TOKEN.toUpperCase(),
      ],
      ...['', 'null', 'undefined', 'operator', secrets.AUTH_SECRET, secrets.LINK_SECRET],
    ].map((text) => ({ name: `"${text}"`, headers: bearer(text) })),
  ),
  knocks('keys', 'API keys that are nearly right, or their hash', ({ people }) => {
    const key = people.credentials['an admin key'] ?? ''
    const hash = createHash('sha256').update(key).digest()
    return [
      key.slice(0, -1),
      `${key}A`,
      key.replace('belfry_', 'BELFRY_'),
      key.replace('belfry_', ''),
      `belfry_${hash.toString('base64url')}`,
      `belfry_${hash.toString('hex')}`,
      hash.toString('hex'),
      'belfry_%',
      `belfry_${'A'.repeat(43)}`,
      "belfry_' OR ''='",
    ].map((text) => ({ name: `"${text.slice(0, 20)}…"`, headers: bearer(text) }))
  }),
  knocks('expired-key', 'An API key that has expired', async ({ sql, people }) => {
    const key = people.credentials['a key that reads orders'] ?? ''
    const expired = `${key.slice(0, -4)}AAAA`
    await sql.query(
      `INSERT INTO belfry.api_keys (name, hash, hint, scopes, created_by, expires_at)
       VALUES ('expired', $1, 'belfry_', '{admin}', 'test', now() - interval '1 second')`,
      [createHash('sha256').update(expired).digest()],
    )
    return [{ name: 'expired', headers: bearer(expired) }]
  }),
  knocks(
    'scopes',
    'Tokens whose scopes nearly say admin',
    async ({ identity }) => {
      const scopes = [
        'Admin',
        'ADMIN',
        'administrator',
        ' adm in',
        'admin:read',
        'xadmin',
        ['admin '],
        { admin: true },
        'root',
        '*',
        '*:*',
        true,
        1,
      ]
      return Promise.all(
        scopes.map(async (scope) => ({
          name: JSON.stringify(scope),
          headers: bearer(await identity.sign({ ...claims('staff'), scope })),
        })),
      )
    },
    '403 forbidden',
  ),
  {
    id: 'credentials.sub-of-a-user',
    owasp: 'API2',
    what: 'A token of the key set whose sub is the id of a user; and one of Ben’s subject',
    expected: '403 forbidden; 200, as Ben',
    how: async (world) => {
      const { identity, sql } = world
      const { ada, ben } = world.people
      await sql.query('UPDATE users SET subject = $1 WHERE id = $2', ['idp|ben', ben.id])
      const meAs = async (sub: string) =>
        world.ask('/api/me', { as: await identity.sign({ ...claims(sub), scope: '' }) })
      const other = await meAs(String(ada.id))
      const own = await meAs('idp|ben')
      const isBen = own.text.includes(`"id":${ben.id}`) ? 'as Ben' : own.text
      return `${got(other)}; ${got(own)}, ${isBen}`
    },
  },
  {
    id: 'credentials.not-none',
    owasp: 'API2',
    what: 'A wrong credential where none is needed to read',
    expected: REFUSED,
    how: async (world) => {
      const open = await world.beside('anonymous', { ANONYMOUS_SCOPES: '*:read' })
      try {
        const asked = await fetch(`${open.url}/api/orders`, { headers: bearer('wrong') })
        const without = await fetch(`${open.url}/api/orders`)
        await without.body?.cancel()
        const { code } = (await asked.json()) as { code: string }
        return without.ok ? `${asked.status} ${code}` : `without any: ${without.status}`
      } finally {
        await open.end()
      }
    },
  },
]

const OPERATOR = JSON.stringify({
  name: 'operator',
  kind: 'operator',
  user: null,
  scopes: ['admin'],
  expiresAt: null,
  issuedAt: null,
})
