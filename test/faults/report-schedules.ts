import type { Found } from './check-schedules.ts'
import type { Device } from './devices.ts'
import { listed, verdict } from './report.ts'
import type { System } from './system.ts'

type Results = Found & {
  system: System
  seed: number
  struck: ReadonlyMap<string, number>
  changed: number
  devices: readonly Device[]
}

const QUANTILES = [0.5, 0.9, 0.99, 1] as const
const LATE_MS = [100, 1_000, 5_000, 30_000] as const

/** Counts, how late they came, and the verdict. @returns the exit code */
export function reportSchedules(results: Results): 0 | 1 {
  const { system, seed, struck, changed, devices, delivered, cancelled, latenessMs } = results
  const sorted = latenessMs.toSorted((a, b) => a - b)
  const quantiles = QUANTILES.map((share) => {
    const ms = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
    return `${share === 1 ? 'latest' : `p${share * 100}`} ${Math.round(ms ?? Number.NaN)} ms`
  })
  const beyond = LATE_MS.map((limit) => {
    const count = sorted.filter((ms) => ms > limit).length
    return `${count} by more than ${limit / 1000} s`
  })
  const sum = (of: (device: Device) => number) =>
    devices.reduce((total, device) => total + of(device), 0)
  console.log(`
seed          ${seed}
schedules     ${delivered} delivered, ${cancelled} cancelled; ${changed} changed while they waited
late          ${quantiles.join(', ')}
              ${beyond.join(', ')}
faults        ${listed(struck)}
devices       ${devices.length}, ${sum(({ connections }) => connections)} connections, ${sum(({ resets }) => resets)} resets, ${sum(({ heard }) => heard.size)} notifications heard`)
  return verdict(system, seed, 'All delivered once, none early.', '--schedules ')
}
