import { setTimeout as delay } from 'node:timers/promises'
import type { Audience } from './audience.ts'
import { feedHead } from './feed-log.ts'
import { countChanges } from './records.ts'
import type { System } from './system.ts'

/**
 * Nothing may stand still for longer than this while something is owed. It is longer than the
 * slowest thing that is allowed to be slow: the lease of a leader whose connection went silent
 * (15 s) after its standby's did too, an SDK that takes 30 s to miss its heartbeats, its backoff.
 */
const STILL_MS = 60_000
const SAY_EVERY_MS = 5_000

/**
 * Waits, once faults and writers have stopped, until all that was committed has arrived at
 * everyone. Time is not limited, standing still is.
 */
export async function settle(system: System, audience: Audience, say: (line: string) => void) {
  audience.settle()
  let movedAt = Date.now()
  let last = ''
  let saidAt = 0
  for (;;) {
    const [{ committed, owed }, head] = [
      await countChanges(system.databaseUrl),
      await feedHead(system),
    ]
    const behind = audience.whoIsBehind(head ?? 0)
    if (owed === 0 && head !== null && head >= committed && behind.length === 0) return
    const now = JSON.stringify([committed, owed, head, behind])
    if (now !== last) movedAt = Date.now()
    last = now
    const state = `${committed} changes committed, ${owed} in the outbox, head ${head}; behind: ${behind.join(', ') || 'nobody'}`
    if (Date.now() - movedAt > STILL_MS) {
      system.violations.add(
        'it stands still',
        `nothing has moved for ${STILL_MS / 1000} s: ${state}`,
      )
      return
    }
    if (Date.now() - saidAt > SAY_EVERY_MS) {
      say(`settling: ${state}`)
      saidAt = Date.now()
    }
    await delay(1_000)
  }
}
