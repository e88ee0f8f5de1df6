/// <reference lib="esnext.disposable" />
import type { Change, Row } from '../../protocol/change.ts'
import type { ResetReason } from '../../protocol/frames.ts'
import type { Position } from '../../protocol/position.ts'
import { applyTo, requireKey, type Shape } from './collection.ts'
import { type Connection, type ConnectionState, connectOn } from './connect.ts'
import { type Loading, type LoadingEffect, type LoadingEvent, load } from './loading.ts'
import { type Platform, platform } from './platform.ts'
import { rowKey } from './row-key.ts'

/*
 * Law. Postgres is authoritative; the rows here end equal to the table. Proof,
 * for each key by itself:
 *
 * 1. The snapshot is read after `hello`, so every change before that position is
 *    in it, and every change after it comes over the socket, in order, once.
 * 2. Changes that arrive while the snapshot is read are kept, and applied to it
 *    when it is there: in order, each setting its key to what the row became.
 *    So the last change of a key decides, and a key without one is as the
 *    snapshot says. A delete is applied after the snapshot too, so a row that
 *    was read before it does not come back.
 * 3. Some of the kept changes may be in the snapshot already. Applying them sets
 *    the row back until the rest arrive: right in the end, but seen. A version
 *    column takes that away: what is older than the row held, update or delete,
 *    is left out. Within one life of a row its version only grows, so what is
 *    left out happened before the snapshot was read, and every change after it is
 *    newer than what the snapshot holds. (A row that the snapshot no longer has
 *    may still be seen until its delete arrives.)
 * 4. A snapshot need not be of one moment: 2 and 3 look at one key at a time.
 *    Where an update moves a row to another key, the old key is a delete.
 *
 * On failure the last rows stay visible and `freshness` says what they are worth.
 */

export type LiveOptions<T extends object = Row> = {
  /** Base address of the worker, as for `connect`. */
  url: string
  table: string
  /** The primary key's columns; `['id']` if not given. */
  key?: readonly string[]
  /**
   * All rows of the table, read when it is called: no cache, no replica. Rows
   * may come from several pages. `signal` says that the answer is no longer wanted.
   */
  snapshot(signal: AbortSignal): Promise<readonly T[]>
  /**
   * A column that grows with each update of a row. With it a row never steps
   * back for a moment while changes catch up with the snapshot.
   */
  version?: string
  /** Every change of the table as it arrives, before it alters the rows. */
  onChange?(change: Change, position: Position): void
  /** After each alteration of the rows; the same as `subscribe`, from the beginning. */
  onUpdate?(update: Update<T>): void
  /** State of the connection. */
  onState?(state: ConnectionState): void
  /** State of the rows. */
  onFreshness?(freshness: Freshness): void
}

/** What a change did to the rows: null before an insert, null after a delete. */
export type Applied<T extends object = Row> = {
  change: Change
  /** The key under which `rows()` has it. */
  key: string
  before: T | null
  after: T | null
}

export type Update<T extends object = Row> =
  /** The rows were replaced as a whole, by a snapshot. */
  | { kind: 'snapshot' }
  /** These alterations were made, in order: one list for each frame. A truncate is one for each row. */
  | { kind: 'changes'; applied: readonly Applied<T>[] }

/** How far `rows()` can be trusted. */
export type Freshness =
  /** Nothing to show yet: connecting, or the first snapshot is on its way. */
  | { state: 'loading' }
  /** The rows are the table as of `connection.position`, or later where the snapshot was. */
  | { state: 'current' }
  /** The rows of before are shown until a new snapshot is there. */
  | { state: 'reloading'; because: ResetReason | 'oversize' }
  /** A snapshot could not be had; the next attempt follows in `retryInMs`. */
  | { state: 'failing'; attempt: number; retryInMs: number; error: unknown }

export type Live<T extends object = Row> = {
  /** The collection itself: it moves on as changes arrive, and is another map after a snapshot. */
  rows(): ReadonlyMap<string, T>
  readonly freshness: Freshness
  /** @returns a function that ends it */
  subscribe(listener: (update: Update<T>) => void): () => void
  readonly connection: Connection
  close(): void
  [Symbol.dispose](): void
}

