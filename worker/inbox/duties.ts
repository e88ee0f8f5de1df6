import type { Trouble } from './deliver.ts'

/**
 * What an inbox owes, whether or not it keeps a copy. Times are ms since 1970.
 */
export type Duties = {
  /** When something may be due; null while nothing is known to be scheduled. */
  dueAt: number | null
  troubled: Trouble[]
  /** What was never shown and is to be marked so in Postgres. */
  late: number[]
  /** The life of the feed in which the copy is to be filled; null if it was. */
  wanted: string | null
  /** Lives of the feed that are over, the newest last. */
  left: string[]
  /** When to look which life the feed is in; null while no socket is open. */
  lookAt: number | null
}

export const NO_DUTIES: Duties = {
  ...{ dueAt: null, troubled: [], late: [], wanted: null, left: [], lookAt: null },
}
