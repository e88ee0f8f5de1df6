import { randomUUID } from 'node:crypto'
import { signLink } from '../../protocol/signature.ts'
import { ALL, type Attack, inParallel, probe, tally } from './attack.ts'
import { secrets } from './settings.ts'
import { Socket } from './sockets.ts'
import type { World } from './world.ts'

/** What comes over the link, or would like to. */
const UNSIGNED = 'closed 4401'
/** An answer takes no longer, if there is one. */
const ACK_MS = 2_000

export const link: readonly Attack[] = [
  ingest(
    'signatures',
    'Links that are unsigned, re-signed, late, early or altered',
    async (world) => {
      const now = Date.now()
      const nonce = () => randomUUID().replaceAll('-', '')
      const good = await signLink(secrets.LINK_SECRET, now, nonce())
      const headers: [string, string | null][] = [
        ['none', null],
        ['another secret', await signLink('another secret of the link', now, nonce())],
        ['the secret of tokens', await signLink(secrets.AUTH_SECRET, now, nonce())],
        ['6 minutes old', await signLink(secrets.LINK_SECRET, now - 360_000, nonce())],
        ['6 minutes ahead', await signLink(secrets.LINK_SECRET, now + 360_000, nonce())],
        ['another nonce', good.replace(/n=\w+/, `n=${nonce()}`)],
        ['another time', good.replace(/t=\d+/, `t=${Math.floor(now / 1000) + 1}`)],
        ['cut off', good.slice(0, -2)],
        ['in capitals', good.toUpperCase()],
        ['a bearer', `Bearer ${secrets.ADMIN_TOKEN}`],
        ['the secret itself', `Belfry ${secrets.LINK_SECRET}`],
        ['twice', `${good}, ${good}`],
      ]
      return tally(
        await inParallel(headers, async ([name, authorization]) => {
          const socket = new Socket(
            `${world.url}/link`,
            authorization === null ? {} : { authorization },
          )
          const end = await socket.end(5_000)
          socket.abandon()
          return probe(name, end, UNSIGNED)
        }),
      )
    },
  ),
  ingest('replayed', 'A good signature shown a second time', async (world) => {
    const authorization = await signature()
    const first = new Socket(`${world.url}/link`, { authorization })
    await first.opened()
    const second = new Socket(`${world.url}/link`, { authorization })
    const end = await second.end(5_000)
    for (const socket of [first, second]) socket.abandon()
    return tally([probe('the second', end, UNSIGNED)])
  }),
  ingest('frames', 'Frames on a signed link that mean nothing', async (world) => {
    const source = await sourceOf(world)
    const open = { type: 'open', source, term: 1, listener: 'x' }
    const change = {
      id: randomUUID(),
      table: 'orders',
      op: 'insert',
      key: { id: 1 },
      new: null,
      old: null,
      at: AT,
    }
    const frames: (string | Uint8Array)[] = [
      ...['', 'null', '[]', '"open"', '{', '{}', '{"type":"open"}', '{"type":"nothing"}'],
      ...[
        { ...open, source: 'x' },
        { ...open, term: 0 },
        { ...open, term: 1e30 },
        { ...open, listener: '' },
      ].map((each) => JSON.stringify(each)),
      JSON.stringify({ type: 'batch', seq: 1, changes: [change] }),
      JSON.stringify({ type: 'batch', seq: 1, changes: [] }),
      JSON.stringify({ type: 'batch', seq: 1, changes: Array(1_001).fill(change) }),
      JSON.stringify({ type: 'pulse', state: 'awake', lagMs: 0 }),
      ...['['.repeat(100_000), 'x'.repeat(2_000_000), new Uint8Array(10), new Uint8Array(0)],
    ]
    return tally(
      await inParallel(frames, async (frame) => {
        const end = await say(world, frame)
        return probe(String(frame).slice(0, 60), end, 'closed 4402')
      }),
    )
  }),
  ingest(
    'other-source',
    'The link of another database, and of a leader that was followed',
    async (world) => {
      const source = await sourceOf(world)
      const open = (more: object) =>
        JSON.stringify({ type: 'open', source, term: 1, listener: 'x', ...more })
      const { rows } = await world.sql.query<{ term: string }>(
        'SELECT max(term) AS term FROM belfry.terms',
      )
      const term = Number(rows[0]?.term)
      return tally([
        probe(
          'another database',
          await say(world, open({ source: randomUUID(), term: 9_999 })),
          'closed 4410',
        ),
        probe(
          'an older term',
          await say(world, open({ term: term - 1 })),
          term > 1 ? 'closed 4409' : /^closed 44(09|02)$/,
        ),
      ])
    },
  ),
  ingest('deaf', 'A replayed signature, and then a batch all the same', async (world) => {
    const authorization = await signature()
    const first = new Socket(`${world.url}/link`, { authorization })
    await first.opened()
    const second = new Socket(`${world.url}/link`, { authorization }, { deaf: true })
    const end = await second.end(5_000)
    const id = randomUUID()
    await appendTo(world, second, [forged(id, 'by a replay')])
    const { text } = await world.order('/api/changes?table=orders&after=0&limit=1000')
    for (const socket of [first, second]) socket.abandon()
    return tally([
      probe('the second', end, UNSIGNED),
      probe('its batch', text.includes(id) ? 'in the log' : 'not in the log', 'not in the log'),
    ])
  }),
  ingest(
    'replayed-batch',
    'A batch that is sent again, and again with another body',
    replayedBatch,
  ),
  {
    id: 'link.after',
    owasp: 'API10',
    what: 'After all that, a change of an honest writer',
    expected: 'it arrives',
    how: async (world) => {
      const reader = new Socket(`${world.url}/api/changes/ws?table=orders`, {
        authorization: `Bearer ${secrets.ADMIN_TOKEN}`,
      })
      await reader.fate()
      await world.sql.query(
        `INSERT INTO orders (customer_name, product_name, amount) VALUES ('Honest', 'A bell', 1)`,
      )
      const heard = await reader.hears((text) => text.includes('"Honest"'), 30_000)
      reader.abandon()
      return heard.startsWith('{') ? 'it arrives' : heard
    },
  },
]

