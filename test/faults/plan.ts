import type { Chance } from './chance.ts'
import { type Fault, faultNamed, faults } from './faults.ts'
import { known } from './known.ts'

/** Faults that strike together, after a pause. Each round has every fault once. */
export type Strike = { afterMs: number; faults: readonly Fault[]; round: number }

/** A consumer gives up a change after a minute at most, one after another. */
const POISON_EVERY_MS = 90_000

/**
 * What will strike, drawn from the seed alone: known sequences first, then every fault once in
 * any order, then again and again until the time is over. Now and then two strike together.
 * It has no end in itself: the storm stops taking from it.
 */
export function* plan(chance: Chance, form: 'short' | 'long'): Generator<Strike> {
  for (const { faults } of known)
    for (const name of faults)
      yield { afterMs: chance.whole(200, 600), faults: [faultNamed(name)], round: 1 }

  const inForm = faults.filter(({ isLong }) => form === 'long' || !isLong)
  let sincePoisonMs = POISON_EVERY_MS
  for (let number = 1; ; number++) {
    const early = inForm.filter(({ when }) => when === 'early' && sincePoisonMs >= POISON_EVERY_MS)
    if (early.length > 0) sincePoisonMs = 0
    const round = [
      ...early,
      ...chance.shuffle(inForm.filter(({ when }) => when === 'any time')),
      ...chance.shuffle(inForm.filter(({ when }) => when === 'late')),
      ...inForm.filter(({ when }) => when === 'alone'),
    ]
    while (round.length > 0) {
      const isPair = chance.next() < 0.25 && round[1]?.when !== 'alone'
      const together = isPair ? 2 : 1
      const afterMs = chance.whole(200, 2_200)
      sincePoisonMs += afterMs
      yield { afterMs, faults: round.splice(0, together), round: number }
    }
  }
}
