import type { OwedChange } from '../protocol/outbox.ts'

/** Who rang since the last look; the canary, if nobody else did. */
export type RungBy = 'writer' | 'canary' | null

/** A ring is heard within milliseconds; what has waited for so long was not rung for. */
const UNRUNG_MS = 1_000

/**
 * How many changes a look came upon while asleep whose writers had not been heard: by the rule of
 * the bell there are none. Without a ring it was the sweep that looked, and all count. The canary
 * rings too, and a writer may just be about to: only what is old counts then.
 */
export function unheard(owed: readonly OwedChange[], rungBy: RungBy): number {
  if (rungBy === 'writer') return 0
  return changesIn(rungBy === null ? owed : owed.filter(({ ageMs }) => ageMs >= UNRUNG_MS))
}

/** How many there are beside the canary's. */
export function changesIn(owed: readonly OwedChange[]): number {
  return owed.reduce((count, { beat }) => (beat === undefined ? count + 1 : count), 0)
}
