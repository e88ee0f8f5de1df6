import { readFileSync } from 'node:fs'
import type { Part } from './stage.ts'

const SAMPLE_MS = 200

/** @returns resident memory in MB; null where there is no /proc, or the process has ended */
export function residentMb(pid: number): number | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) / 1024
  } catch {
    return null
  }
}

/** Resident memory of these processes, in MB; NaN where it is not known. */
export function watchMemory(parts: readonly Part[]): { now: number[]; stop(): number[] } {
  const read = () => parts.map(({ pid }) => residentMb(pid) ?? Number.NaN)
  const most = read()
  const sampling = setInterval(() => {
    for (const [index, now] of read().entries()) most[index] = Math.max(most[index] ?? 0, now)
  }, SAMPLE_MS)
  return {
    get now() {
      return read()
    },
    /** @returns the most that each had */
    stop() {
      clearInterval(sampling)
      return most
    },
  }
}
