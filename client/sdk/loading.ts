import { type Backoff, fullJitter } from '../../protocol/backoff.ts'
import type { Change } from '../../protocol/change.ts'
import type { ResetReason } from '../../protocol/frames.ts'
import { isWithoutRow } from './collection.ts'
import type { KeyedRows } from './snapshot.ts'

/*
 * Law. One snapshot is read at a time, never before `hello`. Every change that
 * arrives while it is read is kept for it, and only those: a read that begins
 * later has the earlier ones in it. Each read has a number; what a read of
 * another number says is not listened to. A snapshot that fails is read again
 * for ever, with full jitter.
 */

export type Because = 'start' | ResetReason | 'oversize' | 'key'

export type Loading =
  /** No `hello` yet. */
  | { state: 'unconnected' }
  /** `missed`: the changes of each frame since this read began. */
  | {
      state: 'reading'
      run: number
      attempt: number
      because: Because
      missed: readonly (readonly Change[])[]
    }
  | {
      state: 'failing'
      run: number
      attempt: number
      because: Because
      retryInMs: number
      error: unknown
    }
  | { state: 'current'; run: number }

export type LoadingEvent<T> =
  | { type: 'connected' }
  /** `key`: the table has another primary key than the snapshot was read with. */
  | { type: 'reset'; reason: ResetReason | 'key' }
  | { type: 'changes'; changes: readonly Change[] }
  | { type: 'snapshot'; run: number; read: KeyedRows<T> }
  | { type: 'failure'; run: number; error: unknown; random: number }
  | { type: 'retry'; run: number }

export type LoadingEffect<T> =
  /** Begin this read; one that is under way is given up. */
  | { do: 'read'; run: number }
  | { do: 'retry_in'; run: number; ms: number }
  /** These rows with these changes applied are the table. */
  | { do: 'replace'; read: KeyedRows<T>; missed: readonly (readonly Change[])[] }

export type LoadingStep<T> = readonly [Loading, readonly LoadingEffect<T>[]]

const BACKOFF: Backoff = { baseMs: 250, capMs: 10_000 }

export function load<T>(loading: Loading, event: LoadingEvent<T>): LoadingStep<T> {
  switch (event.type) {
    case 'connected':
      return loading.state === 'unconnected' ? reading(loading, 'start') : [loading, []]
    case 'reset':
      return reading(loading, event.reason)
    case 'changes':
      if (loading.state === 'reading')
        return [{ ...loading, missed: [...loading.missed, event.changes] }, []]
      if (loading.state === 'current' && event.changes.some(isWithoutRow))
        return reading(loading, 'oversize')
      return [loading, []]
    case 'snapshot': {
      if (loading.state !== 'reading' || loading.run !== event.run) return [loading, []]
      const { missed, run } = loading
      const replace = { do: 'replace', read: event.read, missed } as const
      if (!missed.flat().some(isWithoutRow)) return [{ state: 'current', run }, [replace]]
      // It is shown all the same, so that a stream of such rows cannot keep everything back.
      const [next, effects] = reading<T>({ state: 'current', run }, 'oversize')
      return [next, [replace, ...effects]]
    }
    case 'failure': {
      if (loading.state !== 'reading' || loading.run !== event.run) return [loading, []]
      const { run, attempt, because } = loading
      const retryInMs = fullJitter(attempt, BACKOFF, event.random)
      return [
        { state: 'failing', run, attempt, because, retryInMs, error: event.error },
        [{ do: 'retry_in', run, ms: retryInMs }],
      ]
    }
    case 'retry':
      if (loading.state !== 'failing' || loading.run !== event.run) return [loading, []]
      return reading(loading, loading.because, loading.attempt + 1)
  }
}

function reading<T>(loading: Loading, because: Because, attempt = 1): LoadingStep<T> {
  const run = loading.state === 'unconnected' ? 1 : loading.run + 1
  // As long as there was no snapshot at all, it is still the first that is read.
  const isFirst = 'because' in loading && loading.because === 'start'
  return [
    {
      state: 'reading',
      run,
      attempt,
      because: isFirst || loading.state === 'unconnected' ? 'start' : because,
      missed: [],
    },
    [{ do: 'read', run }],
  ]
}
