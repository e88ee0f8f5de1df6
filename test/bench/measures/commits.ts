import { type Bench, bareTurn, median, rotated, spread, turn } from '../bench.ts'
import { type Capture, type Disk, REMOTE_FLUSH_US, walFlushes } from '../postgres.ts'
import type { Section, Target } from '../section.ts'

/**
 * What being watched costs the writers: single-row inserts, each its own transaction. Twice: on
 * the disk that is here, and where a flush of the WAL takes longer, as on remote storage. A
 * transaction that NOTIFYs holds the cluster's one lock until its commit is flushed, so the peers
 * commit once a flush, whatever it takes; without the lock one flush serves all who are waiting.
 */
const WRITERS = [1, 16, 64] as const
const MOST = 64
/** Times the peer's commits, at so many writers. */
const WANTED = 5

type Way = { title: string; capture?: Capture }

const [NONE, OUTBOX, OURS, PEER] = [
  'no trigger',
  'outbox, no bell, no listener',
  'Belfry, listening',
  'pg_notify(row), listening',
]
const WAYS: readonly Way[] = [
  { title: NONE, capture: 'none' },
  { title: OUTBOX, capture: 'outbox without bell' },
  { title: PEER },
  { title: OURS },
]

/** Of one flood of as many writers. */
type Flood = { perSecond: number; perFlush: number }
type Found = Map<string, Flood[]>

export async function commits(bench: Bench): Promise<Section[]> {
  const here = await measure(bench, 'here')
  const remote = await measure(bench, 'remote')
  const slower = slowerByMs(here, remote)
  return [
    section(here, {
      name: 'commits',
      title: 'Commits a second, by number of writers',
      load: '64 writers',
      targets: [
        {
          name: 'commits/s, 64 writers: × outbox without a bell',
          ratio: rate(here, OURS, MOST) / rate(here, OUTBOX, MOST),
          atLeast: 0.9,
        },
      ],
      notes: [],
    }),
    section(remote, {
      name: 'commits, remote storage',
      title: `Commits a second where each flush of the WAL takes ${REMOTE_FLUSH_US / 1000} ms more, as on remote storage`,
      load: '64 writers, a flush takes 1 ms more',
      targets: [],
      notes: [
        `commit_delay = ${REMOTE_FLUSH_US} µs, commit_siblings = 0: one writer's commit took ${slower.toFixed(2)} ms more.`,
      ],
    }),
  ]
}

function section(
  found: Found,
  told: { name: string; title: string; load: string; targets: Target[]; notes: string[] },
): Section {
  const bound = rate(found, NONE, MOST) / rate(found, PEER, MOST)
  const cell = (value: number) => Math.round(value).toLocaleString('en')
  return {
    name: told.name,
    title: told.title,
    columns: [
      ...WRITERS.map((writers) => `${writers} writer${writers > 1 ? 's' : ''}`),
      `commits a flush, ${MOST} writers`,
    ],
    rows: WAYS.map(({ title }) => ({
      title,
      cells: [
        ...WRITERS.map((writers) => cell(rate(found, title, writers))),
        flushed(found, title).toFixed(1),
      ],
    })),
    data: Object.fromEntries(found),
    spread: median([...found.values()].map((floods) => spread(floods.map(perSecond)))),
    targets: [
      {
        name: `${told.name.replace('commits', 'commits/s')}, 64 writers: × ${PEER}`,
        ratio: rate(found, OURS, MOST) / rate(found, PEER, MOST),
        atLeast: WANTED,
      },
      ...told.targets,
    ],
    notes: [
      `No trigger at all is ${bound.toFixed(1)} × the peer's at ${MOST} writers, and nothing that is watched can do better${bound < WANTED ? `: ${WANTED} × cannot be reached on this disk` : ''}.`,
      ...told.notes,
    ],
    chart: {
      title: 'Commits a second',
      load: told.load,
      better: 'more',
      bars: WAYS.map(({ title }) => ({
        title,
        value: rate(found, title, MOST),
        ours: title === OURS,
      })),
    },
  }
}

async function measure(bench: Bench, disk: Disk): Promise<Found> {
  const found: Found = new Map()
  for (let round = 0; round < bench.rounds; round++)
    for (const way of rotated(WAYS, round)) {
      const floods = await turnOf(bench, way, disk)
      for (const [index, flood] of floods.entries()) {
        const key = `${way.title} ${WRITERS[index]}`
        found.set(key, [...(found.get(key) ?? []), flood])
      }
      const where = disk === 'remote' ? ', remote storage' : ''
      const rates = floods.map(({ perSecond }) => Math.round(perSecond)).join(' / ')
      bench.say(`commits/s${where}, round ${round + 1}: ${way.title} ${rates}`)
    }
  return found
}

async function turnOf(bench: Bench, { title, capture }: Way, disk: Disk): Promise<Flood[]> {
  const seconds = bench.quick ? 2 : 4
  if (capture) return bareTurn(bench, { capture, disk }, (url) => flood(bench, url, seconds))
  const name = title === OURS ? 'belfry' : 'ws'
  const contestant = bench.contestants.find((each) => each.name === name)
  if (!contestant) throw new Error(`no ${name}`)
  return turn(bench, { contestant, writers: 0, clients: 0, disk }, (_, url) =>
    flood(bench, url, seconds),
  )
}

async function flood(bench: Bench, url: string, seconds: number): Promise<Flood[]> {
  const floods: Flood[] = []
  for (const count of WRITERS) {
    await bench.writers('connect', { url, count })
    const before = await walFlushes(url)
    const { commits, seconds: took } = await bench.writers('flood', { seconds })
    // A writer that ends has told of its flushes.
    await bench.writers('connect', { url, count: 0 })
    const flushes = (await walFlushes(url)) - before
    floods.push({ perSecond: commits / took, perFlush: commits / flushes })
  }
  return floods
}

function rate(found: Found, title: string, writers: number): number {
  return median((found.get(`${title} ${writers}`) ?? []).map(perSecond))
}

function flushed(found: Found, title: string): number {
  return median((found.get(`${title} ${MOST}`) ?? []).map(({ perFlush }) => perFlush))
}

/** What a commit of one writer, whom nobody watches, took longer. */
function slowerByMs(here: Found, remote: Found): number {
  return 1000 / rate(remote, NONE, 1) - 1000 / rate(here, NONE, 1)
}

function perSecond({ perSecond }: Flood): number {
  return perSecond
}
