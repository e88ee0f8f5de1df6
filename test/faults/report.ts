import { appendFileSync } from 'node:fs'
import type { Audience } from './audience.ts'
import type { BellRace } from './bell-race.ts'
import { COUNTED, type Counted } from './listener-life.ts'
import type { People } from './people.ts'
import type { Struck } from './storm.ts'
import type { System } from './system.ts'
import type { Tally } from './writers.ts'

const SHOWN_OF_EACH = 4
const SHOWN_CHARACTERS = 400

/** What a run says while it goes on: each line with the seconds since it began, and kept in a log. */
export class Voice {
  readonly #began = Date.now()
  #log: string | null = null

  say = (line: string): void => {
    const text = `${this.seconds.padStart(6)} s  ${line}`
    console.log(text)
    if (this.#log) appendFileSync(this.#log, `${text}\n`)
  }

  get seconds(): string {
    return ((Date.now() - this.#began) / 1000).toFixed(1)
  }

  keepIn(folder: string): void {
    this.#log = `${folder}/run.log`
  }
}

export type Results = {
  seed: number
  system: System
  audience: Audience
  people: People
  tally: Tally
  struck: Struck
  race: BellRace | null
  changes: number
  /** How many notifications rules owed. */
  notices: number
}

/** Counts and verdict. @returns the exit code */
export function report(results: Results): 0 | 1 {
  const { seed, system, audience, people, tally, struck, race, changes, notices } = results
  const counters = countersOf(system)
  const total = [...struck.values()].reduce((sum, count) => sum + count, 0)
  console.log(`
seed          ${seed}
transactions  ${tally.committed} committed, ${tally.rolledBack} rolled back, ${tally.failed} failed${listed(tally.failures, ' (', ')')}
              ${listed(tally.kinds)}
changes       ${changes} in the log
faults        ${total}: ${listed(struck)}
readers       ${audience.connections} connections of ${audience.readers.length} readers and ${audience.mirrors.length} collections; ${audience.readers.reduce((sum, { silences }) => sum + silences, 0)} went silent
inboxes       ${people.users.length} users, ${people.visits} visits, ${people.devices.length} tabs with ${people.devices.reduce((sum, { heard }) => sum + heard.size, 0)} notifications heard; rules owed ${notices}
listeners     ${counters('belfry_reconnects_total')} reconnects, ${counters('belfry_batches_total')} batches, ${counters('belfry_duplicates_total')} duplicates dropped, ${counters('belfry_oversize_total')} oversize
bell          ${counters('belfry_rings_total')} rings, got up ${counters('belfry_wakes_total')} times; a sweep found ${counters('belfry_sweep_found_total')} changes
              ${race ? `${race.rounds} races with ${race.commits} commits, the slowest heard after ${race.slowestMs} ms, ${race.lateBySweep} by a sweep` : 'no races'}`)
  return verdict(system, seed, 'Nothing lost, nothing twice, everything in order.')
}

/** @param flags beside the seed, to run it again */
export function verdict(
  { violations, folder }: System,
  seed: number,
  well: string,
  flags = '',
): 0 | 1 {
  if (violations.count === 0) {
    console.log(`\n✔ ${well}`)
    return 0
  }
  console.log(`\n✘ ${violations.count} violations. The first of each kind:`)
  for (const promise of new Set(violations.first.map((violation) => violation.promise)))
    for (const { what, atMs } of violations.first
      .filter((violation) => violation.promise === promise)
      .slice(0, SHOWN_OF_EACH))
      console.log(`  ${promise} (${(atMs / 1000).toFixed(1)} s)  ${shortened(what)}`)
  console.log(`
Logs of every process, and the data, are in ${folder}
Again: npm run test:faults -- ${flags}--seed ${seed} (the same faults and writes; how processes interleave is the machine's)`)
  return 1
}

/** What a life of a listener counted after it was last asked is not in it. */
function countersOf(system: System): (name: Counted) => number {
  const sums = new Map(
    COUNTED.map((name) => [
      name,
      system.listeners.reduce((sum, listener) => sum + listener.counted(name), 0),
    ]),
  )
  return (name) => sums.get(name) ?? 0
}

export function listed(counts: ReadonlyMap<string, number>, before = '', after = ''): string {
  if (counts.size === 0) return ''
  const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
  return before + sorted.map(([name, count]) => `${name} ${count}`).join(', ') + after
}

function shortened(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text
}
