import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, platform, release, totalmem } from 'node:os'
import { chart } from './chart.ts'
import { publishChart, publishTables, whyNoChart } from './publish.ts'
import { isReached, type Section, type Target } from './section.ts'

const RESULTS = '.belfry/bench'

/**
 * How it stands to what is to be reached, the JSON, and of a whole run the chart.
 * @param publish whether readers are to see it
 */
export function report(
  sections: Section[],
  facts: { [name: string]: unknown },
  { whole, publish }: { whole: boolean; publish: boolean },
): void {
  const targets = sections.flatMap((section) => section.targets)
  if (targets.length > 0) console.log(`\n${targets.map(verdict).join('\n')}`)
  const json = JSON.stringify({ at: new Date().toISOString(), ...facts, sections }, null, 2)
  mkdirSync(RESULTS, { recursive: true })
  const file = `${RESULTS}/${whole ? 'latest' : 'part'}.json`
  writeFileSync(file, `${json}\n`)
  console.log(`\nAll numbers of all rounds: ${file}`)
  if (whole) {
    writeFileSync(`${RESULTS}/bench.svg`, chart(sections, describe(facts)))
    console.log(`The chart: ${RESULTS}/bench.svg`)
  }
  if (publish) show(sections, whole)
}

function show(sections: Section[], whole: boolean): void {
  const reason = whyNoChart(sections, whole)
  if (reason === null) publishChart(RESULTS)
  console.log(
    reason === null ? 'Published: docs/bench.svg' : `The chart is not published: ${reason}.`,
  )
  const scale = sections.filter(({ name }) => name.startsWith('scale'))
  if (scale.length === 0) return
  publishTables(Object.fromEntries(scale.map((section) => [section.name, tableOf(section)])))
  console.log('Published: the tables in worker/SCALE.md')
}

export function machine(): { [name: string]: unknown } {
  const [cpu] = cpus()
  return {
    system: `${platform()} ${release()}`,
    processor: cpu?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  }
}

function describe({ cores, postgres, rounds }: { [name: string]: unknown }): string {
  const date = new Date().toISOString().slice(0, 10)
  return `PostgreSQL ${postgres}, all parts and 1,000 clients on ${cores} cores, ${rounds === 1 ? 'one round' : `median of ${rounds} rounds`}, ${date}`
}

export function tableOf({
  title,
  columns,
  rows,
  spread,
  foreignLoad,
  notes = [],
}: Section): string {
  const lines = [['', ...columns], ...rows.map((row) => [row.title, ...row.cells])]
  const widths = ['', ...columns].map((_, column) =>
    Math.max(...lines.map((line) => (line[column] ?? '').length)),
  )
  const text = lines.map((line) =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('   ')
      .trimEnd(),
  )
  const noise = [
    spread ? `rounds lie ${Math.round(spread * 100)} % apart` : null,
    foreignLoad ? `other programs used ${Math.round(foreignLoad * 100)} % of the machine` : null,
  ].filter((part) => part !== null)
  const heading = noise.length > 0 ? `${title} (${noise.join('; ')})` : title
  return [heading, ...text.map((line) => `  ${line}`), ...notes.map((note) => `  ${note}`)].join(
    '\n',
  )
}

function verdict(target: Target): string {
  const aim = 'atLeast' in target ? `at least ${target.atLeast}` : `at most ${target.atMost}`
  const ratio = target.ratio < 1 ? target.ratio.toFixed(3) : target.ratio.toFixed(1)
  return `${isReached(target) ? '✓ reached    ' : '✗ not reached'}  ${target.name}: ${ratio} (${aim})`
}
