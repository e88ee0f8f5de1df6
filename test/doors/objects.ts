import { type Answer, got } from './answer.ts'
import { ALL, type Attack, inParallel, probe, tally } from './attack.ts'
import { type Kind, kinds, type User } from './people.ts'
import type { Operation } from './published.ts'
import { type Need, needs } from './routes.ts'
import type { World } from './world.ts'

/** What is somebody else's, by its id and with credentials of one's own; and every route as everyone. */
export const objects: readonly Attack[] = [
  {
    id: 'objects.every-route',
    owasp: 'API1',
    what: 'Every route with an id, as everybody who may not',
    expected: ALL,
    how: (world) =>
      knockAt(
        world,
        world.operations.filter(({ path }) => path.includes('{')),
      ),
  },
  {
    id: 'functions.every-route',
    owasp: 'API5',
    what: 'Every other route, as everybody who may not',
    expected: ALL,
    how: (world) =>
      knockAt(
        world,
        world.operations.filter(({ path }) => !path.includes('{')),
      ),
  },
  {
    id: 'objects.known-routes',
    owasp: 'API9',
    what: 'The routes that are published, and those that the table of attacks knows',
    expected: 'the same',
    how: async ({ operations }) => {
      const published = new Set(operations.map(({ name }) => name))
      const unknown = [...published].filter((name) => !(name in needs))
      const gone = Object.keys(needs).filter((name) => !published.has(name))
      if (unknown.length + gone.length === 0) return 'the same'
      return `no row for ${unknown.join(', ') || 'none'}; no route for ${gone.join(', ') || 'none'}`
    },
  },
  {
    id: 'objects.let-in',
    owasp: 'API5',
    what: 'Every GET without an id, as everybody who may, for comparison',
    expected: ALL,
    how: letIn,
  },
  {
    id: 'objects.me',
    owasp: 'API1',
    what: 'Ada’s notification, by Ben, at each route of his inbox',
    expected: ALL,
    how: theirNotification,
  },
  {
    id: 'objects.me-lists',
    owasp: 'API1',
    what: 'Ben’s lists with Ada’s ids, names and cursors in their queries',
    expected: ALL,
    how: theirLists,
  },
  {
    id: 'objects.me-topics',
    owasp: 'API1',
    what: 'Ben’s orders over his own streams, asked for Ada’s',
    expected: ALL,
    how: theirTopics,
  },
  {
    id: 'objects.marked',
    owasp: 'API1',
    what: 'After all that Ada’s notification and order are as they were',
    expected: 'unmarked, and hers',
    how: async ({ sql, people: { ada } }) => {
      const { rows } = await sql.query<{ marks: number; hers: boolean }>(
        `SELECT num_nonnulls(n.seen_at, n.read_at, n.archived_at) AS marks, o.customer_id = $1 AS hers
           FROM notifications n, orders o WHERE n.id = $2 AND o.id = $3`,
        [ada.id, ada.notification, ada.order],
      )
      return rows[0]?.marks === 0 && rows[0].hers ? 'unmarked, and hers' : JSON.stringify(rows)
    },
  },
]

/** An id of each kind that exists, so that a door left open would show something. */
function pathFor(world: World, { path }: Operation): string {
  const { ada } = world.people
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (path.startsWith('/api/orders/')) return String(ada.order)
    if (path.startsWith('/api/users/')) return String(ada.id)
    if (path.includes('/notifications/')) return String(ada.notification)
    if (path.startsWith('/api/webhooks/') && name === 'id')
      return '00000000-0000-4000-8000-000000000000'
    if (name === 'table') return 'users'
    return '1'
  })
}

async function knockAt(world: World, operations: readonly Operation[]): Promise<string> {
  const tries = operations.flatMap((operation) => {
    const need = needs[operation.name]
    if (need === undefined || need === 'open') return []
    return kinds.filter((kind) => !opens(kind, need)).map((kind) => ({ operation, kind }))
  })
  return tally(
    await inParallel(tries, async ({ operation, kind }) => {
      const as = world.people.credentials[kind]
      const { method } = operation
      const body = operation.body ? { body: {} } : {}
      const answer = await world.ask(pathFor(world, operation), { method, as, ...body })
      const isNobody = kind === 'anyone' || kind === 'a wrong token'
      return probe(
        `${operation.name} as ${kind}`,
        got(answer),
        isNobody ? '401 unauthorized' : '403 forbidden',
      )
    }),
  )
}

