import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

export type RunningProcess = { pid: number; group: number; command: string }

/** Every process of this machine that we may see, with its process group; none on Windows. */
export function listProcesses(): RunningProcess[] {
  if (process.platform === 'linux') return listFromProc()
  if (process.platform === 'win32') return []
  const { stdout } = spawnSync('ps', ['-A', '-ww', '-o', 'pid=,pgid=,command='], {
    encoding: 'utf8',
  })
  return (stdout ?? '').split('\n').flatMap((line) => {
    const [, pid, group, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
    return command ? [{ pid: Number(pid), group: Number(group), command }] : []
  })
}

/** Linux without procps has no `ps`. A zombie has an empty command line and is left out. */
function listFromProc(): RunningProcess[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return []
    try {
      const command = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0').join(' ').trim()
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8')
      // "pid (name) state parent group …"; the name may hold spaces and brackets.
      const group = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2])
      return command ? [{ pid: Number(entry), group, command }] : []
    } catch {
      return [] // It has ended meanwhile.
    }
  })
}

/** Signals a process group, or on Windows ends the process tree. It may be gone already. */
export function signalGroup(leader: number, signal: NodeJS.Signals): void {
  if (process.platform === 'win32') {
    spawnSync('taskkill', ['/pid', String(leader), '/T', '/F'])
    return
  }
  signalPid(-leader, signal)
}

/** Signals a process that may be gone already. */
export function signalPid(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ESRCH' && code !== 'EPERM') throw error
  }
}

/** @returns true once the condition holds, false if it does not within the time */
export async function holdsWithin(ms: number, condition: () => boolean): Promise<boolean> {
  const deadline = Date.now() + ms
  while (!condition()) {
    if (Date.now() > deadline) return false
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return true
}
