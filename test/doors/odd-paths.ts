import { got } from './answer.ts'
import { ALL, attacksOf, inParallel, probe, tally } from './attack.ts'
import { sayRaw } from './raw.ts'
import { secrets } from './settings.ts'

/** Methods and paths that nobody meant. */
const exposed = attacksOf('API8', 'paths')

export const oddPaths = [
  exposed('methods', 'TRACE, PROPFIND and methods that there are not', ALL, async ({ url }) =>
    tally(
      await inParallel(
        ['TRACE', 'TRACK', 'DEBUG', 'PROPFIND', 'MOVE', 'PURGE', 'FOO', 'get', 'LOCK'],
        async (method) => {
          const text = `${method} /api/orders HTTP/1.1\r\nhost: 127.0.0.1\r\nx-secret: do-not-echo\r\n\r\n`
          return probe(
            method,
            await sayRaw(url, text, 3_000),
            /^(401 unauthorized|40[045]\b.*|501.*|closed)$/,
          )
        },
      ),
    ),
  ),
  exposed('override', 'Methods said in headers and queries', ALL, async (world) => {
    const names = ['x-http-method-override', 'x-http-method', 'x-method-override']
    const { order } = world.people.ada
    const as = world.people.credentials['a reader of orders']
    const probes = await inParallel(names, async (name) =>
      probe(
        name,
        got(
          await world.ask(`/api/orders/${order}?_method=DELETE`, {
            as,
            headers: { [name]: 'DELETE' },
          }),
        ),
        '200',
      ),
    )
    return tally([
      ...probes,
      probe('the order', got(await world.order(`/api/orders/${order}`)), '200'),
    ])
  }),
  exposed('head', 'HEAD at every GET, as nobody', ALL, async (world) =>
    tally(
      await inParallel(
        world.operations.filter(
          ({ method, path }) =>
            method === 'GET' && path.startsWith('/api/') && !path.includes('unsubscribe'),
        ),
        async ({ path }) => {
          const answer = await world.ask(path.replace(/\{\w+\}/g, '1'), { method: 'HEAD' })
          return probe(`HEAD ${path}`, String(answer.status), '401')
        },
      ),
    ),
  ),
  exposed('paths', 'Files, folders and pages that give something away', ALL, async (world) => {
    const paths = words(`
      /.git/config /.git/HEAD /.belfry/local.json /.env /.dev.vars /wrangler.toml
      /package.json /worker.js /worker.js.map /index.js.map /openapi.json.map
      /node_modules/ /.npmrc /.DS_Store /debug /__debug /debug/pprof /actuator/env
      /server-status /phpinfo.php /admin /api/debug /__scheduled
      /cdn-cgi/handler/scheduled /cdn-cgi/mf/scheduled /__wrangler /parties/feed/main
      /parties/shard/weur-0 /feed /inbox/71 /graphql /swagger /api /api/ /v1/orders
      /api/v1/orders /api/internal /backup.sql /robots.txt~`)
    return tally(
      await inParallel(paths, async (path) => probe(path, got(await world.order(path)), /^404/)),
    )
  }),
  exposed('spellings', 'Routes of admins spelled otherwise, as nobody', ALL, async ({ url }) => {
    const spelled = words(`
      /api/users/ //api/users /api//users /API/users /api/Users /api/users;x=1
      /api/users%20 /api%2fusers /%61pi/users /api/%75sers /api/me/../users
      /api/unsubscribe/../users /api/unsubscribe/%2e%2e/users /healthz/../api/users
      /api/users%00 /api/users.json /api/users%3f /./api/users /api/orders/..;/users
      /api/unsubscribe/..%2fusers /webhooks/resend/../../api/users
      /openapi.json/../api/users \\api\\users /api/users#/healthz`)
    return tally(
      await inParallel(spelled, async (path) => {
        const answer = await sayRaw(url, `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`, 3_000)
        return probe(path, answer, /^(401 unauthorized|404( not_found)?|400( \w+)?)$/)
      }),
    )
  }),
  exposed('percent', 'Paths whose percents mean nothing', ALL, async (world) => {
    const ids = words(`
      % %zz %ff %c0%80 %00 %f0%9f %ed%a0%80 1%00 ٣ 1e3 0x1 +1 01 -0 1.0
      9223372036854775808 NaN`)
    const paths = words(`
      /api/orders/ /api/users/ /api/notifications/ /api/webhooks/ /api/emails/
      /api/tables/ /api/notification-categories/ /api/mail-suppressions/ /api/keys/`)
    const tries = paths.flatMap((path) =>
      ids.map((id) => path + id + (path === '/api/tables/' ? '/rows' : '')),
    )
    return tally(
      await inParallel(tries, async (path) => {
        const line = `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${secrets.ADMIN_TOKEN}\r\n\r\n`
        return probe(path, await sayRaw(world.url, line), /^(4\d\d \w+|200)$/)
      }),
    )
  }),
]

function words(text: string): string[] {
  return text.trim().split(/\s+/)
}
