/**
 * node test/simulation/run.ts [--schedules N] [--seed S] [--broken MUTATION]
 *
 * Runs N schedules and says what was reached. On the first that fails it prints the seed and
 * every step of the shortest prefix that still fails, and exits with 1.
 */
import { parseArgs } from 'node:util'
import { type Exploration, explore, type Failure } from './explore.ts'
import { takeGlobals } from './globals.ts'
import { requireMicrotasks } from './microtasks.ts'
import { isMutation, type Mutation, mutations } from './mutations.ts'
import { worthReaching } from './reach.ts'

/** Fewer schedules than this need not come upon everything. */
const ENOUGH_SCHEDULES = 20_000

const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    broken: { type: 'string' },
  },
})

// A macrotask: there, microtasks can be run at once.
setImmediate(main)

function main(): void {
  takeGlobals()
  requireMicrotasks()
  const seed = wholeNumber('seed', values.seed)
  const schedules = wholeNumber('schedules', values.schedules)
  const exploration = explore({ seed, schedules, broken: mutation(values.broken) })
  report(seed, exploration)
  const { failure } = exploration
  const missed =
    schedules < ENOUGH_SCHEDULES
      ? []
      : worthReaching.filter((what) => !exploration.reached.has(what))
  if (failure) tell(failure)
  else if (missed.length > 0)
    console.log(`verdict: nothing was violated, but never reached: ${missed.join('; ')}`)
  else console.log('verdict: every promise was kept in every schedule')
  process.exitCode = failure || missed.length > 0 ? 1 : 0
}

function report(seed: number, { schedules, steps, cpuSeconds, reached }: Exploration): void {
  for (const what of worthReaching)
    console.log(`${String(reached.get(what) ?? 0).padStart(8)}  ${what}`)
  const pace = `${Math.round(schedules / cpuSeconds)} schedules/s`
  console.log(
    `seed ${seed}: ${schedules} schedules, ${steps} steps, ${cpuSeconds.toFixed(1)} s of one core, ${pace}`,
  )
}

function tell({ seed, violation, prefix, trace }: Failure): void {
  for (const line of trace) console.log(line)
  console.log(`verdict: VIOLATED in schedule ${seed}, after ${prefix} steps: ${violation}`)
  console.log(`again: node test/simulation/run.ts --schedules 1 --seed ${seed}`)
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 0)
    throw new Error(`--${name} must be a whole number, and is "${text}"`)
  return number
}

function mutation(name: string | undefined): Mutation | null {
  if (name === undefined) return null
  if (isMutation(name)) return name
  throw new Error(`--broken must be one of: ${Object.keys(mutations).join('; ')}`)
}
