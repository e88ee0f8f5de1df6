import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import type { Section } from './section.ts'

/**
 * What of a run is shown to readers: the chart and its numbers in `docs/`, and the tables in
 * worker/SCALE.md. The numbers that are published are those of one run, as it printed them.
 * A chart of a part of a run, of short turns or of a busy machine is not published.
 */
const MOST_FOREIGN_LOAD = 0.1
const SCALE = 'worker/SCALE.md'

/** @returns why no chart of this run may be shown; null if it may */
export function whyNoChart(sections: readonly Section[], whole: boolean): string | null {
  if (!whole) return 'only a whole run is: npm run bench -- --publish'
  const busiest = Math.max(...sections.map(({ foreignLoad }) => foreignLoad ?? 0))
  if (busiest > MOST_FOREIGN_LOAD)
    return `other programs used ${Math.round(busiest * 100)} % of the machine; at most ${MOST_FOREIGN_LOAD * 100} % may be, so run it again when nothing else runs`
  return null
}

export function publishChart(results: string): void {
  copyFileSync(`${results}/latest.json`, 'docs/bench.json')
  copyFileSync(`${results}/bench.svg`, 'docs/bench.svg')
}

/** @param tables by the name under which SCALE.md has a place for them */
export function publishTables(tables: { [name: string]: string }): void {
  let text = readFileSync(SCALE, 'utf8')
  for (const [name, table] of Object.entries(tables)) text = withTable(text, name, table)
  writeFileSync(SCALE, text)
}

/** @throws if there is no such place */
export function withTable(text: string, name: string, table: string): string {
  const place = new RegExp(`(<!-- ${name}: [^>]*-->\n)[^]*?(<!-- /${name} -->)`)
  if (!place.test(text)) throw new Error(`${SCALE} has no place for the table "${name}"`)
  return text.replace(place, (_, begin, end) => `${begin}\n\`\`\`\n${table}\n\`\`\`\n\n${end}`)
}
