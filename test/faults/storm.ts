import { setTimeout as delay } from 'node:timers/promises'
import type { Fault, Scene } from './faults.ts'
import { plan } from './plan.ts'

/** Longer than any strike takes. */
const STRIKE_DEADLINE_MS = 40_000

export type Struck = ReadonlyMap<string, number>

/**
 * Lets faults strike until the time is over, while writers write. A fault that meets what another
 * has taken away (a server that is down) may fail: that is said, and it counts as not having struck.
 * The first round is played to its end, however long it takes: each fault strikes at least once.
 */
export async function storm(
  scene: Scene,
  { seconds, form }: { seconds: number; form: 'short' | 'long' },
  say: (line: string) => void,
): Promise<Struck> {
  const struck = new Map<string, number>()
  const until = Date.now() + seconds * 1_000
  for (const { afterMs, faults, round } of plan(scene.chance, form)) {
    if (round > 1 && Date.now() + afterMs > until) break
    await delay(afterMs)
    await Promise.all(
      faults.map(async (fault) => {
        const chance = scene.chance.of(`${fault.name} ${struck.get(fault.name) ?? 0}`)
        if (await strike(fault, { ...scene, chance }, say))
          struck.set(fault.name, (struck.get(fault.name) ?? 0) + 1)
      }),
    )
  }
  return struck
}

export async function strike(
  fault: Fault,
  scene: Scene,
  say: (line: string) => void,
): Promise<boolean> {
  const deadline = delay(STRIKE_DEADLINE_MS, undefined, { ref: false }).then(() => {
    throw new Error('it did not end')
  })
  try {
    const what = await Promise.race([fault.strike(scene), deadline])
    say(`⚡ ${fault.name}${what ? `: ${what}` : ''}`)
    return true
  } catch (error) {
    say(`  ${fault.name} could not strike: ${error instanceof Error ? error.message : error}`)
    return false
  }
}
