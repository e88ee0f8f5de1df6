import { readdirSync, readFileSync } from 'node:fs'

/**
 * Over all threads of a process so far, in microseconds: the time that it has had on a core, which
 * hardly depends on what other programs do, and the time that it was ready and had none. Linux only.
 */
export type CoreTime = { hadUs: number; waitedUs: number }

export function coreTime(pid: number): CoreTime {
  const time = { hadUs: 0, waitedUs: 0 }
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const schedstat = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')
    const [had = 0, waited = 0] = schedstat.split(' ').map(Number)
    time.hadUs += had / 1000
    time.waitedUs += waited / 1000
  }
  return time
}
