import { readFileSync } from 'node:fs'

/** @returns resident memory in MB; null where there is no /proc, or the process has ended */
export function residentMb(pid: number): number | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) / 1024
  } catch {
    return null
  }
}
