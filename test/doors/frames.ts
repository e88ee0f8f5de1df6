import { got } from './answer.ts'
import { ALL, type Attack, inParallel, probe, tally } from './attack.ts'
import { until } from './deadline.ts'
import { secrets } from './settings.ts'
import { Socket } from './sockets.ts'
import { FEED, INBOX } from './tickets.ts'
import type { World } from './world.ts'

/** What is said on sockets, and how many of them there are. */
const ADMIN = { authorization: `Bearer ${secrets.ADMIN_TOKEN}` }
const ABANDONED = 1_000
const SETTLED_MS = 20_000

export const frames: readonly Attack[] = [
  {
    id: 'frames.malformed',
    owasp: 'API4',
    what: 'Frames that mean nothing, at the feed and at an inbox',
    expected: ALL,
    how: malformed,
  },
  {
    id: 'frames.huge',
    owasp: 'API4',
    what: 'A frame of 10 MB, and one of 40 MB',
    expected: 'closed 4402, closed 1009',
    how: async (world) => {
      const fates = []
      for (const megabytes of [10, 40]) {
        const socket = new Socket(world.url + FEED, ADMIN)
        await socket.fate()
        socket.send('x'.repeat(megabytes * 1_048_576))
        fates.push(await socket.end())
        socket.abandon()
      }
      return fates.join(', ')
    },
  },
  {
    id: 'frames.many',
    owasp: 'API4',
    what: 'Ten thousand frames at once',
    expected: 'closed 4402',
    how: async (world) => {
      const socket = new Socket(world.url + FEED, ADMIN)
      await socket.fate()
      for (let n = 0; n < 10_000; n++) socket.send('x')
      const end = await socket.end()
      socket.abandon()
      return end
    },
  },
  {
    id: 'frames.abandoned',
    owasp: 'API4',
    what: `${ABANDONED.toLocaleString('en')} sockets opened and abandoned, then the health`,
    expected: 'as before: 200, as many sockets, and a change arrives',
    how: abandon,
  },
]

async function malformed(world: World): Promise<string> {
  const user = { authorization: `Bearer ${world.people.ada.token}` }
  const texts: (string | Uint8Array)[] = [
    ...[
      '',
      '{}',
      'null',
      '"ping"',
      'PING',
      'ping ',
      'ack',
      'ack ',
      'ack 1',
      'ack x:1',
      'ack :',
      'subscribe',
    ],
    ...[
      'ack x:-1',
      'ack x:1.5',
      'ack x:99999999999999999999',
      'refresh',
      'refresh ',
      '{"type":"hello"}',
    ],
    ...[
      '\0',
      '\ud800',
      '[['.repeat(5_000),
      new Uint8Array([0]),
      new Uint8Array(1_000),
      new Uint8Array(0),
    ],
  ]
  const tries = texts.flatMap((text) => [
    { text, path: `${FEED}?acks=1`, headers: ADMIN },
    { text, path: FEED, headers: ADMIN },
    { text, path: INBOX, headers: user },
  ])
  return tally(
    await inParallel(tries, async ({ text, path, headers }) => {
      const socket = new Socket(world.url + path, headers)
      const fate = await socket.fate()
      if (fate !== 'open') return probe(path, fate, 'open')
      socket.send(text)
      const end = await socket.end(5_000)
      socket.abandon()
      // An acknowledgement of another epoch is let pass.
      const isOfAnother = text === 'ack x:1' && path.includes('acks')
      return probe(
        `${JSON.stringify(text).slice(0, 40)} at ${path}`,
        end,
        isOfAnother ? 'still open' : /^closed 440[12]$/,
      )
    }),
  )
}

async function abandon(world: World): Promise<string> {
  const before = await sockets(world)
  const all = await inParallel(
    Array.from({ length: ABANDONED }),
    async () => {
      const socket = new Socket(world.url + FEED, ADMIN)
      await socket.opened()
      return socket
    },
    100,
  )
  for (const socket of all) socket.abandon()
  const after = await until(
    () => sockets(world),
    (count) => count <= before,
    SETTLED_MS,
  )
  const health = got(await world.ask('/healthz'))
  const reader = new Socket(`${world.url}${FEED}?table=orders`, ADMIN)
  await reader.fate()
  await world.sql.query(
    `INSERT INTO orders (customer_name, product_name, amount) VALUES ('Afterwards', 'A bell', 1)`,
  )
  const heard = await reader.hears((text) => text.includes('"Afterwards"'))
  reader.abandon()
  const arrives = heard.startsWith('{') ? 'a change arrives' : `of a change: ${heard}`
  return after <= before && health === '200' && heard.startsWith('{')
    ? 'as before: 200, as many sockets, and a change arrives'
    : `${health}, ${after} sockets and not ${before}, ${arrives}`
}

async function sockets(world: World): Promise<number> {
  const { json } = await world.order('/api/status')
  return ((json ?? {}) as { sockets?: number }).sockets ?? Number.NaN
}