async function letIn(world: World): Promise<string> {
  const quiet = (path: string) => !/(ws|stream|live|link)$/.test(path)
  const gets = world.operations.filter(
    ({ method, path }) => method === 'GET' && !path.includes('{') && quiet(path),
  )
  const tries = gets.flatMap((operation) => {
    const need = needs[operation.name] ?? 'open'
    return kinds.filter((kind) => opens(kind, need)).map((kind) => ({ operation, kind }))
  })
  return tally(
    await inParallel(tries, async ({ operation, kind }) => {
      const as = world.people.credentials[kind]
      const answer = await world.ask(operation.path, { as })
      return probe(`${operation.name} as ${kind}`, got(answer), '200')
    }),
  )
}

async function theirNotification(world: World): Promise<string> {
  const { ada, ben } = world.people
  const mine = world.operations.filter(({ path }) => path.startsWith('/api/me/notifications/{id}'))
  const single = await inParallel(mine, async (operation) => {
    const asked = { method: operation.method, as: ben.token }
    return probe(
      operation.name,
      got(await world.ask(pathFor(world, operation), asked)),
      '404 not_found',
    )
  })
  const many = await world.ask('/api/me/notifications/mark', {
    method: 'POST',
    as: ben.token,
    body: { ids: [ada.notification], mark: 'read' },
  })
  // What it takes is its own; whatever it says, the attack on the marks looks afterwards.
  return tally([...single, probe('mark', many.status < 500 ? 'answered' : got(many), 'answered')])
}

async function theirLists(world: World): Promise<string> {
  const { ada, ben } = world.people
  const cursor = await cursorOf(world, ada)
  const queries = [
    `user=${ada.id}`,
    `user_id=${ada.id}`,
    `customer_id=${ada.id}`,
    `sub=${ada.id}`,
    `listing=all&user=${ada.id}`,
    ...(cursor === null ? [] : [`cursor=${encodeURIComponent(cursor)}`]),
  ]
  const paths = ['/api/me', '/api/me/notifications', '/api/me/orders', '/api/me/preferences']
  const tries = paths.flatMap((path) => queries.map((query) => `${path}?${query}`))
  const own = await world.ask('/api/me/notifications', { as: ada.token })
  const compared = probe('her own list', shows(own, ada) ? 'hers' : own.text, 'hers')
  return tally([
    compared,
    ...(await inParallel(tries, async (path) => {
      const answer = await world.ask(path, { as: ben.token })
      return probe(
        path,
        shows(answer, ada) ? `shows what is Ada’s: ${answer.text}` : 'not hers',
        'not hers',
      )
    })),
  ])
}

async function theirTopics(world: World): Promise<string> {
  const { ada, ben } = world.people
  const queries = [
    `customer_id=${ada.id}`,
    `where.customer_id=${ada.id}`,
    'table=users',
    'table=notifications',
    'after=0&table=rules',
    'after=0&epoch=x',
  ]
  const paths = [
    '/api/me/orders/stream',
    '/api/me/notifications/stream',
    '/api/changes',
    '/api/changes/stream',
  ]
  const tries = paths.flatMap((path) => queries.map((query) => `${path}?${query}`))
  return tally(
    await inParallel(tries, async (path) => {
      const answer = await world.ask(path, { as: ben.token })
      // A stream of orders that asks for another customer hears nothing, for all is within his own.
      return probe(path, shows(answer, ada) ? `shows what is Ada’s` : 'not hers', 'not hers')
    }),
  )
}

/** Of a page of one, for two are hers. */
async function cursorOf(world: World, { token, id }: User): Promise<string | null> {
  await world.sql.query(`INSERT INTO notifications (user_id, title) VALUES ($1, 'A second one')`, [
    id,
  ])
  const page = await world.ask('/api/me/notifications?limit=1', { as: token })
  return ((page.json ?? {}) as { next_cursor?: string | null }).next_cursor ?? null
}

function shows({ text }: Answer, { notification, order }: User): boolean {
  return (
    (text.includes('Only for whom it is') && text.includes(`"id":${notification},`)) ||
    text.includes(`"id":${order},`)
  )
}

export function opens(kind: Kind, need: Need): boolean {
  if (need === 'open') return true
  if (kind === 'anyone' || kind === 'a wrong token') return false
  if (need === 'user') return kind === 'a user'
  const isAdmin = ['an admin', 'an admin key', 'the operator'].includes(kind)
  const readsOrders = ['a reader of orders', 'a key that reads orders', 'a reader of all'].includes(
    kind,
  )
  switch (need) {
    case 'admin':
      return isAdmin
    case 'orders:read':
      return isAdmin || readsOrders
    case 'orders:write':
      return isAdmin || kind === 'a writer of orders'
    case 'some':
      return isAdmin || readsOrders || kind === 'a reader of users'
    case 'any':
      return kind !== 'a user'
  }
}
