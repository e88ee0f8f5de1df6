import { type Answer, got } from './answer.ts'
import { ALL, attacksOf, inParallel, probe, tally } from './attack.ts'
import { ALLOWED_ORIGIN, secrets } from './settings.ts'
import type { World } from './world.ts'

/** What pages of other sites may ask and read, and what browsers are told with every answer. */
const ELSEWHERE = 'https://evil.test'

const exposed = attacksOf('API8', 'pages')

export const pages = [
  exposed('headers', 'The security headers of answers of every kind', ALL, securityHeaders),
  exposed('preflight', 'Preflights of pages elsewhere', ALL, async (world) => {
    const origins = [
      ELSEWHERE,
      'null',
      `${ALLOWED_ORIGIN}.evil.test`,
      'http://shop.test',
      'https://shop.test:444',
      '*',
    ]
    return tally(
      await inParallel(origins, async (origin) => {
        const answer = await world.ask('/api/orders', {
          method: 'OPTIONS',
          headers: {
            origin,
            'access-control-request-method': 'POST',
            'access-control-request-headers': 'authorization',
          },
        })
        return probe(origin, allowance(answer), 'no allowance')
      }),
    )
  }),
  exposed(
    'cors',
    'What pages elsewhere, and of the one origin allowed, may read',
    ALL,
    async (world) => {
      const as = secrets.ADMIN_TOKEN
      const read = (origin: string, path = '/api/orders') =>
        world.ask(path, { as, headers: { origin } })
      const allowed = await read(ALLOWED_ORIGIN)
      return tally([
        probe('elsewhere', allowance(await read(ELSEWHERE)), 'no allowance'),
        probe(
          'elsewhere, refused',
          allowance(await world.ask('/api/orders', { headers: { origin: ELSEWHERE } })),
          'no allowance',
        ),
        probe('elsewhere, the inbox', allowance(await read(ELSEWHERE, '/api/me')), 'no allowance'),
        probe('allowed', allowance(allowed), ALLOWED_ORIGIN),
        probe(
          'allowed, for others',
          allowed.headers.get('vary')?.toLowerCase().includes('origin')
            ? 'varies'
            : 'does not vary',
          'varies',
        ),
        probe(
          'credentials',
          allowed.headers.get('access-control-allow-credentials') ?? 'none',
          'none',
        ),
      ])
    },
  ),
  exposed('origin', 'Writes of pages elsewhere, with good credentials', ALL, async (world) =>
    tally(
      await inParallel(
        world.operations.filter(
          ({ method, path }) =>
            method !== 'GET' && path.startsWith('/api/') && !path.includes('unsubscribe'),
        ),
        async ({ name, method, path }) => {
          const as = path.startsWith('/api/me') ? world.people.ada.token : secrets.ADMIN_TOKEN
          const answer = await world.ask(path.replace(/\{\w+\}/g, '1'), {
            method,
            as,
            headers: { origin: ELSEWHERE },
          })
          return probe(name, got(answer), '403 origin_refused')
        },
      ),
    ),
  ),
]

function allowance({ headers }: Answer): string {
  return headers.get('access-control-allow-origin') ?? 'no allowance'
}

async function securityHeaders(world: World): Promise<string> {
  const answers: [string, Answer][] = [
    ['200', await world.order('/api/orders')],
    ['401', await world.ask('/api/orders')],
    ['404', await world.order('/api/nothing')],
    ['405', await world.order('/api/orders', { method: 'DELETE' })],
    ['400', await world.order('/api/orders', { method: 'POST', raw: '{' })],
    ['a page', await world.ask(`/api/unsubscribe/${'A'.repeat(22)}`)],
    ['documents', await world.ask('/openapi.json')],
    ['metrics', await world.order('/metrics')],
    ['a stream', await world.order('/api/changes/stream')],
  ]
  const wanted: [string, RegExp][] = [
    ['x-content-type-options', /^nosniff$/],
    ['referrer-policy', /^no-referrer$/],
    ['x-frame-options', /^DENY$/],
    ['content-security-policy', /default-src 'none'.*/],
    ['cross-origin-resource-policy', /^same-origin$/],
    ['cache-control', /./],
    ['x-request-id', /^[\da-f-]{36}$/],
  ]
  return tally([
    ...answers.flatMap(([name, { headers }]) =>
      wanted.map(([header, like]) => {
        // They are for everybody, or are asked for with a credential, which no cache in between keeps.
        const isFree = header === 'cache-control' && (name === 'documents' || name === 'metrics')
        const text = headers.get(header) ?? (isFree ? 'not said' : 'missing')
        return probe(
          `${header} of ${name}`,
          text !== 'missing' && like.test(text) ? 'set' : text,
          'set',
        )
      }),
    ),
    ...answers.map(([name, { headers }]) =>
      probe(
        `who serves ${name}`,
        headers.get('server') ?? headers.get('x-powered-by') ?? 'not said',
        'not said',
      ),
    ),
    ...answers.map(([name, { headers }]) =>
      probe(`a cookie of ${name}`, headers.get('set-cookie') ?? 'none', 'none'),
    ),
  ])
}
