import type { ResetReason } from '../../protocol/frames.ts'
import type { Loading } from './loading.ts'

/** How far `rows()` can be trusted. */
export type Freshness =
  /** Nothing to show yet: connecting, or the first snapshot is on its way. */
  | { state: 'loading' }
  /** The rows are the table as of `connection.position`, or later where the snapshot was. */
  | { state: 'current' }
  /**
   * The rows of before are shown until a new snapshot is there. `oversize`: a change left its row
   * behind; `key`: the table has another primary key.
   */
  | { state: 'reloading'; because: ResetReason | 'oversize' | 'key' }
  /** A snapshot could not be had; the next attempt follows in `retryInMs` milliseconds. */
  | { state: 'failing'; attempt: number; retryInMs: number; error: unknown }

export function freshnessOf(loading: Loading): Freshness {
  switch (loading.state) {
    case 'unconnected':
      return { state: 'loading' }
    case 'current':
      return { state: 'current' }
    case 'reading':
      return loading.because === 'start'
        ? { state: 'loading' }
        : { state: 'reloading', because: loading.because }
    case 'failing': {
      const { attempt, retryInMs, error } = loading
      return { state: 'failing', attempt, retryInMs, error }
    }
  }
}

/** Whether there is something to say. */
export function isNews(before: Freshness, after: Freshness): boolean {
  if (before.state !== after.state) return true
  return (
    before.state === 'reloading' && after.state === 'reloading' && before.because !== after.because
  )
}
