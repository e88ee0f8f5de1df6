import type { Mutation } from './mutations.ts'
import type { Reachable } from './reach.ts'
import { runSchedule } from './schedule.ts'

export type Exploration = {
  schedules: number
  steps: number
  /** Of one core, whatever else the machine does. */
  cpuSeconds: number
  /** In how many schedules something was reached. */
  reached: Map<Reachable, number>
  failure: Failure | null
}

export type Failure = {
  seed: number
  violation: string
  /** After how many steps the faults may stop at the earliest, for the schedule still to fail. */
  prefix: number
  trace: string[]
}

export type ExploreOptions = { seed: number; schedules: number; broken: Mutation | null }

/** Runs the schedules of `seed`, `seed + 1`, …, up to the first that fails. */
export function explore({ seed: first, schedules, broken }: ExploreOptions): Exploration {
  const begun = process.cpuUsage()
  const exploration: Exploration = {
    schedules: 0,
    steps: 0,
    cpuSeconds: 0,
    reached: new Map(),
    failure: null,
  }
  for (let seed = first; seed < first + schedules && exploration.failure === null; seed++) {
    const { violation, steps, reached } = runSchedule({ seed, broken })
    exploration.schedules++
    exploration.steps += steps
    for (const what of reached)
      exploration.reached.set(what, (exploration.reached.get(what) ?? 0) + 1)
    if (violation !== null) exploration.failure = explain(seed, broken)
  }
  const { user, system } = process.cpuUsage(begun)
  exploration.cpuSeconds = (user + system) / 1_000_000
  return exploration
}

function explain(seed: number, broken: Mutation | null): Failure {
  for (let prefix = 0; ; prefix++) {
    const { violation } = runSchedule({ seed, broken, prefix })
    if (violation === null) continue
    const { trace } = runSchedule({ seed, broken, prefix, trace: true })
    return { seed, violation, prefix, trace }
  }
}
