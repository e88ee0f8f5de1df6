import { setTimeout as delay } from 'node:timers/promises'
import { ask, got } from './answer.ts'
import { ALL, attacksOf, inParallel, probe, tally } from './attack.ts'
import { sayRaw, Wire } from './raw.ts'
import { secrets } from './settings.ts'
import type { World } from './world.ts'

/** Reading more than there is, from where there is nothing, or never to the end. */
const PATH = '/api/orders'

const attack = attacksOf('API4', 'reading')

export const reading = [
  attack('page-sizes', 'Page sizes out of range, at every list', ALL, pageSizes),
  attack('cursors', 'Cursors altered, made up, and of other lists', ALL, cursors),
  attack(
    'address',
    'An address of 30 kB, and 2,000 names in one',
    /^(4\d\d[ \w]*|closed), (4\d\d[ \w]*|closed)$/,
    async (world) => {
      const names = Array.from({ length: 2_000 }, (_, n) => `c${n}=1`).join('&')
      const long = await sayRaw(
        world.url,
        `${head('GET', `${PATH}?customer=${'x'.repeat(30_000)}`)}\r\n`,
      )
      return `${long}, ${got(await world.order(`/api/changes?${names}`))}`
    },
  ),
  attack(
    'half-requests',
    '300 requests of which only half a header comes',
    '200',
    async ({ url }) => {
      const wires = Array.from({ length: 300 }, () =>
        new Wire(url).say('GET / HTTP/1.1\r\nHost: a\r\nX-'),
      )
      await delay(300)
      const answer = got(await ask(`${url}/healthz`))
      for (const wire of wires) wire.end()
      return answer
    },
  ),
]

function head(method: string, path: string): string {
  return `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nauthorization: Bearer ${secrets.ADMIN_TOKEN}\r\n`
}

async function pageSizes(world: World): Promise<string> {
  const lists = world.operations.filter(
    ({ parameters, path, method }) =>
      method === 'GET' && !path.includes('{') && parameters.some(({ name }) => name === 'limit'),
  )
  const limits = [
    '0',
    '-1',
    '100000',
    '1e9',
    '1.5',
    'NaN',
    'Infinity',
    '',
    ' 5',
    '0x10',
    '1;drop',
    '١',
    '5&limit=6',
    '99999999999999999999',
  ]
  const tries = lists.flatMap(({ path }) => limits.map((limit) => `${path}?limit=${limit}`))
  return tally(
    await inParallel(tries, async (path) => {
      const as = path.startsWith('/api/me') ? world.people.ada.token : secrets.ADMIN_TOKEN
      return probe(path, got(await world.ask(path, { as })), '400 invalid_query')
    }),
  )
}

async function cursors(world: World): Promise<string> {
  const lists = world.operations.filter(
    ({ parameters, path, method }) =>
      method === 'GET' && !path.includes('{') && parameters.some(({ name }) => name === 'cursor'),
  )
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const own = await cursorOfOrders(world)
  const made = [
    ...[
      'x',
      '.',
      'a.b',
      '0',
      '',
      "' OR 1=1",
      'x'.repeat(8_000),
      '%00',
      part({}),
      part([1]),
      part({ id: 1 }),
    ],
    ...[part({ sort: '-id', id: '9223372036854775808' }), part({ __proto__: null, id: 'x' })],
  ]
  const tries = lists.flatMap(({ path }) => [
    ...made.map((cursor) => ({ path, cursor })),
    // Good at one list alone.
    ...(path === PATH ? [] : [{ path, cursor: own }]),
    { path, cursor: own.slice(0, -1) + (own.endsWith('A') ? 'B' : 'A') },
    { path, cursor: (own.startsWith('A') ? 'B' : 'A') + own.slice(1) },
  ])
  const probes = await inParallel(tries, async ({ path, cursor }) => {
    const as = path.startsWith('/api/me') ? world.people.ada.token : secrets.ADMIN_TOKEN
    const answer = await world.ask(`${path}?cursor=${encodeURIComponent(cursor)}`, { as })
    return probe(
      `${path}?cursor=${cursor.slice(0, 30)}`,
      got(answer),
      /^400 invalid_(cursor|query)$/,
    )
  })
  const good = await world.order(`${PATH}?limit=1&cursor=${encodeURIComponent(own)}`)
  return tally([...probes, probe('its own, for comparison', got(good), '200')])
}

async function cursorOfOrders(world: World): Promise<string> {
  const page = await world.order(`${PATH}?limit=1`)
  const { next_cursor } = (page.json ?? {}) as { next_cursor?: string | null }
  if (!next_cursor) throw new Error(`no cursor was given: ${page.text}`)
  return next_cursor
}
