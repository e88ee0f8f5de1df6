import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Failure } from './failure.ts'
import { holdsWithin, listProcesses, type RunningProcess, signalGroup } from './processes.ts'

/**
 * Who runs in this folder, in `.belfry/run.json`: the pid of `npm start` and the process groups
 * of its children. One run at a time; what a run that was killed has left behind is stopped by
 * the next.
 *
 * A pid alone proves nothing, since the system uses it again: a process is ours if its number is
 * recorded *and* its command line is.
 */
export type Claim = {
  /** Records a child's process group; call it right after the spawn. */
  record: (name: string, group: number | null) => void
  release: () => void
}

type RunRecord = { run: number; groups: Record<string, number> }

const nobody: RunRecord = { run: 0, groups: {} }

/**
 * @param script what the command line of a run contains, e.g. `dev/start.ts`
 * @param project what the command line of each child contains: the checkout's folder
 * @returns the claim, and which children of an earlier run had to be stopped
 */
export async function claimFolder(
  folder: string,
  script: string,
  project: string,
): Promise<{ claim: Claim; stopped: string[] }> {
  const file = `${folder}/run.json`
  mkdirSync(folder, { recursive: true })
  // The user that PostgreSQL runs as, if we are root, must get through; nobody may look around.
  chmodSync(folder, 0o711)
  const before = readRecord(file)
  const processes = before ? listProcesses() : []
  if (
    before &&
    processes.some(({ pid, command }) => pid === before.run && command.includes(script))
  )
    throw new Failure(
      `Belfry already runs in this folder (process ${before.run}). Use that one, or stop it with Ctrl-C in its terminal and try again.`,
    )

  const record: RunRecord = { run: process.pid, groups: {} }
  if (before) rmSync(file)
  try {
    writeFileSync(file, JSON.stringify(record), { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new Failure('Belfry is just being started in this folder by somebody else. Use that one.')
  }
  const stopped = before ? await stopLeftovers(before, processes, project) : []

  return {
    stopped,
    claim: {
      record: (name, group) => {
        if (group === null) delete record.groups[name]
        else record.groups[name] = group
        writeFileSync(file, JSON.stringify(record))
      },
      release: () => rmSync(file, { force: true }),
    },
  }
}

async function stopLeftovers(
  before: RunRecord,
  processes: RunningProcess[],
  project: string,
): Promise<string[]> {
  const left = Object.entries(before.groups).filter(([, leader]) =>
    processes.some(({ group, command }) => group === leader && command.includes(project)),
  )
  for (const [, leader] of left) signalGroup(leader, 'SIGTERM')
  const allGone = () => {
    const groups = new Set(listProcesses().map(({ group }) => group))
    return left.every(([, leader]) => !groups.has(leader))
  }
  if (!(await holdsWithin(5_000, allGone))) {
    for (const [, leader] of left) signalGroup(leader, 'SIGKILL')
    await holdsWithin(5_000, allGone)
  }
  return left.map(([name]) => name)
}

function readRecord(file: string): RunRecord | null {
  if (!existsSync(file)) return null
  try {
    const { run, groups } = JSON.parse(readFileSync(file, 'utf8'))
    if (typeof run === 'number' && typeof groups === 'object' && groups) return { run, groups }
  } catch {
    // Cut off by a full disk, say.
  }
  return nobody
}
