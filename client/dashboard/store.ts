import { computed, signal } from '@preact/signals'
import type { Change, Operation } from '../../protocol/change.ts'
import type { Position } from '../../protocol/position.ts'
import type { ConnectionState, Freshness } from '../sdk/belfry.ts'
import { type Latency, noLatency } from './latency.ts'
import type { MailQuery } from './mail/query.ts'
import type { Order } from './order.ts'
import type { Refusal } from './refusal.ts'
import type { Probe, SystemReading } from './system-status.ts'
import { look, type Query } from './view.ts'

/*
 * Law. The feed is authoritative: an order stands in the table because a snapshot
 * or a change said so, never because a form sent it. A form speaks to the API and
 * forgets; what it did comes back as a change, like anyone's.
 *
 * All that is shown is a signal of this file or computed from one. Rows, log and
 * latency are written by `feed.ts` alone, at most once for each drawn frame, so a
 * burst costs frames and not one render for each change; a person may clear the log. The log, the marks and the
 * rows drawn are bounded, whatever the feed sends.
 *
 * When something fails, what is shown stays and says that it is old.
 */

// The feed, as the SDK sees it.
export const connection = signal<ConnectionState>({ state: 'connecting', attempt: 1 })
export const freshness = signal<Freshness>({ state: 'loading' })
export const position = signal<Position | null>(null)
/** Why whoever asks may not see the orders; null if they may. */
export const ordersRefusal = signal<Refusal | null>(null)
/** How many orders the snapshot under way has read. */
export const snapshotRead = signal(0)

/** The collection of the SDK moves under us: a new wrapper says that it did. */
export const rows = signal<{ orders: ReadonlyMap<string, Order> }>({ orders: new Map() })

/** A row that just changed, by the order's id; `beat` tells two changes of one row apart. */
export type Mark = { op: Operation; beat: number }
export const marks = signal<ReadonlyMap<number, Mark>>(new Map())

/** Deleted, and still on its way out. */
export const leaving = signal<readonly Order[]>([])

/**
 * `late`: it happened while this page was not connected, so its latency says nothing.
 * `quiet`: it came among so many that nothing moves for it.
 */
export type LogEntry = {
  change: Change
  epoch: string
  latencyMs: number
  late: boolean
  quiet: boolean
}
export type Log = { entries: readonly LogEntry[]; dropped: number }
export const MAX_LOG_ENTRIES = 200
export const emptyLog: Log = { entries: [], dropped: 0 }
/** Newest first. */
export const log = signal<Log>(emptyLog)

export const latency = signal<Latency>(noLatency)
/** Grows with each frame that brought changes: the bell in the header swings. */
export const strokes = signal(0)

// The system, as the worker sees it.
export const system = signal<SystemReading>({ state: 'unknown' })

export const probe = signal<Probe>({ state: 'never' })

/** Milliseconds since 1970, moved on every few seconds: enough for "3 min ago". */
export const clock = signal(Date.now())
/** The same, moved on every second: for the age of the canary alone. */
export const second = signal(Date.now())

// What a person asked for.
export const WINDOW_STEP = 200
export const windowSize = signal(WINDOW_STEP)
export const query = signal<Query>({
  text: '',
  status: null,
  sort: { column: 'id', descending: true },
})

/** Where there is room for one only: the orders or the log. */
export const pane = signal<'orders' | 'activity'>('orders')

export type Dialog =
  | { kind: 'none' }
  | { kind: 'create' }
  | { kind: 'edit'; order: Order }
  | { kind: 'delete'; order: Order }
  | { kind: 'redrive'; query: MailQuery }
  | { kind: 'help' }
export const dialog = signal<Dialog>({ kind: 'none' })

export type Notice = { id: number; tone: 'good' | 'bad'; text: string }
export const notices = signal<readonly Notice[]>([])

export const view = computed(() => {
  const found = look(rows.value.orders.values(), query.value, windowSize.value)
  if (leaving.value.length === 0) return { ...found, gone: new Set<number>() }
  // Rows on their way out keep their place among those that stay.
  const gone = new Set(leaving.value.map(({ id }) => id))
  const withGone = look([...found.shown, ...leaving.value], query.value, windowSize.value)
  return { ...found, shown: withGone.shown, gone }
})
