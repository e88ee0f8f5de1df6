import { got } from './answer.ts'
import { ALL, type Attack, inParallel, probe, tally } from './attack.ts'
import { type Operation, propertiesOf } from './published.ts'
import { secrets } from './settings.ts'
import type { World } from './world.ts'

/** Fields that are not the caller's to say, in everything that is created or changed. */
const FORBIDDEN: Readonly<Record<string, unknown>> = {
  ...{ id: 1, version: 99, created_at: '2020-01-01T00:00:00Z', updated_at: '2020-01-01T00:00:00Z' },
  ...{ hash: 'AAAA', hint: 'belfry_', key: 'belfry_', secret: 'whsec_AAAA', scopes: ['admin'] },
  ...{ state: 'delivered', delivered_at: '2020-01-01T00:00:00Z', origin: 'x', problem: null },
  ...{ is_admin: true, admin: true, role: 'admin', principal: 'operator', user: 1, sub: '1' },
  ...{ created_by: 'operator', revoked_at: null, last_used_at: null, health: {}, channel: 'mail' },
  ...{ last_opened_at: null, subject: 'x', constructor: {}, $where: '1' },
}

export const properties: readonly Attack[] = [
  {
    id: 'properties.fields',
    owasp: 'API3',
    what: 'Fields that are not the caller’s, in every create and update',
    expected: ALL,
    how: everyField,
  },
  {
    id: 'properties.proto',
    owasp: 'API3',
    what: '__proto__ in every create and update',
    expected: ALL,
    how: (world) =>
      each(bodies(world), async ({ name, method, path }) => {
        const raw = '{"__proto__":{"admin":true,"title":"x"}}'
        return probe(name, await fieldsRefused(world, method, path, raw, '__proto__'), REFUSED)
      }),
  },
  {
    id: 'properties.queries',
    owasp: 'API3',
    what: 'A name that nobody reads, in the query of every list',
    expected: ALL,
    how: (world) =>
      each(lists(world), async ({ name, path }) => {
        const as = credentialFor(world, path)
        return probe(
          name,
          got(await world.ask(`${path}?is_admin=true`, { as })),
          '400 invalid_query',
        )
      }),
  },
  {
    id: 'properties.effect',
    owasp: 'API3',
    what: 'An order made with id, version and times of its own',
    expected: '400 invalid_body, and no order 4242',
    how: async (world) => {
      const body = { customer_name: 'A', product_name: 'B', amount: 1, id: 4242, version: 7 }
      const answer = await world.order('/api/orders', { method: 'POST', body })
      const { rowCount } = await world.sql.query('SELECT FROM orders WHERE id = 4242')
      return `${got(answer)}, and ${rowCount === 0 ? 'no' : 'an'} order 4242`
    },
  },
  {
    id: 'properties.load',
    owasp: 'API3',
    what: 'The same fields in lines of a load of users',
    expected: ALL,
    how: loadedLines,
  },
  {
    id: 'properties.shown',
    owasp: 'API3',
    what: 'Secrets and hashes in what lists and single resources show',
    expected: 'none of them',
    how: shownSecrets,
  },
]

const REFUSED = '400 invalid_body, which names it'

async function everyField(world: World): Promise<string> {
  const tries = bodies(world).flatMap((operation) => {
    const known = propertiesOf(world.document, operation.body?.schema ?? {})
    const names = Object.keys(FORBIDDEN).filter((name) => !known.has(name))
    return names.map((name) => ({ operation, name }))
  })
  return each(tries, async ({ operation, name }) => {
    const raw = JSON.stringify({ [name]: FORBIDDEN[name] })
    const { method, path } = operation
    const fate = await fieldsRefused(world, method, path, raw, name)
    return probe(`${name} in ${operation.name}`, fate, REFUSED)
  })
}

async function fieldsRefused(
  world: World,
  method: string,
  path: string,
  raw: string,
  name: string,
): Promise<string> {
  const as = credentialFor(world, path)
  const answer = await world.ask(filled(path), { method, as, raw, headers: { 'if-match': '*' } })
  const { errors = [] } = (answer.json ?? {}) as { errors?: { path: string }[] }
  const isNamed = errors.some((error) => error.path === name || error.path.endsWith(`.${name}`))
  return `${got(answer)}${isNamed ? ', which names it' : `: ${answer.text.slice(0, 160)}`}`
}

async function loadedLines(world: World): Promise<string> {
  const names = [
    'version',
    'created_at',
    'last_opened_at',
    'is_admin',
    'subject',
    '__proto__',
    'constructor',
  ]
  const lines = names.map((name, n) => `{"id":${9_100 + n},"name":"Loaded","${name}":1}`)
  const answer = await world.order('/api/users/load', {
    method: 'POST',
    raw: lines.join('\n'),
    headers: { 'content-type': 'application/x-ndjson' },
  })
  const { rowCount } = await world.sql.query('SELECT FROM users WHERE id BETWEEN 9100 AND 9199')
  return tally([
    ...names.map((name) =>
      probe(
        name,
        answer.text.includes(`"${name}`) || answer.text.includes(`${name}:`)
          ? 'named'
          : answer.text,
        'named',
      ),
    ),
    probe('users that it made', String(rowCount), '0'),
  ])
}

async function shownSecrets(world: World): Promise<string> {
  const paths = [
    '/api/keys',
    '/api/keys/1',
    '/api/webhooks',
    '/api/users',
    '/api/audit',
    '/api/status',
    '/metrics',
    '/api/tables',
    '/openapi.json',
    '/api/revocations',
  ]
  const hashes = await world.sql.query<{ hash: string }>(
    `SELECT encode(hash, 'hex') AS hash FROM belfry.api_keys`,
  )
  const needles = [
    ...Object.values(secrets),
    ...Object.values(world.people.credentials).filter(
      (each): each is string => (each?.length ?? 0) > 35,
    ),
    ...hashes.rows.map(({ hash }) => hash),
    ...['postgres://', 'whsec_ZG9v', 'BEGIN PRIVATE'],
  ]
  const found: string[] = []
  for (const path of paths) {
    const { text } = await world.order(path)
    for (const needle of needles)
      if (text.includes(needle)) found.push(`${needle.slice(0, 12)}… at ${path}`)
  }
  return found.length === 0 ? 'none of them' : found.join(', ')
}

function bodies({ operations }: World): Operation[] {
  return operations.filter(
    ({ body, name }) => body?.type === 'application/json' && name !== 'POST /webhooks/resend',
  )
}

function lists({ operations }: World): Operation[] {
  return operations.filter(
    ({ method, path, parameters }) =>
      method === 'GET' &&
      !path.includes('{') &&
      parameters.some(({ name }) => name === 'limit') &&
      // There any name is a column.
      !path.startsWith('/api/changes'),
  )
}

async function each<Item>(
  items: readonly Item[],
  act: (item: Item) => ReturnType<typeof probe> | Promise<ReturnType<typeof probe>>,
): Promise<string> {
  return tally(await inParallel(items, async (item) => act(item)))
}

function credentialFor({ people }: World, path: string): string {
  return path.startsWith('/api/me') ? people.ada.token : secrets.ADMIN_TOKEN
}

function filled(path: string): string {
  return path
    .replace('/webhooks/{id}', '/webhooks/00000000-0000-4000-8000-000000000000')
    .replace('{mailbox}', 'ada@example.com')
    .replace(/\{\w+\}/g, '1')
}
