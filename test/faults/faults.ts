import type pg from 'pg'
import { absence } from './absence.ts'
import type { Chance } from './chance.ts'
import { dataFaults } from './faults-of-data.ts'
import { processFaults } from './faults-of-processes.ts'
import { wireFaults } from './faults-of-wires.ts'
import { ghost } from './ghost.ts'
import type { System } from './system.ts'

/** Where a fault strikes: everything it may touch, and chance of its own. */
export type Scene = { system: System; sql: pg.Pool; chance: Chance }

/**
 * One way in which things go wrong, by a name that a seed's plan, the log and the report share.
 * Its strike ends when the harm is done; what recovers by itself may still be recovering, so that
 * the next fault meets a system that is not well yet.
 */
export type Fault = {
  name: string
  /**
   * `early`: what follows needs its time. `late`: it takes the way away for ten seconds or more.
   * `alone`: together with others it would prove nothing.
   */
  when: 'any time' | 'early' | 'late' | 'alone'
  /** Only in the long form. */
  isLong?: true
  /** @returns what was done, for the log */
  strike(scene: Scene): Promise<string>
}

export const faults: readonly Fault[] = [
  ...processFaults,
  ...wireFaults,
  ...dataFaults,
  ghost,
  absence,
]

export function faultNamed(name: string): Fault {
  const found = faults.find((fault) => fault.name === name)
  if (!found)
    throw new Error(
      `There is no fault "${name}". Take one of: ${faults.map((f) => f.name).join(', ')}.`,
    )
  return found
}
