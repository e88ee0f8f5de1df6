import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, keepAlive, type Launch, type Voice } from './child.ts'
import { ask } from './database.ts'
import { Failure } from './failure.ts'
import { freePort, localhost } from './ports.ts'
import { type Account, postgresAccount } from './postgres-account.ts'
import { postgresBinaries } from './postgres-binaries.ts'
import { databaseName, initialise, password, requireMajor, superuser } from './postgres-data.ts'
import { holdsWithin, listProcesses, signalPid } from './processes.ts'

/**
 * The embedded PostgreSQL, with its data in one folder.
 *
 * One server on the data at a time: what a killed run has left is stopped first. It listens on
 * 127.0.0.1 only, so the fixed password keeps nobody out who is not in already; it is there
 * because drivers want one. Its address never changes while a run lasts.
 */
const preferredPort = 54_329
const shutdownMs = 15_000

/** @param folder where the data folder is or comes to be */
export async function supervisePostgres(
  folder: string,
  ending: AbortSignal,
  voice: Voice,
): Promise<{ url: string; child: Child }> {
  const data = `${folder}/postgres`
  mkdirSync(folder, { recursive: true })
  const binaries = await postgresBinaries()
  const account = postgresAccount(binaries.postgres, data)
  await stopLeftServer(data, voice.say)
  if (!existsSync(data)) await initialise(binaries, account, data, ending)
  requireMajor(binaries, data)

  const port = await freePort(preferredPort)
  ending.throwIfAborted()
  const child = keepAlive({
    ...voice,
    name: 'postgres',
    launch: async () => {
      await stopLeftServer(data, voice.say)
      return launch(account, binaries.postgres, data, port)
    },
    becomeReady: async (alive) => {
      await untilConnected(urlOf(port, 'postgres'), alive)
      await ensureDatabase(urlOf(port, 'postgres'))
    },
    readyWithinMs: 60_000,
    // A fast shutdown: it ends its sessions and writes everything out.
    stopSignal: 'SIGINT',
    stopWithinMs: shutdownMs,
    // An immediate one, after which the next start replays its log.
    killSignal: 'SIGQUIT',
    log: (line) => {
      // Said once for each connection when it was killed, which the supervisor says too.
      if (!line.includes('unexpected postmaster exit')) voice.log(line)
    },
  })
  return { url: urlOf(port, databaseName), child }
}

function launch(account: Account, postgres: string, data: string, port: number): Launch {
  const settings = {
    listen_addresses: localhost,
    unix_socket_directories: '',
    max_connections: '200',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_checkpoints: 'off',
    log_line_prefix: '',
  }
  return account.launch(postgres, data, [
    ...['-D', data, '-p', String(port)],
    ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
  ])
}

/** A server left by a run that was killed is known by its pid file and its command line. */
async function stopLeftServer(data: string, say: (text: string) => void): Promise<void> {
  const pidFile = `${data}/postmaster.pid`
  if (!existsSync(pidFile)) return
  const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0])
  const alive = () =>
    listProcesses().some((running) => running.pid === pid && running.command.includes(data))
  if (!alive()) return
  say(`stopping the server that an earlier run has left (process ${pid})`)
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    signalPid(pid, signal)
    if (await holdsWithin(shutdownMs, () => !alive())) return
  }
  throw new Failure(`Process ${pid} holds ${data} and does not stop. End it, then start again.`)
}

async function untilConnected(url: string, alive: AbortSignal): Promise<void> {
  while (!alive.aborted) {
    try {
      await ask(url, 'SELECT 1')
      return
    } catch (error) {
      // It answers, and will not let us in, now or later.
      if ((error as { code?: string }).code?.startsWith('28'))
        throw new Failure(
          `The data in .belfry/postgres was made with another user or password. Delete that folder to start afresh.`,
        )
      await sleep(50)
    }
  }
}

async function ensureDatabase(url: string): Promise<void> {
  const known = await ask(url, 'SELECT FROM pg_database WHERE datname = $1', [databaseName])
  if (known.length === 0) await ask(url, `CREATE DATABASE ${databaseName}`)
}

function urlOf(port: number, database: string): string {
  return `postgresql://${superuser}:${password}@${localhost}:${port}/${database}`
}
