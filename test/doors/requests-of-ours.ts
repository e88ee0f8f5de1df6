import { createServer } from 'node:http'
import { freePort, localhost } from '../../dev/ports.ts'
import { got } from './answer.ts'
import { ALL, type Attack, inParallel, probe, tally } from './attack.ts'
import { until } from './deadline.ts'
import { secrets } from './settings.ts'
import type { World } from './world.ts'

/**
 * Where the worker can be made to send requests of its own: to registered webhooks, and nowhere
 * else. What a name of DNS leads to is looked up over the Internet, which a run does without; so
 * that is held by tests of the worker (P68), and here only what an address says by itself.
 */
const RULES = [{ table: 'orders', ops: ['truncate'] }]

const PRIVATE = [
  ...[
    'https://127.0.0.1/',
    'https://127.1/',
    'https://127.0.1/',
    'https://2130706433/',
    'https://0x7f000001/',
  ],
  ...[
    'https://0x7f.1/',
    'https://0177.0.0.1/',
    'https://017700000001/',
    'https://127.0.0.1./',
    'https://0/',
  ],
  ...[
    'https://[::1]/',
    'https://[::]/',
    'https://[0:0:0:0:0:0:0:1]/',
    'https://[::ffff:127.0.0.1]/',
  ],
  ...[
    'https://[::ffff:7f00:1]/',
    'https://[::127.0.0.1]/',
    'https://[64:ff9b::7f00:1]/',
    'https://[64:ff9b::a9fe:a9fe]/',
  ],
  ...[
    'https://[2002:7f00:1::]/',
    'https://[fe80::1]/',
    'https://[fc00::1]/',
    'https://[fd00:ec2::254]/',
    'https://[fec0::1]/',
  ],
  ...[
    'https://[2001:db8::1]/',
    'https://[ff02::1]/',
    'https://[::ffff:0:7f00:1]/',
    'https://[100::1]/',
  ],
  ...[
    'https://10.0.0.1/',
    'https://172.16.0.1/',
    'https://172.31.255.255/',
    'https://192.168.0.1/',
  ],
  ...['https://100.64.0.1/', 'https://169.254.169.254/latest/meta-data/', 'https://168.63.129.16/'],
  ...['https://0.0.0.0/', 'https://255.255.255.255/', 'https://224.0.0.1/', 'https://198.18.0.1/'],
  ...['https://192.0.2.1/', 'https://203.0.113.9/', 'https://240.0.0.1/', 'https://192.88.99.1/'],
  ...['https://localhost/', 'https://LOCALHOST/', 'https://localhost./', 'https://a.localhost/'],
  ...['https://belfry.internal/', 'https://metadata.google.internal/', 'https://printer.local/'],
  ...[
    'https://intranet/',
    'https://db.corp/',
    'https://nas.lan/',
    'https://router.home.arpa/',
    'https://x.onion/',
  ],
  ...[
    'https://①②⑦.⓪.⓪.①/',
    'https://１２７.0.0.1/',
    'https://127。0。0。1/',
    'https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/',
    'https://%31%32%37.0.0.1/',
  ],
]

const MISLEADING = [
  ...[
    'http://8.8.8.8/',
    'https://user:pass@8.8.8.8/',
    'https://8.8.8.8@127.0.0.1/',
    'https://127.0.0.1#@8.8.8.8/',
  ],
  ...[
    'https://8.8.8.8\\@127.0.0.1/',
    'https://8.8.8.8/ x',
    'https://8.8.8.8/\r\nHost: x',
    'https://8.8.8.8/\t',
  ],
  ...[
    'https://8.8.8.8:22/',
    'https://8.8.8.8:25/',
    'https://8.8.8.8:80/',
    'https://8.8.8.8:0/',
    'https://8.8.8.8:99999/',
  ],
  ...[
    'file:///etc/passwd',
    'gopher://8.8.8.8/',
    'ftp://8.8.8.8/',
    'data:text/plain,x',
    'javascript:alert(1)',
    'ws://8.8.8.8/',
  ],
  ...[
    '//8.8.8.8/',
    '8.8.8.8',
    '/hooks',
    'https:8.8.8.8@127.0.0.1',
    'https://',
    '',
    ' ',
    'https://8.8.8.8/#part',
  ],
  ...[
    'https:///127.0.0.1/',
    'https://a..b/',
    `https://${'a'.repeat(64)}.test/`,
    `https://8.8.8.8/${'x'.repeat(3_000)}`,
  ],
]

