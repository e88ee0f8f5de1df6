import { execFileSync, spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../dev/ports.ts'

const project = fileURLToPath(new URL('../..', import.meta.url))
const START_DEADLINE_MS = 90_000
const STOP_DEADLINE_MS = 30_000

/** What `.belfry/local.json` says. */
export type Local = {
  url: string
  databaseUrl: string
  adminToken: string
  mailboxUrl: string
  listenerUrl: string
  signInUrl: string
  pids: { postgres?: number; worker: number; listener: number }
}

export type RunningBelfry = {
  directory: string
  localPath: string
  local(): Local
  /** Everything it printed. */
  printed(): string
  /** As Ctrl-C in a terminal does; when it returns, npm has ended. */
  stop(): Promise<void>
}

/**
 * The project as a fresh clone has it: what git tracks or would track, and nothing that lies
 * around. The dependencies are linked, since `npm ci` has just installed them.
 */
export function freshClone(): string {
  const directory = mkdtempSync(join(tmpdir(), 'belfry-clone-'))
  const listed = execFileSync('git', ['ls-files', '-coz', '--exclude-standard'], { cwd: project })
  for (const file of listed.toString().split('\0').filter(Boolean)) {
    // Git still tracks what is deleted here and not yet committed.
    if (!existsSync(join(project, file))) continue
    mkdirSync(dirname(join(directory, file)), { recursive: true })
    cpSync(join(project, file), join(directory, file))
  }
  symlinkSync(join(project, 'node_modules'), join(directory, 'node_modules'))
  return directory
}

/** Runs `npm start` in a directory and waits until it says that it is ready. */
export async function startBelfry(
  directory: string,
  { args = [], env = {} }: { args?: string[]; env?: Record<string, string> } = {},
): Promise<RunningBelfry> {
  const PORT = env.PORT ?? String(await freePort())
  const child = spawn('npm', ['start', ...(args.length > 0 ? ['--', ...args] : [])], {
    cwd: directory,
    env: { ...process.env, NO_COLOR: '1', ...env, PORT },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Its own group, so that a signal reaches it as Ctrl-C in a terminal does.
    detached: true,
  })
  let printed = ''
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const ready = new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        printed += `${line}\n`
        if (line.includes('Ctrl-C stops everything')) resolve()
      })
    exited.then((code) => reject(new Error(`npm start ended with ${code}:\n${printed}`)))
    setTimeout(
      () => reject(new Error(`npm start was not ready in time:\n${printed}`)),
      START_DEADLINE_MS,
    ).unref()
  })
  const interrupt = (signal: NodeJS.Signals) => {
    if (child.pid && child.exitCode === null) process.kill(-child.pid, signal)
  }
  try {
    await ready
  } catch (error) {
    interrupt('SIGINT')
    throw error
  }
  const localPath = join(directory, '.belfry/local.json')
  return {
    directory,
    localPath,
    local: () => JSON.parse(readFileSync(localPath, 'utf8')),
    printed: () => printed,
    async stop() {
      interrupt('SIGINT')
      const deadline = setTimeout(() => interrupt('SIGKILL'), STOP_DEADLINE_MS)
      await exited
      clearTimeout(deadline)
    },
  }
}

export function removeClone(directory: string): void {
  rmSync(directory, { recursive: true, force: true })
}
