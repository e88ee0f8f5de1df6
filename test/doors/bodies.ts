import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { got } from './answer.ts'
import { ALL, type Attack, attacksOf, inParallel, probe, tally } from './attack.ts'
import { sayRaw, Wire } from './raw.ts'
import { secrets } from './settings.ts'
import type { World } from './world.ts'

/** Bodies that cost more than they should, or are not what is said of them. */
const MB = 1_000_000
const PATH = '/api/orders'
/** Of whatever is changed. */
const ANY_VERSION = { 'if-match': '*' }

const attack = attacksOf('API4', 'bodies')

export const bodies: readonly Attack[] = [
  {
    ...attack('slow-body', 'A body of which one byte comes a second', '408 too_slow', slowBody),
    early: true,
  },
  attack('declared', 'A body declared as 10 MB', '413 body_too_large', ({ url }) =>
    sayRaw(url, `${head('POST', PATH)}content-length: ${10 * MB}\r\n\r\n{`),
  ),
  attack(
    'chunked',
    'A body of 10 MB in chunks, of no declared length',
    /^(413 body_too_large|closed)$/,
    async ({ url }) => {
      const wire = new Wire(url).say(`${head('POST', PATH)}transfer-encoding: chunked\r\n\r\n`)
      const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
      for (let n = 0; n < 160; n++) wire.say(chunk)
      const answer = await wire.answer()
      wire.end()
      return answer
    },
  ),
  attack('every-body', '600 kB to every route that reads JSON', ALL, hugeBodies),
  attack(
    'fewer',
    'A body shorter than it was declared',
    /^(400 invalid_body|closed|nothing)$/,
    async ({ url }) => {
      const wire = new Wire(url).say(`${head('POST', PATH)}content-length: 500\r\n\r\n{"a":1}`)
      await delay(200)
      wire.end()
      // Nobody is there to be answered; that others are is what the next row shows.
      return wire.answer(200)
    },
  ),
  attack('framing', 'Requests whose length is said twice, wrongly, or as nonsense', ALL, framing),
  attack(
    'compressed',
    'Compressed bodies, among them 10 MB of zeros in 10 kB',
    ALL,
    async (world) => {
      const bomb = new Uint8Array(gzipSync(Buffer.alloc(10 * MB)))
      const encodings = [
        'gzip',
        'GZIP',
        'deflate',
        'br',
        'zstd',
        'identity, gzip',
        'x-gzip',
        'chunked',
      ]
      return tally(
        await inParallel(encodings, async (encoding) => {
          const headers = { 'content-encoding': encoding }
          const answer = await world.order(PATH, { method: 'POST', raw: bomb, headers })
          return probe(encoding, got(answer), '415 unsupported_media_type')
        }),
      )
    },
  ),
  attack('charset', 'Bodies in other encodings of text', ALL, async (world) => {
    const types = [
      'text/plain',
      'application/json; charset=utf-16',
      'application/json; charset=latin1',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/jsonp',
      'text/json',
      '',
    ]
    return tally(
      await inParallel(types, async (type) => {
        const headers = { 'content-type': type }
        const answer = await world.order(PATH, { method: 'POST', raw: '{}', headers })
        return probe(type, got(answer), /^(415 unsupported_media_type|400 invalid_body)$/)
      }),
    )
  }),
  attack(
    'deep',
    'JSON nested 33, 1,000 and 30,000 deep, at every route that reads it',
    ALL,
    deepBodies,
  ),
  attack(
    'keys',
    '8,000 fields that nobody knows',
    /^400 invalid_body, \d{3,4} bytes$/,
    async (world) => {
      const fields = Array.from({ length: 8_000 }, (_, n) => `"${n.toString(36)}":0`)
      const answer = await world.order(PATH, { method: 'POST', raw: `{${fields.join(',')}}` })
      return `${got(answer)}, ${answer.text.length} bytes`
    },
  ),
]