export const requestsOfOurs: readonly Attack[] = [
  attack('private', 'Webhooks in private networks, in 60 notations', (world) =>
    register(world, PRIVATE),
  ),
  attack('misleading', 'Webhooks of other schemes and ports, and of two readings', (world) =>
    register(world, MISLEADING),
  ),
  attack('changed', 'A good webhook that is moved into a private network', async (world) => {
    const made = await world.order('/api/webhooks', {
      method: 'POST',
      body: { url: 'https://8.8.8.8/x', rules: RULES },
    })
    const { id } = (made.json ?? {}) as { id?: string }
    const probes = await inParallel(PRIVATE.slice(0, 20), async (url) => {
      const answer = await world.order(`/api/webhooks/${id}`, {
        method: 'PATCH',
        body: { url },
        headers: { 'if-match': '*' },
      })
      return probe(url, got(answer), '400 invalid_body')
    })
    return tally([probe('registered', got(made), '201'), ...probes])
  }),
  {
    id: 'ssrf.redirect',
    owasp: 'API7',
    what: 'A webhook that answers with a redirect to this machine',
    expected: 'asked once, and nobody went where it pointed',
    how: redirected,
  },
  {
    id: 'ssrf.named',
    owasp: 'API7',
    what: 'An address of ours in every text, header and link that is taken',
    expected: 'nothing came there',
    how: named,
  },
]

function attack(id: string, what: string, how: Attack['how']): Attack {
  return { id: `ssrf.${id}`, owasp: 'API7', what, expected: ALL, how }
}

async function register(world: World, urls: readonly string[]): Promise<string> {
  return tally(
    await inParallel(urls, async (url) => {
      const body = { url, rules: RULES }
      const answer = await world.order('/api/webhooks', { method: 'POST', body })
      return probe(url.slice(0, 60), got(answer), '400 invalid_body')
    }),
  )
}

/** At a worker that may call this machine, as a local run may. */
async function redirected(world: World): Promise<string> {
  const port = await freePort()
  const here = `http://${localhost}:${port}`
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.writeHead(307, { location: `${here}/inner`, refresh: `0; url=${here}/inner` }).end()
  })
  await new Promise<void>((resolve) => server.listen(port, localhost, resolve))
  const local = await world.beside('local', { PUBLIC_URL: 'http://127.0.0.1:1' })
  try {
    const order = (path: string, body?: unknown) =>
      fetch(`${local.url}${path}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${secrets.ADMIN_TOKEN}`,
          'content-type': 'application/json',
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
    const made = await order('/api/webhooks', { url: `${here}/hook`, rules: RULES })
    const { id } = (await made.json()) as { id?: string }
    const tested = await order(`/api/webhooks/${id}/test`)
    if (tested.status !== 202) return `${made.status}, then ${tested.status} ${await tested.text()}`
    await until(
      async () => asked.length,
      (count) => count > 0,
    )
    // What is followed is followed at once; a health says that the worker had its turn.
    for (let n = 0; n < 5; n++) await world.ask('/healthz')
    const inner = asked.filter((path) => path === '/inner').length
    return inner === 0
      ? `asked ${asked.length === 1 ? 'once' : `${asked.length} times`}, and nobody went where it pointed`
      : `followed ${inner} times`
  } finally {
    await local.end()
    server.close()
    server.closeAllConnections()
  }
}

async function named(world: World): Promise<string> {
  const { identity, people } = world
  const url = identity.jwksUrl.replace('/jwks', '/named')
  const headers = {
    ...{
      referer: url,
      'x-forwarded-host': new URL(url).host,
      'x-forwarded-for': url,
      forwarded: `host=${url}`,
    },
    ...{
      'x-callback-url': url,
      'x-wap-profile': url,
      from: url,
      'true-client-ip': url,
      'x-original-url': url,
    },
  }
  const bodies: [string, object][] = [
    ['/api/orders', { customer_name: url, product_name: url, amount: 1 }],
    ['/api/users', { name: url.slice(0, 199) }],
    [
      '/api/notifications',
      { user_id: people.ada.id, title: url, link: url, content: { image: url, url } },
    ],
    ['/api/keys', { name: url, scopes: ['orders:read'] }],
    ['/api/revocations', { principal: `token:${url}`, reason: url }],
  ]
  for (const [path, body] of bodies) await world.order(path, { method: 'POST', body, headers })
  for (const path of [
    '/api/orders',
    '/openapi.json',
    '/healthz',
    `/api/changes?url=${encodeURIComponent(url)}`,
  ])
    await world.order(`${path}`, { headers })
  await world.order('/api/mail-templates/order-filled/preview', { headers })
  const count = identity.asked('/named')
  return count === 0 ? 'nothing came there' : `it was asked ${count} times`
}
