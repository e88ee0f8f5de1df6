import { parseArgs } from 'node:util'
import { known } from './known.ts'

/** The long form has faults that take a while, and a larger outbox at the start. */
const LONG_FROM_SECONDS = 120

export type Options = {
  seed: number
  form: 'short' | 'long'
  /** How long faults strike; start, bell races, settling and checking come on top. */
  seconds: number
  /** How many changes lie in the outbox before the first listener comes. */
  outbox: number
  writers: number
  /** The storm of schedules alone. */
  schedules: boolean
  keep: boolean
}

const USAGE = `npm run test:faults -- [--seconds N] [--seed S] [--outbox N] [--writers N] [--keep]
npm run test:faults -- --schedules [--seed S] [--keep]
  --seconds  how long faults strike; 45 if not given; from ${LONG_FROM_SECONDS} on it is the long form
  --seed     a number, or the name of a known seed; a new one if not given
  --outbox   changes waiting at the start; 100,000 if not given, 1,000,000 in the long form
  --writers  how many write at once; 5 if not given
  --schedules  10,000 notifications due within a minute, and nothing else
  --keep     keep data and logs even if all went well`

/** @throws what is wrong, and how it is used */
export function parseOptions(args: string[]): Options {
  const { seconds: duration = '45', seed, outbox, writers = '5', ...flags } = valuesOf(args)
  const { schedules = false, keep = false } = flags
  const seconds = whole('seconds', duration)
  const form = seconds >= LONG_FROM_SECONDS ? 'long' : 'short'
  return {
    seconds,
    form,
    seed: seedOf(seed),
    outbox: whole('outbox', outbox ?? (form === 'long' ? '1000000' : '100000')),
    writers: whole('writers', writers),
    schedules,
    keep,
  }
}

function valuesOf(args: string[]) {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  try {
    const options = { seconds: text, seed: text, outbox: text, writers: text }
    const flags = { schedules: flag, keep: flag }
    return parseArgs({ args, options: { ...options, ...flags } }).values
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
  }
}

function seedOf(text: string | undefined): number {
  if (text === undefined) return Math.floor(Math.random() * 2 ** 31)
  return known.find(({ name }) => name === text)?.seed ?? whole('seed', text)
}

function whole(name: string, text: string): number {
  if (!/^\d{1,10}$/.test(text))
    throw new Error(`--${name} takes a whole number, not "${text}".\n\n${USAGE}`)
  return Number(text)
}
