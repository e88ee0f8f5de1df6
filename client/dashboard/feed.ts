import { batch } from '@preact/signals'
import type { Change, Operation } from '../../protocol/change.ts'
import { type Freshness, live } from '../sdk/belfry.ts'
import { readOrders, whyNoOrders } from './api.ts'
import { onBeat } from './beat.ts'
import { sdkToken } from './credential.ts'
import { addSamples } from './latency.ts'
import type { Order } from './order.ts'
import * as store from './store.ts'

/** Rows flash for so long (`orders.css` has the same times). */
const FLASH_MS = 1_600
const LEAVE_MS = 500
/**
 * More changes than this in one frame are a burst: no eye follows a single row
 * then, and 200 rows that flash cost more to draw than all the rest.
 */
const BURST_CHANGES = 40

export type Feed = { reconnect(): void; ping(): Promise<number> }

type Pending = {
  heard: { change: Change; epoch: string }[]
  count: number
  marked: Map<number, Operation>
  left: Order[]
}

/** Listens for as long as the page lives, and writes what it hears into the store. */
export function listen(url: string): Feed {
  let pending: Pending = nothing()
  // Waits for the rows it speaks of: ahead of them, a full table would be "no orders yet".
  let freshness: Freshness = store.freshness.peek()
  const ask = onBeat(flush)

  const orders = live<Order>('orders', {
    url,
    ...sdkToken(),
    version: 'version',
    snapshot: (signal) => readOrders(signal, (count) => (store.snapshotRead.value = count)),
    onChange(change, { epoch }) {
      pending.count++
      pending.heard.push({ change, epoch })
      // Trimmed at twice its size, so that a burst is not a shift for each change.
      if (pending.heard.length > 2 * store.MAX_LOG_ENTRIES)
        pending.heard = pending.heard.slice(-store.MAX_LOG_ENTRIES)
      ask()
    },
    onUpdate(update) {
      if (update.kind === 'changes') {
        for (const { change, before, after } of update.applied) {
          if (after) pending.marked.set(after.id, change.op)
          else if (before) pending.left.push(before)
        }
      }
      ask()
    },
    onState(state) {
      store.connection.value = state
      if (state.state === 'closed' && state.reason.kind === 'refused') void tellWhy()
      ask()
    },
    onFreshness(now) {
      freshness = now
      ask()
    },
  })

  function flush() {
    const { heard, count, marked, left } = pending
    pending = nothing()
    batch(() => {
      store.position.value = orders.connection.position
      store.rows.value = { orders: orders.rows() }
      store.freshness.value = freshness
      if (count > 0) hear(heard, count)
      mark(marked)
      leave(left)
    })
    // Looked at now, so that the beat knows what a frame costs.
    store.view.peek()
  }

  return {
    reconnect: () => orders.connection.reconnect(),
    ping: () => orders.connection.ping(),
  }
}

async function tellWhy(): Promise<void> {
  store.ordersRefusal.value = await whyNoOrders()
}

function nothing(): Pending {
  return { heard: [], count: 0, marked: new Map(), left: [] }
}

function hear(heard: Pending['heard'], count: number) {
  const nowMs = Date.now()
  const state = store.connection.value
  const sinceMs = state.state === 'live' ? state.since : nowMs
  const entries = heard
    .slice(-store.MAX_LOG_ENTRIES)
    .map(({ change, epoch }): store.LogEntry => {
      const atMs = Date.parse(change.at)
      const [latencyMs, late] = [nowMs - atMs, atMs < sinceMs]
      return { change, epoch, latencyMs, late, quiet: count > BURST_CHANGES }
    })
    .reverse()
  const before = store.log.value
  const all = [...entries, ...before.entries]
  const kept = all.slice(0, store.MAX_LOG_ENTRIES)
  const unseen = count - entries.length + (all.length - kept.length)
  store.log.value = { entries: kept, dropped: before.dropped + unseen }
  const samples = entries.filter(({ late }) => !late).map(({ latencyMs }) => latencyMs)
  if (samples.length > 0) store.latency.value = addSamples(store.latency.value, samples.reverse())
  store.strokes.value++
}

function mark(marked: Pending['marked']) {
  if (marked.size === 0 || marked.size > BURST_CHANGES) return
  const beat = store.strokes.value
  const added = [...marked].map(([id, op]) => [id, { op, beat }] as const)
  store.marks.value = new Map([...store.marks.value, ...added])
  setTimeout(() => {
    store.marks.value = new Map([...store.marks.value].filter(([, { beat: at }]) => at > beat))
  }, FLASH_MS)
}

function leave(left: readonly Order[]) {
  if (left.length === 0 || left.length > BURST_CHANGES) return
  store.leaving.value = [...store.leaving.value, ...left].slice(-BURST_CHANGES)
  setTimeout(() => {
    const gone = new Set(left)
    store.leaving.value = store.leaving.value.filter((order) => !gone.has(order))
  }, LEAVE_MS)
}
