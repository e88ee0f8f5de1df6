import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import type { Child } from '../../dev/child.ts'
import type { Bench } from './bench.ts'
import { startLoad } from './bench.ts'
import { contestants } from './contestants.ts'
import { startMeter } from './foreign-load.ts'
import { measures } from './measures.ts'
import { Postgres } from './postgres.ts'
import { machine, report, tableOf } from './report.ts'
import type { Section } from './section.ts'
import { Stage } from './stage.ts'
import { bundleWorker } from './workerd.ts'

/**
 * `npm run bench`: Belfry beside what people use, in one run, on the machine at hand.
 * `npm run bench -- latency memory --quick` runs two of the measures, in short, and
 * `npm run bench -- --publish` shows what a whole run found in docs/ and worker/SCALE.md.
 * `npm run bench -- inbox --stored 100` has 100 million notifications in its table: 35 GB.
 */
const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean' },
    rounds: { type: 'string' },
    contestants: { type: 'string' },
    stored: { type: 'string' },
    publish: { type: 'boolean' },
  },
})
const unknown = names.find((name) => !(name in measures))
if (unknown !== undefined) {
  console.error(
    `There is no measure "${unknown}": choose from ${Object.keys(measures).join(', ')}.`,
  )
  process.exit(1)
}

const folder = mkdtempSync(`${tmpdir()}/belfry-bench-`)
const stage = new Stage()
const ending = new AbortController()
const servers: Child[] = []

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => ending.abort(new Error(signal)))
const interrupted = new Promise<number>((resolve) => {
  ending.signal.addEventListener('abort', () => resolve(130))
})

try {
  process.exitCode = await Promise.race([interrupted, bench()])
} finally {
  await stage.end()
  for (const server of servers) await server.stop()
  removeFolder()
}
// What was interrupted may still wait for something.
process.exit()

async function bench(): Promise<number> {
  const began = performance.now()
  const quick = options.quick ?? false
  const say = (line: string) => {
    const seconds = Math.round((performance.now() - began) / 1000)
    console.log(`${String(seconds).padStart(5)} s  ${line}`)
  }
  say('starting PostgreSQL and building the worker')
  const bundle = await bundleWorker(folder)
  const postgres = await Postgres.start(`${folder}/postgres`, ending.signal, (child) =>
    servers.push(child),
  )
  const redis = findRedis()
  if (!redis)
    say('redis-server is not here, so that peer is left out: apt-get install redis-server')
  const rounds = Number(options.rounds ?? (quick ? 1 : 3))
  const context: Bench = {
    stage,
    postgres,
    contestants: contestants(stage, bundle, redis).filter(
      ({ name }) => options.contestants?.split(',').includes(name) ?? true,
    ),
    bundle,
    ...startLoad(stage),
    quick,
    stored: options.stored === undefined ? null : millionsOf(options.stored),
    rounds,
    say,
  }
  const sections: Section[] = []
  for (const [name, measure] of Object.entries(measures)) {
    if (names.length > 0 && !names.includes(name)) continue
    const readMeter = startMeter()
    const found = [await measure(context)].flat()
    const foreignLoad = readMeter()
    for (const section of found) {
      sections.push({ ...section, foreignLoad })
      console.log(`\n${tableOf({ ...section, foreignLoad })}\n`)
    }
  }
  const facts = { ...machine(), postgres: postgres.version, quick, rounds }
  report(sections, facts, {
    whole: names.length === 0 && !quick && options.contestants === undefined,
    publish: options.publish ?? false,
  })
  return 0
}

function millionsOf(text: string): number {
  if (!/^\d{1,3}$/.test(text))
    throw new Error(`--stored takes millions of notifications, 6 to 100, not "${text}".`)
  return Number(text)
}

/** PostgreSQL may write for a moment longer. */
function removeFolder(): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
}

function findRedis(): string | null {
  const { status } = spawnSync('redis-server', ['--version'])
  return status === 0 ? 'redis-server' : null
}
