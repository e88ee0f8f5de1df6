import { readFileSync } from 'node:fs'
import { listProcesses } from '../../dev/processes.ts'

/**
 * How much of the machine other programs took while a measure ran: what was busy, less what this
 * run and all that it started have used. Linux only.
 */
export function startMeter(): () => number | null {
  const before = read()
  return () => {
    const after = read()
    if (!before || !after) return null
    const others = after.busy - before.busy - (after.ours - before.ours)
    return Math.max(0, others / (after.total - before.total))
  }
}

type Reading = { total: number; busy: number; ours: number }

/** In ticks of the kernel's clock, over all cores. */
function read(): Reading | null {
  try {
    const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n')
    const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number)
    const total = ticks.reduce((sum, each) => sum + each, 0)
    const busy = total - (ticks[3] ?? 0) - (ticks[4] ?? 0)
    return { total, busy, ours: ourTicks() }
  } catch {
    return null
  }
}

function ourTicks(): number {
  const stats = new Map<number, { parent: number; ticks: number }>()
  for (const { pid } of listProcesses()) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      // After "pid (name) ": state, parent, …, and from the 12th on the times, children's too.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const ticks = fields.slice(11, 15).reduce((sum, each) => sum + Number(each), 0)
      stats.set(pid, { parent: Number(fields[1]), ticks })
    } catch {
      // It has ended meanwhile; its parent has its times.
    }
  }
  let sum = 0
  for (const [pid, { ticks }] of stats) if (isOurs(pid, stats)) sum += ticks
  return sum
}

function isOurs(pid: number, stats: ReadonlyMap<number, { parent: number }>): boolean {
  for (let at: number | undefined = pid; at !== undefined && at > 1; at = stats.get(at)?.parent)
    if (at === process.pid) return true
  return false
}
