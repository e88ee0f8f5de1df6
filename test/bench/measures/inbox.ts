import { type Bench, turn } from '../bench.ts'
import { AUTH_SECRET } from '../contestants.ts'
import { EACH, loadInboxes, TIMES } from '../inbox/load.ts'
import { Statements } from '../inbox/statements.ts'
import { type Crowd, type Found, sectionsOf } from '../inbox/tables.ts'
import { tellEveryone } from '../inbox/told.ts'
import { ask, everyone, GROUPS, pick, visit } from '../inbox/visits.ts'
import type { Section } from '../section.ts'

/**
 * What one open and one mark of an inbox cost, where `EACH` notifications are stored for a person
 * and where it is `TIMES` as many, in the same table and in turns; and how fast one statement that
 * notifies everyone reaches those who are connected.
 */
const PEOPLE = 10_000
/** Millions of rows in the table, if `--stored` says nothing else. */
const STORED = { whole: 6, quick: 2 }
/** The last of them have few, however many are stored. */
const POOR = 500
/** Enough of them for the quick sample. */
const LEAST_RICH = 100
const SAMPLE = { whole: 60, quick: 12 }
const CONNECTED = { whole: 1_000, quick: 200 }
/** Of those who were not in the sample. */
const OTHERS = { whole: PEOPLE, quick: 1_000 }
const AT_ONCE = 8

export async function inbox(bench: Bench): Promise<Section[]> {
  const contestant = bench.contestants.find(({ name }) => name === 'belfry')
  if (!contestant) throw new Error('no belfry')
  const form = bench.quick ? 'quick' : 'whole'
  const crowd = { people: PEOPLE, rich: richPeople(bench.stored ?? STORED[form]) }
  const say = (line: string) => bench.say(`inbox: ${line}`)
  const prepare = (url: string) => loadInboxes(url, crowd, say)
  const load = { contestant, writers: 0, clients: 0, prepare }
  return turn(bench, load, async ({ port }, databaseUrl, loaded) => {
    const found = await measureInboxes({ port, databaseUrl, crowd, form, say })
    return sectionsOf(found, crowd, loaded)
  })
}

/** On inboxes that are loaded and that nobody has read. */
export async function measureInboxes({ port, databaseUrl, crowd, form, say }: At): Promise<Found> {
  const worker = { url: `http://127.0.0.1:${port}`, secret: AUTH_SECRET }
  const sample = (shift: number) =>
    new Map(GROUPS.map((group) => [group.name, pick(group, crowd, SAMPLE[form], shift)]))
  const statements = await Statements.on(databaseUrl)
  const works = await ask(statements, sample(2)).finally(() => statements.end())
  const visited = sample(0)
  const visits = await visit(worker, visited)
  say('the sample has visited')

  const everybody = Array.from({ length: PEOPLE }, (_, index) => index + 1)
  const connected = everybody.filter((id) => id % (PEOPLE / CONNECTED[form]) === 1)
  const few = await tellEveryone(worker, databaseUrl, connected)
  say(`all have been told once, after ${few.allHandedOverSeconds.toFixed(1)} s`)

  const beside = new Set([...visited.values()].flat())
  const others = everybody.filter((id) => !beside.has(id)).slice(-OTHERS[form])
  const perSecond = await everyone(worker, others, AT_ONCE)
  const more = await tellEveryone(worker, databaseUrl, connected)
  return {
    ...{ visits, works, told: { few, more }, connected: connected.length },
    others: { people: others.length, atOnce: AT_ONCE, perSecond },
  }
}

type At = {
  port: number
  databaseUrl: string
  crowd: Crowd
  form: 'whole' | 'quick'
  say(line: string): void
}

function richPeople(millions: number): number {
  const wanted = (millions * 1e6 - PEOPLE * EACH) / (EACH * (TIMES - 1))
  return Math.max(LEAST_RICH, Math.min(PEOPLE - POOR, Math.round(wanted)))
}
