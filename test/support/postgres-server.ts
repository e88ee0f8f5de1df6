import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { freePort } from '../../dev/ports.ts'
import { postgresAccount } from '../../dev/postgres-account.ts'
import { type PostgresBinaries, postgresBinaries } from '../../dev/postgres-binaries.ts'
import { runTool } from '../../dev/tool.ts'
import { within } from './deadline.ts'

/**
 * The servers that the tests of capture, bell and listener run against: the PostgreSQL that npm
 * brings, and those of 15 to 17 that the system has. They live for one run, in a temporary folder.
 */
export type PostgresServer = {
  name: string
  major: number
  /** Of the superuser and the database `postgres`. */
  adminUrl: string
}

declare module 'vitest' {
  export interface ProvidedContext {
    postgresServers: PostgresServer[]
  }
}

const SUPERUSER = 'postgres'
const INSTALLED = '/usr/lib/postgresql'
/** The connections of several test files and their listeners, with room to spare. */
const MAX_CONNECTIONS = 300

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-test-postgres-'))
  // The account that PostgreSQL runs as, when we are root, must be able to get there.
  chmodSync(folder, 0o755)
  const binaries = [await postgresBinaries(), ...installedBinaries()]
  const lives: ChildProcess[] = []
  const end = async () => {
    await Promise.all(lives.map(stop))
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const begun = (life: ChildProcess) => void lives.push(life)
    const starting = binaries.map((each) => start(each, folder, begun))
    // When one fails, the others are let start before they are stopped.
    await Promise.allSettled(starting)
    project.provide('postgresServers', await Promise.all(starting))
    return end
  } catch (error) {
    await end()
    throw error
  }
}

function installedBinaries(): PostgresBinaries[] {
  if (!existsSync(INSTALLED)) return []
  return readdirSync(INSTALLED)
    .filter((version) => /^1[567]$/.test(version))
    .map((version) => ({
      postgres: `${INSTALLED}/${version}/bin/postgres`,
      initdb: `${INSTALLED}/${version}/bin/initdb`,
      major: Number(version),
    }))
    .filter(({ postgres, initdb }) => existsSync(postgres) && existsSync(initdb))
}

async function start(
  { postgres, initdb, major }: PostgresBinaries,
  folder: string,
  begun: (life: ChildProcess) => void,
): Promise<PostgresServer> {
  const data = join(folder, String(major))
  const account = postgresAccount(postgres, data)
  mkdirSync(data, { mode: 0o700 })
  account.own(data)
  const made = await runTool(
    account.launch(initdb, data, [
      ...['--pgdata', data, '--username', SUPERUSER, '--auth', 'trust'],
      ...['--encoding', 'UTF8', '--locale', 'C', '--no-sync'],
    ]),
    AbortSignal.timeout(60_000),
  )
  if (!made.succeeded) throw new Error(`initdb of PostgreSQL ${major} failed:\n${made.output}`)

  const port = await freePort(20_000 + Math.floor(Math.random() * 10_000))
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: String(MAX_CONNECTIONS),
    max_prepared_transactions: '4',
    // Nothing here outlives the run, so the disk need not be waited for.
    fsync: 'off',
    full_page_writes: 'off',
    timezone: 'UTC',
  }
  const { command, args, ...options } = account.launch(postgres, data, [
    ...['-D', data, '-p', String(port)],
    ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
  ])
  const life = spawn(command, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
  begun(life)
  await untilReady(life, major)
  const adminUrl = `postgresql://${SUPERUSER}@127.0.0.1:${port}/postgres`
  await makeRoles(adminUrl)
  return { name: `PostgreSQL ${major}`, major, adminUrl }
}

/** It says so itself. What it says later is of no interest, but must be read. */
async function untilReady(life: ChildProcess, major: number): Promise<void> {
  let said = ''
  const ready = new Promise<void>((resolve, reject) => {
    life.stderr?.on('data', (chunk) => {
      said = `${said}${chunk}`.slice(-10_000)
      if (said.includes('ready to accept connections')) resolve()
    })
    life.once('exit', () => reject(new Error(`PostgreSQL ${major} did not start:\n${said}`)))
  })
  await within(30_000, `PostgreSQL ${major} ready`, ready)
}

/**
 * The owner of all test databases: an ordinary role, as a hosted database gives one. So the roles of
 * the worker and the listener are there before, with a login for each.
 */
async function makeRoles(adminUrl: string): Promise<void> {
  const admin = new pg.Client({ connectionString: adminUrl, connectionTimeoutMillis: 5_000 })
  try {
    await admin.connect()
    await admin.query(`
      CREATE ROLE app LOGIN PASSWORD 'app' NOSUPERUSER NOCREATEDB NOCREATEROLE;
      CREATE ROLE belfry_worker NOLOGIN;
      CREATE ROLE belfry_listener NOLOGIN;
      CREATE ROLE worker_login LOGIN PASSWORD 'app' IN ROLE belfry_worker;
      CREATE ROLE listener_login LOGIN PASSWORD 'app' IN ROLE belfry_listener`)
  } finally {
    await admin.end().catch(() => undefined)
  }
}

/** At once: what is not written yet is not needed. */
async function stop(life: ChildProcess): Promise<void> {
  if (life.exitCode !== null || life.signalCode !== null) return
  const exited = new Promise((resolve) => life.once('exit', resolve))
  life.kill('SIGQUIT')
  const deadline = setTimeout(() => life.kill('SIGKILL'), 10_000)
  await exited
  clearTimeout(deadline)
}
