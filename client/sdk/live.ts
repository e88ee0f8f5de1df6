/// <reference lib="esnext.disposable" />
import type { Change, Row } from '../../protocol/change.ts'
import type { Position } from '../../protocol/position.ts'
import { applyTo, otherKey, type Shape } from './collection.ts'
import { type Connection, connectOn } from './connect.ts'
import type { ConnectionState } from './connection-state.ts'
import { type Freshness, freshnessOf, isNews } from './freshness.ts'
import { type Loading, type LoadingEffect, type LoadingEvent, load } from './loading.ts'
import type { Platform } from './platform.ts'
import { describe } from './reasons.ts'
import { type KeyedRows, keyRows, type Snapshot } from './snapshot.ts'
import { tableReader } from './table-reader.ts'
import type { Token } from './token.ts'
import { Updates } from './updates.ts'

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
  /** Who asks, as for `connect`. */
  token?: Token
  table: string
  /**
   * Instead of reading the rows from the worker: all rows of the table, read when it is called, no
   * cache, no replica. They may come from several pages. `signal` says that the answer is no
   * longer wanted. What throws is called again, for ever, after up to 10 s.
   */
  snapshot?(signal: AbortSignal): Promise<readonly T[]>
  /** Beside `snapshot`: the primary key's columns; `['id']` if not given. */
  key?: readonly string[]
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

export type Live<T extends object = Row> = {
  /** The collection itself: it moves on as changes arrive, and is another map after a snapshot. */
  rows(): ReadonlyMap<string, T>
  /** Keys of rows of more than 1.9 MB: of these `rows()` has the key's columns and nothing else. */
  readonly partial: ReadonlySet<string>
  readonly freshness: Freshness
  /** @returns a function that ends it */
  subscribe(listener: (update: Update<T>) => void): () => void
  /**
   * The same for `for await`; begins with `snapshot` if there are rows already. Who is more than
   * 1,000 updates behind gets one `snapshot` in their place. Ends with `close()`.
   * @throws Error, in the loop, when the worker refuses the connection for good
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Update<T>>
  readonly connection: Connection
  /** For good: the rows stay as they are. */
  close(): void
  [Symbol.dispose](): void
}

/**
 * The shell: carries out what `loading.ts` decides, and applies changes with `collection.ts`.
 * @param readTable what reads the rows if the caller does not
 */
export function liveOn<T extends object = Row>(
  world: Platform,
  options: LiveOptions<T>,
  readTable: (signal: AbortSignal) => Promise<Snapshot<T>> = tableReader<T>(options),
): Live<T> {
  const { url, token, table, version, onChange } = options
  const fixedKey = options.snapshot ? (options.key ?? ['id']) : null
  const listeners = new Set<(update: Update<T>) => void>()
  if (options.onUpdate) listeners.add(options.onUpdate)
  const loops = new Set<Updates<T>>()

  const nothing: ReadonlyMap<string, T> = new Map()
  const none: ReadonlySet<string> = new Set()
  let held: KeyedRows<T> | null = null
  let loading: Loading = { state: 'unconnected' }
  let reading: AbortController | null = null
  let cancelRetry: (() => void) | null = null
  let ended: { error: Error | null } | null = null

  const connection = connectOn(world, {
    url,
    table,
    ...(token !== undefined && { token }),
    ...(onChange && { onChange: (change, position) => onChange.call(options, change, position) }),
    onChanges(changes) {
      const key = fixedKey ?? held?.key
      const other = key ? otherKey(changes, key) : null
      if (other && fixedKey)
        throw new TypeError(
          `live: the primary key of "${table}" is (${other.join(', ')}), not (${fixedKey.join(', ')}): set "key"`,
        )
      // One that is being read will tell the new key; and it is read again if it does not.
      if (other && loading.state === 'current') return dispatch({ type: 'reset', reason: 'key' })
      dispatch({ type: 'changes', changes })
      if (held === null || other) return
      const applied = apply(held, changes)
      if (applied.length > 0) notify({ kind: 'changes', applied })
    },
    onReset: (reason) => dispatch({ type: 'reset', reason }),
    onState(state) {
      if (state.state === 'live') dispatch({ type: 'connected' })
      if (state.state === 'closed')
        end(state.reason.kind === 'refused' ? new Error(describe(state.reason)) : null)
      options.onState?.(state)
    },
  })

  return {
    rows: () => held?.rows ?? nothing,
    get partial() {
      return held?.partial ?? none
    },
    get freshness() {
      return freshnessOf(loading)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    [Symbol.asyncIterator]() {
      const loop: Updates<T> = new Updates(() => loops.delete(loop))
      if (held !== null) loop.push({ kind: 'snapshot' })
      if (ended) loop.end(ended.error)
      else loops.add(loop)
      return loop
    },
    connection,
    close,
    [Symbol.dispose]: close,
  }

  function dispatch(event: LoadingEvent<T>) {
    if (ended) return
    const before = loading
    const [next, effects] = load(loading, event)
    loading = next
    for (const effect of effects) carryOut(effect)
    if (ended) return
    const freshness = freshnessOf(loading)
    if (isNews(freshnessOf(before), freshness)) call(() => options.onFreshness?.(freshness))
  }

  function carryOut(effect: LoadingEffect<T>) {
    if (ended) return
    if (effect.do === 'read') void readSnapshot(effect.run)
    else if (effect.do === 'retry_in')
      cancelRetry = world.timer(effect.ms, () => dispatch({ type: 'retry', run: effect.run }))
    else replace(effect.read, effect.missed)
  }

  async function readSnapshot(run: number) {
    stopReading()
    reading = new AbortController()
    let read: KeyedRows<T>
    try {
      read = keyRows(await readAll(reading.signal))
      if (loading.state === 'reading' && otherKey(loading.missed.flat(), read.key))
        throw new TypeError(`the primary key of "${table}" has changed; reading it again`)
    } catch (error) {
      dispatch({ type: 'failure', run, error, random: world.random() })
      return
    }
    dispatch({ type: 'snapshot', run, read })
  }

  async function readAll(signal: AbortSignal): Promise<Snapshot<T>> {
    if (!options.snapshot || !fixedKey) return readTable(signal)
    return { rows: await options.snapshot(signal), key: fixedKey, oversize: [] }
  }

  function replace(read: KeyedRows<T>, missed: readonly (readonly Change[])[]) {
    for (const changes of missed) apply(read, changes)
    held = read
    notify({ kind: 'snapshot' })
  }

  /** What is applied has the whole row, or ends it. */
  function apply({ rows, partial, key }: KeyedRows<T>, changes: readonly Change[]) {
    const shape: Shape = { key, version }
    const applied = applyTo(rows, changes, shape)
    for (const { key: altered } of applied) partial.delete(altered)
    return applied
  }

  function notify(update: Update<T>) {
    // A copy: one that subscribes now has the rows, and hears of what follows.
    for (const listener of [...listeners]) call(() => listener(update))
    for (const loop of loops) loop.push(update)
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

  /** Nothing more will come: what is being read could not be kept up to date. */
  function end(error: Error | null) {
    ended ??= { error }
    stopReading()
    for (const loop of loops) loop.end(error)
    loops.clear()
  }

  function close() {
    end(null)
    listeners.clear()
    connection.close()
  }
}