/**
 * A table as a map that moves with it: a snapshot and every change since.
 * @throws TypeError when `url` is not an http(s) address
 */
export function live<T extends object = Row>(options: LiveOptions<T>): Live<T> {
  return liveOn(platform, options)
}

/** The shell: carries out what `loading.ts` decides, and applies changes with `collection.ts`. */
export function liveOn<T extends object = Row>(world: Platform, options: LiveOptions<T>): Live<T> {
  const { url, table, key = ['id'], version, onChange } = options
  const shape: Shape = { table, key, version }
  const listeners = new Set<(update: Update<T>) => void>()
  if (options.onUpdate) listeners.add(options.onUpdate)

  const nothing: ReadonlyMap<string, T> = new Map()
  let rows: Map<string, T> | null = null
  let loading: Loading = { state: 'unconnected' }
  let reading: AbortController | null = null
  let cancelRetry: (() => void) | null = null
  let closed = false

  const connection = connectOn(world, {
    url,
    table,
    ...(onChange && { onChange: (change, position) => onChange.call(options, change, position) }),
    onChanges(changes) {
      requireKey(changes, shape)
      dispatch({ type: 'changes', changes })
      if (rows === null) return
      const applied = applyTo(rows, changes, shape)
      if (applied.length > 0) notify({ kind: 'changes', applied })
    },
    onReset: (reason) => dispatch({ type: 'reset', reason }),
    onState(state) {
      if (state.state === 'live') dispatch({ type: 'connected' })
      options.onState?.(state)
    },
  })

  return {
    rows: () => rows ?? nothing,
    get freshness() {
      return freshnessOf(loading)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    connection,
    close,
    [Symbol.dispose]: close,
  }

  function dispatch(event: LoadingEvent<T>) {
    if (closed) return
    const before = loading
    const [next, effects] = load(loading, event)
    loading = next
    for (const effect of effects) carryOut(effect)
    if (closed) return
    const freshness = freshnessOf(loading)
    if (isNews(freshnessOf(before), freshness)) call(() => options.onFreshness?.(freshness))
  }

  function carryOut(effect: LoadingEffect<T>) {
    if (closed) return
    if (effect.do === 'read') void readSnapshot(effect.run)
    else if (effect.do === 'retry_in')
      cancelRetry = world.timer(effect.ms, () => dispatch({ type: 'retry', run: effect.run }))
    else replace(effect.rows, effect.missed)
  }

  async function readSnapshot(run: number) {
    stopReading()
    reading = new AbortController()
    let snapshot: Map<string, T>
    try {
      const rows = await options.snapshot(reading.signal)
      snapshot = new Map(rows.map((row) => [rowKey(row, key), row]))
    } catch (error) {
      dispatch({ type: 'failure', run, error, random: world.random() })
      return
    }
    dispatch({ type: 'snapshot', run, rows: snapshot })
  }

  function replace(snapshot: Map<string, T>, missed: readonly (readonly Change[])[]) {
    for (const changes of missed) applyTo(snapshot, changes, shape)
    rows = snapshot
    notify({ kind: 'snapshot' })
  }

  function notify(update: Update<T>) {
    // A copy: one that subscribes now has the rows, and hears of what follows.
    for (const listener of [...listeners]) call(() => listener(update))
  }

  function call(callback: () => void) {
    try {
      callback()
    } catch (error) {
      world.report(error)
    }
  }

  function stopReading() {
    reading?.abort()
    cancelRetry?.()
  }

  function close() {
    closed = true
    stopReading()
    listeners.clear()
    connection.close()
  }
}

function freshnessOf(loading: Loading): Freshness {
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

function isNews(before: Freshness, after: Freshness): boolean {
  if (before.state !== after.state) return true
  return (
    before.state === 'reloading' && after.state === 'reloading' && before.because !== after.because
  )
}
