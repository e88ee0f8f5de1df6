import type { Section } from '../section.ts'
import { EACH, type Loaded, TIMES } from './load.ts'
import { STATEMENTS, type StatementName } from './statements.ts'
import type { Told } from './told.ts'
import { type GroupName, STEPS, type StatementWork, type Step, type StepTimes } from './visits.ts'

/** What a run of `inbox` found, and how it is shown. */
export type Found = {
  visits: Map<GroupName, StepTimes>
  works: Map<GroupName, StatementWork>
  /** While few have ever read their inboxes, and once the others have. */
  told: { few: Told; more: Told }
  connected: number
  /** Who has read, opened and marked beside the sample, how many at once, and how many a second. */
  others: { people: number; atOnce: number; perSecond: number }
}

export type Crowd = { people: number; rich: number }

export function sectionsOf(found: Found, crowd: Crowd, loaded: Loaded): Section[] {
  const { people, atOnce, perSecond } = found.others
  const notes = [
    storedNote(crowd, loaded),
    `${people.toLocaleString('en')} more people read, opened and marked, ${atOnce} at once: ${perSecond.toFixed(0)} a second.`,
  ]
  return [visitSection(found, notes), workSection(found), toldSection(found, crowd.people)]
}

function storedNote(
  { people, rich }: Crowd,
  { rows, bytes, insertSeconds, indexSeconds }: Loaded,
): string {
  return (
    `${rows.toLocaleString('en')} notifications stored, ${(bytes / 1e9).toFixed(1)} GB with indexes: ` +
    `${(EACH * TIMES).toLocaleString('en')} for each of ${rich.toLocaleString('en')} people, ${EACH} for each of ${(people - rich).toLocaleString('en')}. ` +
    `Inserted in ${insertSeconds.toFixed(0)} s, indexed and vacuumed in ${indexSeconds.toFixed(0)} s.`
  )
}

const KINDS = ['keeps up', 'never looks'] as const

function visitSection({ visits }: Found, notes: string[]): Section {
  const steps = Object.keys(STEPS) as Step[]
  return {
    name: 'inbox',
    title: `One visit to an inbox, by how many notifications are stored for its user: p50 / p95 in ms through the API`,
    columns: [`${EACH} stored`, (EACH * TIMES).toLocaleString('en'), 'ratio of p50'],
    rows: KINDS.flatMap((kind) =>
      steps.map((step) => {
        const few = (visits.get(`few, ${kind}`) as StepTimes)[step]
        const many = (visits.get(`many, ${kind}`) as StepTimes)[step]
        const ratio = quantile(many, 0.5) / quantile(few, 0.5)
        return {
          title: `${STEPS[step]} (${kind})`,
          cells: [both(few), both(many), ratio.toFixed(2)],
        }
      }),
    ),
    data: { visits: Object.fromEntries(visits) },
    spread: null,
    targets: [],
    notes: [
      'Keeps up: all but the newest ten opened, and read one by one. Never looks: nothing ever opened or read.',
      ...notes,
    ],
  }
}

function workSection({ works }: Found): Section {
  const names = Object.keys(STATEMENTS) as StatementName[]
  const cell = (work: StatementWork, name: StatementName) =>
    `${quantile(
      work[name].map(({ ms }) => ms),
      0.5,
    ).toFixed(2)} ms, ${pages(work, name)} pages`
  return {
    name: 'inbox, in Postgres',
    title: 'The statement of each, in Postgres alone: p50 of its time and of the pages it touches',
    columns: [`${EACH} stored`, (EACH * TIMES).toLocaleString('en'), 'ratio of pages'],
    rows: KINDS.flatMap((kind) =>
      names.map((name) => {
        const few = works.get(`few, ${kind}`) as StatementWork
        const many = works.get(`many, ${kind}`) as StatementWork
        return {
          title: `${STATEMENTS[name].title} (${kind})`,
          cells: [
            cell(few, name),
            cell(many, name),
            (pages(many, name) / pages(few, name)).toFixed(2),
          ],
        }
      }),
    ),
    data: { works: Object.fromEntries(works) },
    spread: null,
    targets: [],
  }
}

function toldSection({ told, connected }: Found, people: number): Section {
  const cells = (of: (told: Told) => string) => [told.few, told.more].map(of)
  const seconds = (value: number) => `${value.toFixed(2)} s`
  const rate = (count: number, value: number) =>
    `${seconds(value)}, ${Math.round(count / value).toLocaleString('en')}/s`
  return {
    name: 'inbox, told',
    title: `One statement notifies ${people.toLocaleString('en')} people, ${connected.toLocaleString('en')} of them connected: from its beginning`,
    columns: ['before the others have read', 'after'],
    rows: [
      { title: 'it has committed', cells: cells((each) => seconds(each.statementSeconds)) },
      {
        title: 'half of the connected have it',
        cells: cells((each) => seconds(each.halfHeardSeconds)),
      },
      {
        title: 'all of the connected have it',
        cells: cells((each) => rate(connected, each.lastHeardSeconds)),
      },
      {
        title: 'handed to all inboxes',
        cells: cells((each) => rate(people, each.allHandedOverSeconds)),
      },
    ],
    data: { told },
    spread: null,
    targets: [],
    notes: ['Who has never read an inbox is not told: Postgres has it.'],
  }
}

function pages(work: StatementWork, name: StatementName): number {
  return quantile(
    work[name].map(({ pages }) => pages),
    0.5,
  )
}

function both(times: readonly number[]): string {
  return `${quantile(times, 0.5).toFixed(1)} / ${quantile(times, 0.95).toFixed(1)}`
}

function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
