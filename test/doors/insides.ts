import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ask, got } from './answer.ts'
import { ALL, attacksOf, inParallel, probe, tally } from './attack.ts'
import { Published } from './published.ts'
import { secrets } from './settings.ts'
import type { World } from './world.ts'

/** What is told of the inside when something is broken, unset or built. */
const exposed = attacksOf('API8', 'insides')

export const insides = [
  exposed('request-id', 'A request id of the caller’s own', ALL, async (world) => {
    const answer = await world.ask('/api/nothing', {
      headers: { 'x-request-id': 'mine', 'cf-ray': 'mine' },
    })
    const id = answer.headers.get('x-request-id') ?? ''
    const { request_id } = (answer.json ?? {}) as { request_id?: string }
    return tally([
      probe('header', /^[\da-f-]{36}$/.test(id) ? 'ours' : id, 'ours'),
      probe('problem', request_id === id ? 'the same' : String(request_id), 'the same'),
    ])
  }),
  exposed(
    'database-breaks',
    'A database that answers with its insides, and one that is not there',
    ALL,
    brokenDatabases,
  ),
  exposed(
    'unset',
    'A worker without secrets, with the credentials that nothing would fit',
    ALL,
    async (world) => {
      const bare = await world.beside('bare', {
        ADMIN_TOKEN: null,
        AUTH_SECRET: null,
        AUTH_JWKS_URL: null,
        AUTH_ISSUER: null,
        AUTH_AUDIENCE: null,
        RESEND_WEBHOOK_SECRET: null,
      })
      try {
        const tokens = [
          '',
          'undefined',
          'null',
          secrets.ADMIN_TOKEN,
          world.people.credentials['an admin'] ?? '',
        ]
        const probes = await inParallel(tokens, async (as) =>
          probe(
            as.slice(0, 12),
            got(await ask(`${bare.url}/api/users`, { as })),
            /^(401 unauthorized|503 not_configured)$/,
          ),
        )
        const hook = await ask(`${bare.url}/webhooks/resend`, { method: 'POST', raw: '{}' })
        return tally([...probes, probe('webhook', got(hook), '503 not_configured')])
      } finally {
        await bare.end()
      }
    },
  ),
  exposed('bundle', 'Maps, dot files and secrets in what is built for browsers', ALL, builtFiles),
]

const INSIDES =
  /ZZ-INSIDE|postgres:\/\/|password|SELECT |relation "|\bat \w+ \(|node_modules|worker\.js|127\.0\.0\.1|ECONN|NeonDbError/

async function brokenDatabases(world: World): Promise<string> {
  const published = new Published(world.document)
  const quiet = world.operations.filter(
    ({ path, name }) =>
      !/(ws|stream|live|load)$/.test(path) && name !== 'POST /api/admin/feed/epoch',
  )
  const probes = await inParallel(
    [
      ['with its insides', await world.serveInsides()],
      ['not there', 'http://127.0.0.1:9/sql'],
    ] as const,
    async ([kind, endpoint]) => {
      const broken = await world.beside('broken', { NEON_ENDPOINT: endpoint })
      try {
        return await inParallel(quiet, async (operation) => {
          const { name, method, path, body } = operation
          const sample =
            path === '/api/orders' && body
              ? { customer_name: 'A', product_name: 'B', amount: 1 }
              : {}
          const as = path.startsWith('/api/me') ? world.people.ada.token : secrets.ADMIN_TOKEN
          const answer = await ask(`${broken.url}${path.replace(/\{\w+\}/g, '1')}`, {
            ...{ method, as, headers: { 'if-match': '*' } },
            ...(body ? { body: sample } : {}),
          })
          const shown = INSIDES.exec(answer.text)?.[0]
          const known =
            answer.status < 500 ? null : published.fault(operation, { ...answer, status: 499 })
          const kept =
            shown === undefined ? 'nothing shown' : `shows "${shown}": ${answer.text.slice(0, 200)}`
          return [
            probe(`${name}, ${kind}`, kept, 'nothing shown'),
            probe(
              `${name}, ${kind}`,
              known === null || answer.code !== null ? 'a problem' : answer.text,
              'a problem',
            ),
          ]
        })
      } finally {
        await broken.end()
      }
    },
    2,
  )
  return tally(probes.flat(2))
}

/** Nothing, if there was no build: what is served then is nothing, too. */
async function builtFiles(world: World): Promise<string> {
  const folder = fileURLToPath(new URL('../../dist/client', import.meta.url))
  const files = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : []
  const wrong = files.filter((file) => /\.map$|(^|\/)\.|\.ts$|\.toml$|\.sql$/.test(file))
  const texts = files.filter((file) => /\.(js|html|css|json)$/.test(file))
  const told = texts.filter((file) =>
    /BEGIN [A-Z ]*PRIVATE|whsec_[A-Za-z0-9+/]{20}|sourceMappingURL|postgres:\/\/\w+:\w+@/.test(
      readFileSync(`${folder}/${file}`, 'utf8'),
    ),
  )
  return tally([
    probe('files', wrong.join(', ') || 'only what pages need', 'only what pages need'),
    probe('texts', told.join(', ') || 'no secret', 'no secret'),
    probe('by the worker', got(await world.ask('/assets/../wrangler.toml')), /^404/),
  ])
}