const AT = '2026-01-01T00:00:00.000000+00:00'

function ingest(id: string, what: string, how: Attack['how']): Attack {
  return { id: `link.${id}`, owasp: 'API10', what, expected: ALL, how }
}

function signature(): Promise<string> {
  return signLink(secrets.LINK_SECRET, Date.now(), randomUUID().replaceAll('-', ''))
}

async function say(world: World, frame: string | Uint8Array): Promise<string> {
  const socket = new Socket(`${world.url}/link`, { authorization: await signature() })
  await socket.opened()
  socket.send(frame)
  const end = await socket.end(5_000)
  socket.abandon()
  return end
}

async function sourceOf({ sql }: World): Promise<string> {
  const { rows } = await sql.query<{ source: string }>('SELECT source FROM belfry.identity')
  return rows[0]?.source ?? ''
}

/** As one who has the secret: what the log has of a change stays as it was first said. */
async function replayedBatch(world: World): Promise<string> {
  const socket = new Socket(`${world.url}/link`, { authorization: await signature() })
  await socket.opened()
  const id = randomUUID()
  const said = ['as it was', 'as it was', 'something else']
  await appendTo(
    world,
    socket,
    said.map((name) => forged(id, name)),
  )
  socket.abandon()
  const acks = socket.said.map((text) => JSON.parse(text) as { seq?: number; duplicates?: number })
  const duplicates = said.map((_, n) => acks.find(({ seq }) => seq === n)?.duplicates)
  const inLog = async (name: string) =>
    (await world.order(`/api/changes?table=orders&after=0&limit=1000&product_name=${name}`)).text
  return tally([
    probe('duplicates', String(duplicates), '0,1,1'),
    probe('in the log', String((await inLog('as it was')).split(id).length - 1), '1'),
    probe(
      'altered',
      (await inLog('something else')).includes(id) ? 'told' : 'not told',
      'not told',
    ),
  ])
}

function forged(id: string, name: string) {
  const old = { id: 0, product_name: name }
  return { id, table: 'orders', op: 'delete', key: { id: 0 }, new: null, old, at: AT }
}

/** Opens the link as the leader that there is, and says each change in a batch of its own. */
async function appendTo(world: World, socket: Socket, changes: readonly object[]): Promise<void> {
  const { rows } = await world.sql.query<{ term: string }>(
    'SELECT max(term) AS term FROM belfry.terms',
  )
  const send = (message: object) => socket.send(JSON.stringify(message))
  const term = Number(rows[0]?.term)
  send({ type: 'open', source: await sourceOf(world), term, listener: 'a replay' })
  for (const [seq, change] of changes.entries()) send({ type: 'batch', seq, changes: [change] })
  await socket.hears((text) => text.includes(`"seq":${changes.length - 1}`), ACK_MS)
}
