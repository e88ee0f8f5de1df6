import { setTimeout as delay } from 'node:timers/promises'
import type { Fault, Scene } from './faults.ts'
import { leaderOf } from './faults-of-processes.ts'

/** 15 s of silence and a sweep; a worker that has just started first counts its own 15 s. */
const DRAINED_WITHIN_MS = 30_000
/** As it goes on draining, at its pace. */
const LOOKS = 2

type Status = { head: number; drain: { by: string; last_at?: string } }

/**
 * Nobody listens, while writers write: the leader is frozen with its link and its session open,
 * the others are killed. The feed must do it itself (P24). When the leader thaws it goes on where
 * it was, beside the others that begin anew.
 */
export const absence: Fault = {
  name: 'no listener for a while',
  when: 'alone',
  async strike(scene) {
    const { listeners } = scene.system
    const leader = await leaderOf(scene)
    const others = listeners.filter((listener) => listener !== leader)
    leader.signal('SIGSTOP')
    await Promise.all(others.map((listener) => listener.end()))
    try {
      const what = await untilDrained(scene)
      return `${leader.name} frozen, ${others.map(({ name }) => name).join()} killed; ${what}`
    } finally {
      leader.signal('SIGCONT')
      for (const listener of others) listener.start()
    }
  },
}

async function untilDrained({ system }: Scene): Promise<string> {
  const until = Date.now() + DRAINED_WITHIN_MS
  const looks = new Set<string>()
  let headBefore: number | null = null
  for (;;) {
    const status = await system.ask<Status>('/api/status').catch(() => null)
    headBefore ??= status?.head ?? null
    if (status?.drain.last_at) looks.add(status.drain.last_at)
    if (status && headBefore !== null && looks.size >= LOOKS && status.head > headBefore)
      return `the feed looked ${looks.size} times and took ${status.head - headBefore} changes`
    if (Date.now() > until) {
      const what = `the feed did not drain within ${DRAINED_WITHIN_MS / 1_000} s: ${JSON.stringify(status)}`
      system.violations.add('P24', what)
      return what
    }
    await delay(200)
  }
}
