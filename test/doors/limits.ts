import { ask, got } from './answer.ts'
import type { Attack } from './attack.ts'
import { claims } from './people.ts'
import type { World } from './world.ts'

/** Who asks too much, at a worker of its own with low limits. */
const LIMIT = 5

export const limits: readonly Attack[] = [
  {
    id: 'limits.anyone',
    owasp: 'API4',
    what: `${6 * LIMIT} requests of an address that says nothing of itself`,
    expected: 'most 429 rate_limited with Retry-After; somebody else: 200',
    how: async (world) => {
      const limited = await world.beside('limits', {
        RATE_LIMIT_ANYONE: String(LIMIT),
        RATE_LIMIT_USER: String(LIMIT),
        RATE_LIMIT_STAFF: String(LIMIT),
        ANONYMOUS_SCOPES: 'orders:read',
      })
      try {
        const token = await world.identity.sign({ ...claims('busy'), scope: 'orders:read' })
        return await askTooMuch(limited.url, null, token)
      } finally {
        await limited.end()
      }
    },
  },
  {
    id: 'limits.token',
    owasp: 'API4',
    what: `${6 * LIMIT} requests with one token, from made-up addresses; then with another`,
    expected: 'most 429 rate_limited with Retry-After; somebody else: 200',
    how: async (world) => {
      const limited = await world.beside('limits', { RATE_LIMIT_STAFF: String(LIMIT) })
      try {
        const [busy, other] = await Promise.all(
          ['busy', 'quiet'].map((sub) =>
            world.identity.sign({ ...claims(sub), scope: 'orders:read' }),
          ),
        )
        return await askTooMuch(limited.url, busy ?? '', other ?? '')
      } finally {
        await limited.end()
      }
    },
  },
  {
    id: 'limits.headers',
    owasp: 'API4',
    what: 'The limit is told before it is reached',
    expected: 'RateLimit and RateLimit-Policy',
    how: async (world: World) => {
      const limited = await world.beside('limits', { RATE_LIMIT_STAFF: '50' })
      try {
        const as = await world.identity.sign({ ...claims('asking'), scope: 'orders:read' })
        const { headers } = await ask(`${limited.url}/api/orders`, { as })
        const policy = headers.get('ratelimit-policy') ?? ''
        const told = headers.get('ratelimit') ?? ''
        return /q=50;w=10/.test(policy) && /r=\d+;t=\d+/.test(told)
          ? 'RateLimit and RateLimit-Policy'
          : `"${policy}", "${told}"`
      } finally {
        await limited.end()
      }
    },
  },
]

async function askTooMuch(url: string, as: string | null, other: string): Promise<string> {
  const answers = await Promise.all(
    Array.from({ length: 6 * LIMIT }, (_, n) =>
      ask(`${url}/api/orders?limit=1`, { as, headers: { 'x-forwarded-for': `10.0.0.${n}` } }),
    ),
  )
  const refused = answers.filter(({ status }) => status === 429)
  const told = refused.every(
    ({ code, headers }) => code === 'rate_limited' && Number(headers.get('retry-after')) > 0,
  )
  const others = await ask(`${url}/api/orders?limit=1`, { as: other })
  // Buckets fill again while the requests go by; a few more pass than the limit.
  const most = refused.length >= 4 * LIMIT && answers.some(({ status }) => status === 200)
  return most && told
    ? `most 429 rate_limited with Retry-After; somebody else: ${got(others)}`
    : `${refused.length} of ${answers.length} refused, ${told ? '' : 'not '}all told; somebody else: ${got(others)}`
}
