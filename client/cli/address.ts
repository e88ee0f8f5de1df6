import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { Failure } from './failure.ts'
import type { Terminal } from './terminal.ts'

const RUN_FILE = join('.belfry', 'local.json')

/** What a local run says of itself, as far as it is used here. */
const localRun = z
  .object({
    url: z.string(),
    databaseUrl: z.string(),
    adminToken: z.string(),
    signInUrl: z.string(),
  })
  .partial()
type LocalRun = z.infer<typeof localRun>

/** @throws Failure if none is named */
export function workerAddress(terminal: Terminal): string {
  const url = terminal.env.BELFRY_URL || nearestRun(terminal.cwd)?.url
  if (!url)
    throw new Failure(
      'No worker is known here: start one with `npm start`, or set BELFRY_URL to its address.',
    )
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new Failure(
      `BELFRY_URL is "${url}": set it to an http(s) address, such as http://127.0.0.1:8787.`,
    )
  return url.replace(/\/+$/, '')
}

/** @throws Failure if none is named */
export function databaseAddress(terminal: Terminal): string {
  const url = terminal.env.DATABASE_URL || nearestRun(terminal.cwd)?.databaseUrl
  if (url) return url
  throw new Failure(
    'No database is known here: start one with `npm start`, or set DATABASE_URL to its address.',
  )
}

/** Who signs in whoever is named; null unless the worker is a local run's. */
export function signInAddress(terminal: Terminal): string | null {
  return ownRun(terminal)?.signInUrl ?? null
}

/** The local run whose worker is asked; null if it is another's, which is told nothing of the run. */
export function ownRun(terminal: Terminal): LocalRun | null {
  const run = nearestRun(terminal.cwd)
  return run?.url !== undefined && machine(run.url) === machine(workerAddress(terminal))
    ? run
    : null
}

/** Both names of this machine are one. */
function machine(url: string): string {
  return url.replace(/^http:\/\/localhost(?=[:/]|$)/, 'http://127.0.0.1').replace(/\/+$/, '')
}

/** Of the folder or of the nearest one above it that has a run. */
function nearestRun(folder: string): LocalRun | null {
  const file = join(folder, RUN_FILE)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    const above = dirname(folder)
    return above === folder ? null : nearestRun(above)
  }
  const parsed = localRun.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  throw new Failure(`${file} cannot be read: start again with \`npm start\`, which writes it anew.`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