function head(method: string, path: string): string {
  return `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nauthorization: Bearer ${secrets.ADMIN_TOKEN}\r\n`
}

/** The law is 30 s for the whole body, however lively it drips. */
async function slowBody({ url }: World): Promise<string> {
  const wire = new Wire(url).say(`${head('POST', PATH)}content-length: 5000\r\n\r\n{`)
  const drip = setInterval(() => wire.say(' '), 1_000)
  const answer = await wire.answer(40_000)
  clearInterval(drip)
  wire.end()
  return answer
}

/** With a path that is there as far as it need be: the body is looked at first. */
function bodyRoutes({ operations }: World) {
  return operations
    .filter(({ body }) => body?.type === 'application/json')
    .filter(({ name }) => name !== 'POST /webhooks/resend')
    .map(({ name, method, path }) => ({ name, method, path: path.replace(/\{\w+\}/g, '1') }))
}

async function hugeBodies(world: World): Promise<string> {
  const raw = JSON.stringify({ title: 'x'.repeat(600_000) })
  return tally(
    await inParallel(bodyRoutes(world), async ({ name, method, path }) => {
      const as = path.startsWith('/api/me') ? world.people.ada.token : secrets.ADMIN_TOKEN
      return probe(
        name,
        got(await world.ask(path, { method, as, raw, headers: ANY_VERSION })),
        '413 body_too_large',
      )
    }),
  )
}

async function deepBodies(world: World): Promise<string> {
  const tries = bodyRoutes(world).flatMap((route) =>
    [33, 1_000, 30_000].map((depth) => ({ ...route, depth })),
  )
  return tally(
    await inParallel(tries, async ({ name, method, path, depth }) => {
      const as = path.startsWith('/api/me') ? world.people.ada.token : secrets.ADMIN_TOKEN
      const raw = `{"content":${'['.repeat(depth)}${']'.repeat(depth)}}`
      return probe(
        `${name}, ${depth}`,
        got(await world.ask(path, { method, as, raw, headers: ANY_VERSION })),
        '400 invalid_body',
      )
    }),
  )
}

async function framing(world: World): Promise<string> {
  const begin = head('POST', PATH)
  const tries: [string, string][] = [
    [
      'both lengths',
      `${begin}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /api/users HTTP/1.1\r\n\r\n`,
    ],
    ['two lengths', `${begin}content-length: 2\r\ncontent-length: 40\r\n\r\n{}`],
    ['a negative length', `${begin}content-length: -1\r\n\r\n{}`],
    ['a length that is text', `${begin}content-length: many\r\n\r\n{}`],
    ['a length beyond 2^64', `${begin}content-length: 99999999999999999999\r\n\r\n{}`],
    ['a chunk of no number', `${begin}transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`],
    [
      'a chunk larger than said',
      `${begin}transfer-encoding: chunked\r\n\r\n1\r\n{"a":1}\r\n0\r\n\r\n`,
    ],
    ['a chunk of 2^63', `${begin}transfer-encoding: chunked\r\n\r\n8000000000000000\r\n{`],
    ['an encoding that is none', `${begin}transfer-encoding: rot13\r\n\r\n{}`],
    ['no HTTP', 'GIMME everything\r\n\r\n'],
    ['no version', 'GET /api/users\r\n\r\n'],
    ['HTTP/9.9', 'GET /api/users HTTP/9.9\r\n\r\n'],
    ['bytes', `${randomBytes(300).toString('latin1')}\r\n\r\n`],
    [
      'a header with a line break',
      `GET /healthz HTTP/1.1\r\nhost: a\r\nx: a\r\n\tb: c\x00\r\n\r\n`,
    ],
  ]
  const probes = await inParallel(tries, async ([name, text]) =>
    probe(name, await sayRaw(world.url, text, 1_500), /^(4\d\d[ \w]*|501|505|closed|nothing|200)$/),
  )
  const after = got(await world.ask('/healthz'))
  return tally([...probes, probe('the health afterwards', after, '200')])
}
